#include "train/ways_out.h"

#include <algorithm>
#include <cmath>

#include "base/limits.h"
#include "base/text.h"
#include "budget/fitting.h"
#include "budget/step_time.h"

namespace shoestring::train {
namespace {

using budget::kMostWays;
using budget::Resource;
using budget::WayOut;

constexpr double kWorthIt = 0.97;  // of what it takes now

// Seconds of the loop of a whole run.
struct LoopTime {
  double training = 0, evaluating = 0;
  double sum() const { return training + evaluating; }
};

// By the formula, of all the steps of the recipe as it is compiled.
LoopTime by_formula(const Run& run) {
  const task::Trainer& trainer = run.job.recipe.trainer;
  const int64_t rows = run.data.count(task::SplitName::training);
  const Horizon all = horizon(trainer, rows, run.batch().batch * run.batch().accumulation);
  const Estimate e = estimate(run.engine(), run.best, run.data, all, *run.rates);
  const double evaluations = static_cast<double>(all.total_steps) /
                                 static_cast<double>(std::max<int64_t>(1, all.steps_per_evaluation)) +
                             1;
  const int64_t evaluated =
      run.data.count(task::SplitName::validation) + (trainer.evaluate_training_set ? rows : 0);
  return {static_cast<double>(all.total_steps) * e.seconds_per_step,
          evaluations * static_cast<double>(evaluated) * e.seconds_per_evaluated_row};
}

// As planned; where the limit leaves it only a part of its steps, of all of them.
LoopTime planned(const Run& run, const Times& times) {
  const double times_more = static_cast<double>(run.most_steps) /
                            static_cast<double>(std::max<int64_t>(run.horizon.total_steps, 1));
  return {times.of(Stage::training).p50 * times_more, times.of(Stage::evaluating).p50 * times_more};
}

struct Change {
  std::string key, price;
  task::Recipe recipe;
};

// What would shorten the loop, the cheapest first. All of it is the user's to say: none is taken unasked.
std::vector<Change> shortenings(const Run& run, const LoopTime& loop) {
  const task::Recipe& now = run.job.recipe;
  const task::Trainer& trainer = now.trainer;
  std::vector<Change> all;
  const auto add = [&](std::string key, std::string price, auto&& edit) {
    all.push_back({std::move(key), std::move(price), now});
    edit(all.back().recipe.trainer);
  };
  if (trainer.evaluate_training_set)
    add("trainer.evaluate_training_set: false", "no metrics of the training rows on the way",
        [](task::Trainer& t) { t.evaluate_training_set = false; });
  constexpr double kMuch = 0.1, kWanted = 0.05;  // of the loop
  if (const double share = loop.evaluating / std::max(loop.sum(), 1e-9);
      share > kMuch && run.most_steps > run.horizon.steps_per_evaluation) {
    const auto steps = std::min(
        run.most_steps, static_cast<int64_t>(std::ceil(
                            share / kWanted * static_cast<double>(run.horizon.steps_per_evaluation))));
    add(fmt::format("trainer.steps_per_checkpoint: {}", steps), "the best model is looked for less often",
        [&](task::Trainer& t) {
          t.steps_per_checkpoint = steps;
          t.checkpoints_per_epoch = 0;
        });
  }
  if (!trainer.use_mixed_precision)
    add("trainer.use_mixed_precision: true", "what products read is rounded to bf16",
        [](task::Trainer& t) { t.use_mixed_precision = true; });
  if (trainer.enable_gradient_checkpointing.or_else(false))
    add("trainer.enable_gradient_checkpointing: false", "more memory",
        [](task::Trainer& t) { t.enable_gradient_checkpointing.value = false; });
  const task::BatchSizes sizes = run.batch();
  constexpr int64_t kFewestSteps = 4;  // an epoch
  if (!trainer.train_steps &&
      2 * sizes.batch * sizes.accumulation * kFewestSteps <= run.data.count(task::SplitName::training))
    add(fmt::format("trainer.batch_size: {}", 2 * sizes.batch), "half the updates in as many epochs",
        [&](task::Trainer& t) {
          t.batch_size.value = 2 * sizes.batch;
          t.effective_batch_size.value.reset();
        });
  return all;
}

// The loop's time with all cores of the machine over that with those it has; 1 where it has them all.
double share_with_all_cores(const Run& run) {
  const int threads = run.engine().options().target.threads;
  const int cores = run.site.elsewhere ? run.site.elsewhere->machine.cores : read_limits().cores();
  if (cores <= threads) return 1;
  double now = 0, then = 0;
  for (const auto& runner : run.engine().runners()) {
    now += budget::seconds_of(runner->plan(), *run.rates, threads);
    then += budget::seconds_of(runner->plan(), *run.rates, cores);
  }
  return now > 0 ? then / now : 1;
}

Result<std::vector<WayOut>> ways_of_time(Run& run, const TrainRequest& request, const Times& times) {
  const LoopTime loop = planned(run, times), formula = by_formula(run);
  const double rest = times.planned() - times.of(Stage::training).p50 - times.of(Stage::evaluating).p50;
  const double all = rest + loop.sum();
  const task::Recipe recipe = run.job.recipe;
  if (recipe.trainer.open_ended()) return std::vector<WayOut>();  // it takes what it gets
  const task::Budget& budget = recipe.budget;
  const auto limit = time_limit(budget, run.site);
  std::vector<WayOut> ways;
  const auto add = [&](std::string change, double seconds, std::string price, bool enough = false) {
    if (ways.size() < kMostWays && (enough || seconds < kWorthIt * all))
      ways.push_back({std::move(change),
                      fmt::format("{} for all {}", human_seconds(seconds), count_of(run.most_steps, "step")),
                      std::move(price), Resource::time, seconds, enough || !limit || seconds <= *limit});
  };
  if (const double share = share_with_all_cores(run); share < 1)
    add("--budget cores=" +
            std::to_string(run.site.elsewhere ? run.site.elsewhere->machine.cores : read_limits().cores()),
        rest + share * loop.sum(), "nothing else has them");
  if (limit && all > *limit) {
    constexpr double kMargin = 1.15;
    const bool of_time = budget.time_seconds && *budget.time_seconds <= *limit;
    const std::string more =
        of_time ? fmt::format("--budget time={:.0f}s", std::ceil(kMargin * all))
                : fmt::format("--budget money={:.2g}", budget.money_usd.value_or(0) * kMargin * all / *limit);
    add(more, all, "", true);
  }
  const double witness = request.witness.ended ? request.witness.seconds : 0;
  if (limit && all > *limit && all - witness <= *limit) add("--report none", all - witness, kNoReport, true);
  for (const Change& change : shortenings(run, loop)) {
    if (ways.size() == kMostWays) break;
    if (auto total = compile_again(run, request, change.recipe); !total) {
      if (total.error().kind == ErrorKind::budget) continue;  // there is no room for it
      return fail(total.error());
    }
    const LoopTime with = by_formula(run);
    const auto part = [](double now, double before) { return before > 0 ? now / before : 1; };
    add(change.key,
        rest + loop.training * part(with.training, formula.training) +
            loop.evaluating * part(with.evaluating, formula.evaluating),
        change.price);
  }
  return ways;
}

// What may be left out of the run folder.
std::vector<WayOut> ways_of_disk(const Run& run, const TrainRequest& request) {
  const int64_t total = run.ledger.disk_bytes;
  std::vector<WayOut> ways;
  const auto add = [&](std::string flag, int64_t saved, std::string price) {
    const int64_t left = total - saved;
    if (static_cast<double>(left) < kWorthIt * static_cast<double>(total))
      ways.push_back({std::move(flag), human_bytes(left), std::move(price), Resource::disk,
                      static_cast<double>(left), left <= run.job.recipe.budget.disk_bytes.value_or(left)});
  };
  if (request.save_checkpoints)
    add("--skip_save_progress", checkpoint_disk(run.engine()), "a run that is killed begins anew");
  if (request.save_predictions)
    add("--skip_save_predictions", answers_disk(run.data), "no answers to the test rows");
  if (run.witness_disk_bytes > 0) add("--report none", run.witness_disk_bytes, kNoReport);
  return ways;
}

}  // namespace

Status find_ways_out(Run& run, const TrainRequest& request, const RunTime& time) {
  const budget::Ledger ledger = run.ledger;  // trials leave traces in the process
  const task::Recipe recipe = run.job.recipe;
  Result<std::vector<WayOut>> ways = std::vector<WayOut>();
  switch (ledger.binds) {
    case Resource::memory:
      ways = memory_ways_out(run, request);
      break;
    case Resource::time:
    case Resource::money:
      ways = ways_of_time(run, request, time.times);
      break;
    case Resource::disk:
      ways = ways_of_disk(run, request);
  }
  if (!ways) return fail(ways.error());
  run.job.recipe = run.data.spec.recipe = recipe;
  run.ledger = ledger;
  run.ledger.ways_out = std::move(*ways);
  return {};
}

}  // namespace shoestring::train
