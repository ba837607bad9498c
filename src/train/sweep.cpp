#include "train/sweep.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "base/memory.h"
#include "base/text.h"
#include "budget/fitting.h"
#include "train/made_recipe.h"
#include "train/set_up.h"

namespace shoestring::train {
namespace {

using Key = SweepRange::Key;

// Of a run whose start is planned: no time goes by while other plans are looked at.
class StillClock final : public Clock {
 public:
  explicit StillClock(double now) : now_(now) {}
  double seconds() const override { return now_; }

 private:
  double now_;
};

struct Sized {
  SweepRow row;
  task::Recipe recipe;
};

// One set of data, and the budgets that are looked at with it.
class Looking {
 public:
  Looking(const TrainRequest& request, Run run, RunTime time)
      : request_(&request),
        run_(std::move(run)),
        time_(std::move(time)),
        first_(run_.ledger),
        smaller_(run_.job.smaller) {}

  // The job as it was written, its sizes chosen for so much time, made to fit so many bytes.
  Result<Sized> fit(task::Recipe written, std::optional<double> bytes, std::optional<double> seconds) {
    if (bytes) written.budget.memory_bytes = std::llround(*bytes);
    if (seconds) written.budget.time_seconds = *seconds;
    written.preprocessing = run_.job.recipe.preprocessing;  // as the data was read
    run_.data.spec.recipe = written;
    Sized sized;
    sized.row.budget = bytes ? *bytes : *seconds;
    sized.row.choices = choose_sizes(run_.data, run_.site);
    budget::Asked asked{std::move(written), run_.data.spec.recipe,
                        run_.data.count(task::SplitName::training)};
    std::vector<budget::Smaller> smaller = smaller_;
    for (budget::Smaller& one : smaller) {
      one.recipe.budget = asked.recipe.budget;
      one.recipe.preprocessing = asked.recipe.preprocessing;
    }
    const int64_t between = first_.memory.total_bytes - least_of(first_);  // two runs
    const int64_t limit = memory_limit(asked.recipe.budget, run_.site).value_or(INT64_MAX) - between;
    const budget::Measure measure = [this](const task::Recipe& r) { return least(r); };
    auto fitted = budget::fit(asked, limit, measure, smaller);
    if (!fitted) return fail(fitted.error());
    sized.row.total_bytes = fitted->total_bytes + between;
    sized.recipe = std::move(fitted->asked.recipe);
    if (fitted->total_bytes <= limit)
      std::ranges::move(fitted->choices, std::back_inserter(sized.row.choices));
    else
      sized.row.fits =
          fail(ErrorKind::budget,
               fmt::format("takes {} with all that may be changed{}", human_bytes(sized.row.total_bytes),
                           run_.data.file ? "" : ", the table being in memory"));
    return sized;
  }

  // How far the formula is off, by real steps of a job that fits this machine.
  Status rehearse(const task::Recipe& recipe) {
    if (auto ok = compile_again(run_, *request_, recipe); !ok) return fail(ok.error());
    if (run_.site.elsewhere || run_.ledger.memory.total_bytes > available_bytes()) return {};
    budget::Rates formula;
    rates_by_formula(run_, formula);
    RunTime rehearsed = time_;
    if (auto ok = rehearse_alone(run_, rehearsed); !ok) return ok;
    run_.best = {};
    const auto off = [](const budget::Durations& real, const budget::Durations& planned) {
      return real.any() && planned.typical() > 0 ? real.typical() / planned.typical() : 1.0;
    };
    step_off_ = off(rehearsed.rates().step, formula.step);
    row_off_ = off(rehearsed.rates().row, formula.row);
    rehearsed_ = true;
    return {};
  }

  // Fills in what takes time. `seconds`: the limit, if there is one.
  Status tell_time(Sized& sized, std::optional<double> seconds) {
    if (auto total = compile_again(run_, *request_, sized.recipe); !total) return fail(total.error());
    RunTime time = time_;
    double used = 0;
    for (const StageSeconds& stage : time.times.stages) used += stage.took;
    const StillClock now(time.started + used);
    if (seconds) {
      time.deadline.emplace(now, time.started + *seconds, *seconds);
      time.times.limit = *seconds;
    }
    budget::Rates by_formula;
    rates_by_formula(run_, by_formula);
    budget::Rates& rates = time.rates();
    const double slow = rehearsed_ ? 1.15 : 2;  // what others of this kind are off by, in 9 of 10
    for (const double times : {1.0, slow}) {
      rates.step.add(times * step_off_ * by_formula.step.typical());
      rates.row.add(times * row_off_ * by_formula.row.typical());
      rates.evaluation.add(times * row_off_ * by_formula.evaluation.typical());
      if (by_formula.feature.any()) rates.feature.add(times * row_off_ * by_formula.feature.typical());
    }
    sized.row.steps_wanted = run_.most_steps;
    if (auto ok = fit_time(run_, *request_, time, {}); !ok) {
      if (ok.error().kind != ErrorKind::budget) return ok;
      sized.row.fits = std::move(ok);
      return {};
    }
    plan_time(run_, *request_, time);
    sized.row.seconds = run_.ledger.time.p50_s;
    sized.row.slow_seconds = run_.ledger.time.p90_s;
    sized.row.steps = run_.horizon.total_steps;
    const task::Trainer& trainer = sized.recipe.trainer;
    const bool open = trainer.open_ended();
    sized.row.steps_wanted = open ? sized.row.steps : std::max(run_.most_steps, sized.row.steps);
    sized.row.epochs =
        static_cast<double>(sized.row.steps) / static_cast<double>(run_.horizon.steps_per_epoch);
    sized.row.parameters = parameter_count(run_.engine().layout());
    return {};
  }

  const Run& run() const { return run_; }

 private:
  // Trials leave traces in the process, which is taken to stay as it was at first.
  int64_t total() const {
    int64_t bytes = first_.memory.of_line("process") - run_.ledger.memory.of_line("process");
    for (const auto& line : run_.ledger.memory.lines) bytes += line.bytes;
    return std::max(bytes, first_.memory.stages.front().bytes);
  }
  Result<int64_t> least(const task::Recipe& recipe) {
    task::Recipe key = recipe;  // recomputation alone goes by the limit
    if (!recipe.trainer.enable_gradient_checkpointing.or_else(false)) key.budget = {};
    const auto [known, fresh] = known_.try_emplace(task::render(key), 0);
    if (fresh) {
      if (auto ok = compile_again(run_, *request_, recipe); !ok) return fail(ok.error());
      known->second = total() - (run_.ledger.memory.total_bytes - least_of(run_.ledger));
    }
    return known->second;
  }

  const TrainRequest* request_;
  Run run_;
  RunTime time_;
  budget::Ledger first_;
  std::vector<budget::Smaller> smaller_;
  std::map<std::string, int64_t> known_;  // recipe -> bytes
  double step_off_ = 1, row_off_ = 1;
  bool rehearsed_ = false;
};

// The data of a job whose budget leaves room.
Result<Looking> look(const TrainRequest& request, Job job, const TrainEvents& events) {
  RunTime time(request.started.value_or(run_clock().seconds()));
  time.lap(Stage::starting);
  auto run = prepare_run(std::move(job), request, time, events);
  if (!run) return fail(run.error());
  time.lap(Stage::compiling);
  return Looking(request, std::move(*run), std::move(time));
}

Result<std::vector<Sized>> by_memory(const TrainRequest& request, const SweepRange& range, Job job,
                                     const TrainEvents& events, Swept& swept) {
  const task::Recipe as_written = job.recipe;
  job.recipe.budget.memory_bytes.reset();
  auto looking = look(request, std::move(job), events);
  if (!looking) return fail(looking.error());
  const std::vector<double> budgets = range.budgets();
  std::vector<Sized> rows;
  for (auto bytes = budgets.rbegin(); bytes != budgets.rend(); ++bytes) {
    auto sized = looking->fit(as_written, *bytes, {});
    if (!sized) return fail(sized.error());
    rows.push_back(std::move(*sized));
    if (!rows.back().row.fits) {  // nor does what is less
      for (++bytes; bytes != budgets.rend(); ++bytes) {
        rows.push_back(rows.back());
        rows.back().row.budget = *bytes;
      }
      break;
    }
  }
  std::ranges::reverse(rows);
  const auto seconds = time_limit(as_written.budget, request.site);
  const auto fitting = std::ranges::find_if(rows, [](const Sized& s) { return s.row.fits.has_value(); });
  if (fitting != rows.end())
    if (auto ok = looking->rehearse(fitting->recipe); !ok) return fail(ok.error());
  for (Sized& sized : rows)
    if (sized.row.fits)
      if (auto ok = looking->tell_time(sized, seconds); !ok) return fail(ok.error());
  swept.machine = described(request.site, looking->run().compiled->options.target);
  return rows;
}

Result<std::vector<Sized>> by_time(const TrainRequest& request, const SweepRange& range, Job job,
                                   const TrainEvents& events, Swept& swept) {
  std::vector<Sized> rows;
  std::optional<Looking> looking;
  std::optional<task::Recipe> recipe;  // that is looked at
  job.recipe.budget.time_seconds.reset();
  job.recipe.budget.money_usd.reset();
  for (const double seconds : range.budgets()) {
    Job wanted{.data = job.data,
               .recipe = job.recipe,
               .load = job.load,
               .seed = job.seed,
               .eval_split = job.eval_split};
    if (job.for_seconds) {
      auto sized = job.for_seconds(seconds);
      if (!sized) return fail(sized.error());
      wanted.recipe = std::move(sized->recipe);
      wanted.smaller = std::move(sized->smaller);
      wanted.recipe.budget = job.recipe.budget;
      for (budget::Smaller& one : wanted.smaller) one.recipe.budget = job.recipe.budget;
    }
    const bool fresh = !looking || wanted.recipe != *recipe;
    if (fresh) {
      recipe = wanted.recipe;
      looking.reset();
      give_back_memory();
      auto looked = look(request, std::move(wanted), events);
      if (!looked) return fail(looked.error());
      looking.emplace(std::move(*looked));
    }
    auto sized = looking->fit(*recipe, {}, seconds);
    if (!sized) return fail(sized.error());
    if (sized->row.fits) {
      if (fresh)
        if (auto ok = looking->rehearse(sized->recipe); !ok) return fail(ok.error());
      if (auto ok = looking->tell_time(*sized, seconds); !ok) return fail(ok.error());
    }
    rows.push_back(std::move(*sized));
  }
  swept.machine = described(request.site, looking->run().compiled->options.target);
  return rows;
}

}  // namespace

std::vector<double> SweepRange::budgets() const {
  std::vector<double> all;
  for (double b = from; b < to * 0.999; b *= 2) all.push_back(b);
  all.push_back(to);
  return all;
}

Result<SweepRange> parse_sweep(std::string_view text) {
  const auto refuse = [&](std::string what) {
    return fail(ErrorKind::usage, std::move(what), "--sweep",
                "write --sweep memory=64MiB..4GiB or --sweep time=10s..10min");
  };
  const size_t equals = text.find('='), dots = text.find("..");
  if (equals == std::string_view::npos || dots == std::string_view::npos || dots < equals)
    return refuse(fmt::format("'{}' is no range of a budget", text));
  const std::string_view key = text.substr(0, equals), from = text.substr(equals + 1, dots - equals - 1),
                         to = text.substr(dots + 2);
  SweepRange range;
  if (key == "time")
    range.key = Key::time;
  else if (key != "memory")
    return refuse(fmt::format("'{}' cannot be swept over", key));
  const auto read = [&](std::string_view word) -> std::optional<double> {
    if (range.key == Key::time) return parse_seconds(word);
    const auto bytes = parse_bytes(word);
    return bytes ? std::optional(static_cast<double>(*bytes)) : std::nullopt;
  };
  for (const auto& [word, place] : {std::pair{from, &range.from}, std::pair{to, &range.to}}) {
    const auto value = read(word);
    if (!value) return refuse(fmt::format("'{}' is no {}", word, range.key == Key::time ? "time" : "size"));
    *place = *value;
  }
  if (range.from > range.to) return refuse(fmt::format("{} is more than {}", from, to));
  constexpr size_t kMost = 24;
  if (range.budgets().size() > kMost)
    return refuse(fmt::format("from {} to {} are more than {} doublings", from, to, kMost));
  return range;
}

Result<Swept> sweep(const TrainRequest& request, const SweepRange& range, const TrainEvents& events) {
  auto job = new_job(request, events.log);
  if (!job) return fail(job.error());
  Swept swept{.range = range, .machine = {}, .rows = {}};
  auto rows = range.key == Key::memory ? by_memory(request, range, std::move(*job), events, swept)
                                       : by_time(request, range, std::move(*job), events, swept);
  if (!rows) return fail(rows.error());
  const auto alike = [&](const SweepRow& a, const SweepRow& b) {
    return a.fits && b.fits && a.steps == b.steps && a.parameters == b.parameters &&
           std::ranges::equal(a.choices, b.choices, {}, &budget::Choice::change, &budget::Choice::change);
  };
  for (Sized& sized : *rows) {
    if (!swept.rows.empty()) sized.row.same = alike(swept.rows.back(), sized.row);
    swept.rows.push_back(std::move(sized.row));
  }
  return swept;
}

std::string to_json(const Swept& swept) {
  using Json = nlohmann::ordered_json;
  const bool memory = swept.range.key == Key::memory;
  Json rows = Json::array();
  for (const SweepRow& row : swept.rows) {
    Json choices = Json::array();
    for (const budget::Choice& choice : row.choices)
      choices.push_back(
          {{"change", choice.change}, {"price", choice.price}, {"saved_bytes", choice.saved_bytes}});
    Json one = memory ? Json{{"memory_bytes", std::llround(row.budget)}} : Json{{"time_s", row.budget}};
    one.update({{"fits", row.fits.has_value()},
                {"memory_total_bytes", row.total_bytes},
                {"choices", std::move(choices)},
                {"same_as_before", row.same}});
    if (row.fits)
      one.update({{"parameters", row.parameters},
                  {"time_p50_s", row.seconds},
                  {"time_p90_s", row.slow_seconds},
                  {"steps", row.steps},
                  {"steps_wanted", row.steps_wanted},
                  {"epochs", row.epochs}});
    else
      one["why"] = row.fits.error().what;
    rows.push_back(std::move(one));
  }
  const Json out = {{"sweep", memory ? "memory" : "time"},
                    {"machine", {{"name", swept.machine.name}, {"here", swept.machine.here}}},
                    {"rows", std::move(rows)}};
  return out.dump(2);
}

}  // namespace shoestring::train
