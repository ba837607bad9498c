#include "train/set_up.h"

#include <algorithm>
#include <cmath>

#include "base/atomic_file.h"
#include "base/parallel.h"
#include "base/text.h"
#include "budget/calibrate.h"
#include "budget/fitting.h"
#include "budget/machine_profile.h"
#include "task/metric_table.h"
#include "task/pretrained.h"
#include "task/table_rows.h"
#include "train/blend.h"
#include "train/features.h"
#include "train/infer.h"
#include "train/made_recipe.h"
#include "train/made_size.h"
#include "train/read_rows.h"
#include "train/run_files.h"
#include "train/start_from.h"

namespace shoestring::train {
namespace {

// Bytes of the log of evaluations at the run's end: a line for each, of so many numbers.
int64_t history_bytes(const task::Recipe& recipe, const Horizon& h) {
  constexpr int64_t kOfNumber = 48, kOfLine = 160;
  int64_t numbers = 0;
  for (const auto& output : recipe.outputs)
    numbers += static_cast<int64_t>(task::metrics_of(output.type()).size()) + 1;
  const int64_t splits = recipe.trainer.evaluate_training_set ? 2 : 1;
  return (h.total_steps / h.steps_per_evaluation + 2) * (kOfLine + splits * numbers * kOfNumber);
}

Horizon horizon_of(const Run& run) {
  return horizon(run.job.recipe.trainer, run.data.count(task::SplitName::training),
                 run.batch().batch * run.batch().accumulation);
}

// The plans of training and of finishing it.
std::vector<PlanRequest> plans_of_run(const Dataset& data, const task::BatchSizes& batch) {
  const int64_t training = data.count(task::SplitName::training),
                validation = data.count(task::SplitName::validation);
  auto plans =
      plans_for(batch, training, std::max({training, validation, data.count(task::SplitName::test)}));
  if (keeps_features(data)) {
    const int64_t most = std::max({training, validation, data.count(task::SplitName::test)});
    plans.push_back({PlanKind::features, std::min(batch.eval, most)});
  }
  if (const auto members = members_plan(data.spec.recipe, validation, batch.eval)) plans.push_back(*members);
  return plans;
}

Status fits_window(const Dataset& data, int64_t batch) {
  if (batch <= data.most_rows()) return {};
  return fail(ErrorKind::budget,
              fmt::format("a batch of {} does not fit in the window on the encoded rows, which holds {}",
                          count_of(batch, "row"), data.most_rows()),
              {}, "lower trainer.batch_size, or give more memory");
}

// In a file the training rows have lost the table's order.
Status can_answer(const Dataset& data, task::SplitName split, const TrainRequest& request) {
  if (!data.file || !data.spec.recipe.trainer.should_shuffle || split != task::SplitName::training ||
      !request.save_predictions)
    return {};
  return fail(ErrorKind::budget, "answers to the training rows need the table in memory", {},
              "give more memory, choose another --eval_split, or leave them out (--skip_save_predictions)");
}

// Gives the window what the limit leaves, and takes from it what is missing. Whether it changed.
bool fit_window(Run& run) {
  const auto limit = memory_limit(run.job.recipe.budget, run.site);
  if (!limit || !run.job.recipe.preprocessing.window_rows.is_auto()) return false;
  FileRows& file = *run.data.file;
  const int64_t spare = *limit - run.ledger.memory.total_bytes;
  const int64_t batch = std::max(run.batch().batch, run.batch().eval);
  const int64_t least = std::max(batch, kLeastWindowBytes / file.row_bytes());
  const int64_t before = file.most_rows();
  file.set_window(std::clamp(before + spare / file.row_bytes(), least,
                             std::max(least, kMostWindowBytes / file.row_bytes())));
  return file.most_rows() != before;
}

// The rates by which times are told. Where no rehearsal will tell better they are measured now, for as long
// as that is worth it, in the memory that the run is about to take.
void find_rates(Run& run, const LogSink& log) {
  if (run.rates) return;
  const CompileOptions& options = run.compiled->options;
  if (run.site.elsewhere) {
    run.rates = *run.site.elsewhere;
    return;
  }
  const budget::KnownMachine known = budget::load_or_built_in(options.target);
  const Estimate by_known = estimate(run.engine(), run.best, run.data, run.horizon, *known.profile);
  const task::Trainer& trainer = run.job.recipe.trainer;
  const bool rehearses = time_limit(run.job.recipe.budget, run.site) || trainer.open_ended();
  constexpr double kMostSeconds = 0.2, kWorthIt = 0.02;
  std::vector<const Plan*> plans;
  for (const auto& runner : run.engine().runners()) plans.push_back(&runner->plan());
  budget::RatesNow now =
      budget::rates_now(plans, known,
                        {.target = options.target,
                         .seconds = rehearses ? 0 : std::min(kMostSeconds, kWorthIt * by_known.seconds),
                         .most_bytes = run.engine().arena_bytes() + run.engine().layout().bytes()});
  if (!now.note.empty()) say(log, LogLevel::note, now.note);
  run.rates = std::move(now.profile);
}

// Compiles the plans of the recipe as it is, and fills the ledger.
Status compile_run(Run& run, CompileOptions options, const LogSink& log) {
  const task::Trainer& trainer = run.job.recipe.trainer;
  task::NetworkSpec& spec = run.data.spec;
  const int64_t rows = run.data.count(task::SplitName::training);
  options.precision = training_precision(trainer, options);
  spec.kept_features = task::features_to_keep(spec);
  expect_features(run.data);
  task::BatchSizes batch = task::batch_sizes(trainer, rows);
  batch.batch = std::min(batch.batch, rows);
  batch.eval = std::min(batch.eval, run.data.most_rows());
  if (auto ok = fits_window(run.data, batch.batch); !ok) return ok;
  spec.accumulates = batch.accumulation > 1;
  spec.early_updates =
      trainer.early_updates.or_else(false) && !spec.accumulates && task::can_update_early(run.job.recipe);
  auto engine = Engine::compiled(spec, plans_of_run(run.data, batch), options);
  if (!engine) return fail(engine.error());
  const auto initial = engine->initial_bytes(options);
  if (!initial) return fail(initial.error());
  run.compiled.emplace(Compiled{batch, std::move(options), std::move(*engine)});
  run.horizon = horizon_of(run);
  run.most_steps = run.horizon.total_steps;
  find_rates(run, log);
  const int64_t history = history_bytes(run.job.recipe, run.horizon);
  const ToCome to_come{*initial, history, saving_bytes(spec, run.data.fits), run.witness_bytes,
                       run.peak_before.value_or(peak_resident_bytes())};
  run.ledger.memory = planned_memory(run.engine(), run.data, to_come, run.site);
  if (run.data.file && fit_window(run))
    run.ledger.memory = planned_memory(run.engine(), run.data, to_come, run.site);
  run.ledger.disk_bytes = planned_disk(run.engine(), run.data, history) + run.witness_disk_bytes;
  find_binding(run.job.recipe.budget, run.site, run.ledger);
  return {};
}

// The same, values of the forward part being computed again where the recipe says so: as few as it takes.
Status compile_run(Run& run, const TrainRequest& request, const LogSink& log) {
  if (auto ok = compile_run(run, compile_options(request), log); !ok) return ok;
  if (!run.job.recipe.trainer.enable_gradient_checkpointing.or_else(false)) return {};
  CompileOptions options = compile_options(request);
  options.arena_limit_bytes = 1;
  if (const auto limit = memory_limit(run.job.recipe.budget, run.site)) {
    const int64_t over = run.needed() - *limit;
    if (over <= 0) return {};
    constexpr int64_t kOfCompiling = 1 << 20;  // what the second time leaves in the process
    options.arena_limit_bytes = std::max<int64_t>(run.engine().arena_bytes() - over - kOfCompiling, 1);
  }
  run.compiled.reset();
  return compile_run(run, std::move(options), log);
}

// What the time is kept for once training has ended.
budget::Finish finish_of(const Run& run, const TrainRequest& request) {
  return finish_of(run.engine(), run.data,
                   {.predictions = request.save_predictions,
                    .model = request.save_model,
                    .predicted_rows = run.data.count(run.job.eval_split),
                    .witness_seconds = request.witness.ended ? request.witness.seconds : 0});
}

// Runs some steps for their times, which are the run's rates from now on; then all states are as if none had
// been.
Status rehearse(Run& run, RunTime& time) {
  Evaluator evaluator = evaluator_of(run);
  Loop loop(run.engine(), run.data, evaluator, run.best,
            {run.job.recipe.trainer, run.batch(), run.horizon, run.job.seed}, {});
  loop.rehearse(time.rates(),
                rehearsal_seconds(time.deadline ? std::max(time.deadline->left(), 0.0) : kUsualSeconds));
  if (keeps_features(run.data)) time.rates().feature.add(time_features(run.engine(), run.data));
  return run.engine().initialize(run.job.seed, run.compiled->options);
}

// The memory of the plans, filled.
Status hold(Run& run) {
  if (!run.peak_before) run.peak_before = peak_resident_bytes();
  if (auto ok = run.engine().reserve(); !ok) return ok;
  if (auto ok = run.engine().initialize(run.job.seed, run.compiled->options); !ok) return ok;
  auto best = BestModel::create(run.engine());
  if (!best) return fail(best.error());
  run.best = std::move(*best);
  hold_features(run.data);
  return {};
}

}  // namespace

const SteadyClock& run_clock() {
  static const SteadyClock clock;
  return clock;
}

Evaluator evaluator_of(Run& run) { return {run.evaluation(), run.data}; }

void rates_by_formula(const Run& run, budget::Rates& rates) {
  const Estimate by_formula = estimate(run.engine(), run.best, run.data, run.horizon, *run.rates);
  const int64_t rows = run.data.count(task::SplitName::validation);
  for (const double times : {1.0, 2.0}) {
    rates.step.add(times * by_formula.seconds_per_step);
    rates.row.add(times * by_formula.seconds_per_evaluated_row);
    if (keeps_features(run.data)) rates.feature.add(times * by_formula.seconds_per_feature_row);
    rates.evaluation.add(times * static_cast<double>(rows) * by_formula.seconds_per_evaluated_row);
  }
}

Failure too_little_time(const task::Budget& budget, double limit, std::string_view goes_on, double needed) {
  if (budget.money_usd && (!budget.time_seconds || limit < *budget.time_seconds))
    return fail(ErrorKind::budget,
                fmt::format("{:g} USD buy {}, {}", *budget.money_usd, human_seconds(limit), goes_on),
                "budget.money", fmt::format("give at least {:.2g} USD", *budget.money_usd * needed / limit));
  return fail(ErrorKind::budget, fmt::format("budget.time is {}, {}", human_seconds(limit), goes_on),
              "budget.time", fmt::format("give at least {:.1f}s", needed));
}

Status fit_time(Run& run, const TrainRequest& request, RunTime& time, const LogSink& log) {
  task::Trainer& trainer = run.job.recipe.trainer;
  const bool open = trainer.open_ended();
  if (!time.deadline) {
    if (!open) return {};
    trainer.epochs.value = run.data.spec.recipe.trainer.epochs.value =
        choose_epochs(run.horizon, run.data.count(task::SplitName::validation), time.rates(), log);
    run.horizon = horizon_of(run);
    run.most_steps = run.horizon.total_steps;
    return {};
  }
  budget::Deadline& deadline = *time.deadline;
  deadline.set_finish(finish_of(run, request));
  deadline.set_checkpoint(
      request.save_checkpoints ? run.engine().layout().bytes() + 2 * BestModel::bytes_for(run.engine()) : 0,
      request.save_seconds);
  const double features = static_cast<double>(feature_rows(run.data)) * deadline.rates().feature.slow();
  deadline.set_ahead(features);
  if (run.job.resumed) return {};  // goes on with what its checkpoint says
  run.horizon = fit_horizon(trainer, run.horizon, deadline);
  if (run.horizon.total_steps < 1) {
    const double needed = deadline.used() + features + deadline.finishing() +
                          deadline.rates().evaluation.slow() + 2 * deadline.rates().step.slow() + 0.1;
    return too_little_time(
        run.job.recipe.budget, deadline.limit(),
        fmt::format("of which {} are used,{} a step takes {}, and evaluating and saving the model {}",
                    human_seconds(deadline.used()),
                    features > 0 ? fmt::format(" computing features takes {},", human_seconds(features)) : "",
                    human_seconds(deadline.rates().step.typical()),
                    human_seconds(deadline.finishing() + deadline.rates().evaluation.slow())),
        1.2 * needed);
  }
  if (run.horizon.total_steps < run.most_steps)
    say(log, LogLevel::note,
        fmt::format(
            "{} ({:.3g} epochs) of {} fit {}", count_of(run.horizon.total_steps, "step"),
            static_cast<double>(run.horizon.total_steps) / static_cast<double>(run.horizon.steps_per_epoch),
            open ? fmt::format("at most {}", run.most_steps) : std::to_string(run.most_steps),
            human_seconds(deadline.limit())));
  return {};
}

Status rehearse_alone(Run& run, RunTime& time) {
  if (auto ok = hold(run); !ok) return ok;
  return rehearse(run, time);
}

Result<int64_t> compile_again(Run& run, const TrainRequest& request, const task::Recipe& recipe) {
  run.compiled.reset();  // its memory is for the next
  run.best = {};
  run.data.inputs.features = {};
  give_back_memory();
  run.job.recipe = run.data.spec.recipe = recipe;
  if (auto ok = compile_run(run, request, {}); !ok) return fail(ok.error());
  return run.needed();
}

namespace {

// The run with its table.
Result<Run> read_run(Job job, const TrainRequest& request, bool to_plan, RunTime& time,
                     const TrainEvents& events) {
  std::optional<SavedModel> beginning;
  if (!job.load.empty()) {
    auto model = load_model(job.load);
    if (!model) return fail(model.error());
    beginning = std::move(*model);
  }
  std::optional<PretrainedWeights> weights;
  // All of them are in a model, and in a checkpoint.
  if (!beginning && !(job.resumed && file_exists(job.folder->checkpoint()))) {
    auto found = PretrainedWeights::find(job.recipe);
    if (!found) return fail(found.error());
    weights = std::move(*found);
  }
  // Without a limit it is the machine's memory that a long table has to fit in.
  const int64_t available = available_bytes();
  const int64_t limit =
      memory_limit(job.recipe.budget, {}).value_or(available == INT64_MAX ? 0 : available + resident_bytes());
  auto data = read_rows(job, beginning ? &*beginning : nullptr, request, limit, events.log);
  time.lap(Stage::reading);
  if (!data) return fail(data.error());
  if (job.before)
    if (auto ok = same_files(*job.before, data->files); !ok) return fail(ok.error());
  if (request.eval_split && data->count(job.eval_split) == 0)
    return fail(ErrorKind::data, fmt::format("there are no {} rows to evaluate on", name_of(job.eval_split)),
                data->files.front().path, "give some, or choose another --eval_split");
  if (auto ok = can_answer(*data, job.eval_split, request); !ok) return fail(ok.error());
  if (weights)
    if (auto ok = weights->match(data->spec); !ok) return fail(ok.error());
  Run run{.job = std::move(job),
          .data = std::move(*data),
          .site = request.site,
          .beginning = std::move(beginning),
          .weights = std::move(weights),
          .compiled = {},
          .planned_only = to_plan,
          .witness_bytes = request.witness.bytes,
          .witness_disk_bytes = request.witness.disk_bytes};
  run.job.recipe.preprocessing = run.data.spec.recipe.preprocessing;
  for (budget::Smaller& one : run.job.smaller) one.recipe.preprocessing = run.job.recipe.preprocessing;
  return run;
}

void tell_oddities(const Run& run, const LogSink& log) {
  const task::Trainer& trainer = run.job.recipe.trainer;
  const auto& plateau = trainer.learning_rate_scheduler;
  if (plateau.reduce_on_plateau > 0 && plateau.reduce_eval_split != task::SplitName::training &&
      run.data.count(plateau.reduce_eval_split) == 0)
    say(log, LogLevel::warning,
        "reduce_eval_split has no rows: reduce_on_plateau watches the training rows instead");
  constexpr int64_t kManyMembers = 64;
  if (const int64_t members = task::member_count(run.data.spec.recipe); members > kManyMembers)
    say(log, LogLevel::warning,
        fmt::format(
            "an ensemble of {} costs the time and memory of as many networks; beyond some tens they seldom "
            "answer better",
            count_of(members, "member")));
}

budget::Choice streaming(const Dataset& data) {
  return {.kind = "streaming",
          .change = "preprocessing.in_memory: false",
          .price = data.most_rows() >= data.count(task::SplitName::training)
                       ? std::string("the text is read twice")
                       : fmt::format("the text is read twice, and batches are drawn from {} at a time",
                                     count_of(data.most_rows(), "row")),
          .saved_bytes = data.file->file_bytes() - data.bytes()};
}

// A recipe on its way to one that fits.
struct Fitted {
  budget::Asked asked;
  std::vector<budget::Choice> chosen;  // of what was auto, whatever may be spent
  std::vector<budget::Choice> to_fit;  // because the memory is short
};

// Chooses what is auto, compiles the run, and changes what may be changed until it fits the limit, if it can;
// the ledger says what it takes at least.
Result<Fitted> fit_memory(Run& run, const TrainRequest& request, std::optional<int64_t> limit,
                          const budget::Measure& measure, const LogSink& log) {
  Fitted out;
  if (limit)
    if (auto choice = take_small_enough(run.job, run.data, *limit)) out.to_fit.push_back(std::move(*choice));
  out.asked = {run.data.spec.recipe, {}, run.data.count(task::SplitName::training)};
  out.chosen = choose_sizes(run.data, run.site);
  out.asked.recipe = run.job.recipe = run.data.spec.recipe;
  if (auto ok = compile_run(run, request, log); !ok) return fail(ok.error());
  if (!limit || run.needed() <= *limit) return out;
  auto fitted = budget::fit(out.asked, *limit, measure, run.job.smaller);
  if (!fitted) return fail(fitted.error());
  if (fitted->total_bytes <= *limit) {
    out.asked = std::move(fitted->asked);
    std::ranges::move(fitted->choices, std::back_inserter(out.to_fit));
  }
  if (const auto after = measure(out.asked.recipe); !after) return fail(after.error());
  run.ledger.least_bytes = fitted->total_bytes;
  return out;
}

// Where nobody asked for them to be kept.
std::optional<budget::Choice> without_features(Run& run, task::Recipe recipe) {
  for (size_t i = 0; i < recipe.inputs.size(); ++i)
    if (task::kept_features(run.data.spec, i) > 0 &&
        !std::get<task::ImageInput>(recipe.inputs[i].spec).preprocessing.cache_encoder_embeddings.is_auto())
      return std::nullopt;
  std::string change = task::forget_features(recipe);
  run.job.recipe = run.data.spec.recipe = std::move(recipe);
  return budget::Choice{
      .kind = "features", .change = std::move(change), .price = "every step runs the frozen encoder again"};
}

// Of frozen encoders whose features nobody forbade to keep, and which cannot be kept.
void tell_unkept(const Run& run, const LogSink& log) {
  for (const auto& input : run.job.recipe.inputs)
    if (const std::string why = task::why_not_kept(run.job.recipe, input); !why.empty())
      say(log, LogLevel::note,
          fmt::format(
              "the encoder of '{}' is frozen, and what it makes of a row is computed in every step, as {}",
              input.name, why));
}

}  // namespace

Result<Run> prepare_run(Job job, const TrainRequest& request, RunTime& time, const TrainEvents& events,
                        bool to_plan) {
  const bool may_choose = job.recipe.preprocessing.in_memory.is_auto();
  auto read = read_run(std::move(job), request, to_plan, time, events);
  if (!read) return read;
  Run run = std::move(*read);
  const std::optional<int64_t> limit = memory_limit(run.job.recipe.budget, run.site);
  const budget::Measure measure = [&](const task::Recipe& recipe) {
    return compile_again(run, request, recipe);
  };
  tell_oddities(run, events.log);
  tell_unkept(run, events.log);
  auto fitted = fit_memory(run, request, limit, measure, events.log);
  if (!fitted) return fail(fitted.error());
  const bool over = limit && run.needed() > *limit;
  if (over &&
      run.ledger.least_bytes - run.data.bytes() - feature_bytes(run.data) + kLeastWindowBytes <= *limit &&
      may_stream(run.job)) {
    // The rows make room for the rest.
    Job again = std::move(run.job);
    again.recipe = std::move(fitted->asked.written);
    again.recipe.preprocessing.in_memory = task::OrAuto<bool>{false};
    run = {};
    give_back_memory();
    time.lap(Stage::compiling);
    read = read_run(std::move(again), request, to_plan, time, {});
    if (!read) return read;
    run = std::move(*read);
    fitted = fit_memory(run, request, limit, measure, {});
    if (!fitted) return fail(fitted.error());
  }
  std::optional<budget::Choice> without = {};
  if (limit && run.needed() > *limit && keeps_features(run.data)) {
    without = without_features(run, fitted->asked.written);
    if (without) {
      const int64_t before = run.needed();
      fitted = fit_memory(run, request, limit, measure, {});
      if (!fitted) return fail(fitted.error());
      without->saved_bytes = std::max<int64_t>(before - run.needed(), 0);
      fitted->to_fit.push_back(std::move(*without));
    }
  }
  if (run.data.file)  // written down, as the order of the rows hangs on it
    run.job.recipe.preprocessing.window_rows.value = run.data.most_rows();
  if (run.data.file && may_choose) fitted->to_fit.insert(fitted->to_fit.begin(), streaming(run.data));
  for (const budget::Choice& choice : fitted->to_fit) {
    run.job.recipe.notes.lines.push_back(fmt::format(
        "to fit {}: {} (saves {}; price: {})", limit ? human_bytes(*limit) : "the machine's memory",
        choice.change, human_bytes(choice.saved_bytes), choice.price));
  }
  run.asked = std::move(fitted->asked);
  run.asked.recipe = run.job.recipe;
  if (limit && run.needed() > *limit) {          // it will be refused: with what would help
    const budget::Ledger as_it_is = run.ledger;  // trials leave traces in the process
    time.lap(Stage::compiling);
    auto ways = memory_ways_out(run, request);
    if (!ways) return fail(ways.error());
    if (const auto after = measure(run.asked.recipe); !after) return fail(after.error());
    run.ledger = as_it_is;
    run.ledger.ways_out = std::move(*ways);
    time.laps.lap();  // no part of training
  }
  run.ledger.choices = std::move(fitted->chosen);
  std::ranges::move(fitted->to_fit, std::back_inserter(run.ledger.choices));
  std::ranges::move(choose_training(run.job.recipe, run.asked.training_rows),
                    std::back_inserter(run.ledger.choices));
  run.data.spec.recipe = run.job.recipe;
  if (events.prepared) events.prepared(run.data);
  if (run.job.recipe.trainer.use_mixed_precision && run.compiled->options.precision.products == DType::f32)
    say(events.log, LogLevel::warning,
        "use_mixed_precision: bf16 products are not faster on this machine, so all is computed in f32");
  for (const std::string& table : task::tables_by_rows(run.engine().runners().front()->plan().graph))
    say(events.log, LogLevel::note,
        fmt::format("{} is large: only the rows that a step takes are updated, and their moments with them",
                    table));
  return run;
}

Result<std::vector<budget::WayOut>> memory_ways_out(Run& run, const TrainRequest& request) {
  const int64_t needed = run.needed();
  const auto limit = memory_limit(run.asked.recipe.budget, run.site);
  const auto total_of = [&](const task::Recipe& recipe) { return compile_again(run, request, recipe); };
  std::optional<budget::WayOut> without_report;
  if (limit && needed > *limit && needed - run.witness_bytes <= *limit) {
    const int64_t witness = std::exchange(run.witness_bytes, 0);
    const auto total = total_of(run.asked.recipe);
    run.witness_bytes = witness;
    if (!total && total.error().kind != ErrorKind::budget) return fail(total.error());
    if (total && *total <= *limit)
      without_report = {"--report none",          human_bytes(*total),         kNoReport,
                        budget::Resource::memory, static_cast<double>(*total), true};
  }
  auto ways =
      budget::ways_out(run.asked, needed, limit, total_of, budget::kMostWays - (without_report ? 1 : 0));
  // The model stays as it is: that is the cheapest.
  if (ways && without_report) ways->insert(ways->begin(), std::move(*without_report));
  return ways;
}

Status take_memory(Run& run, const TrainRequest& request, RunTime& time, const TrainEvents& events,
                   bool always) {
  if (run.site.elsewhere) {
    rates_by_formula(run, time.rates());
    return fit_time(run, request, time, events.log);
  }
  if (auto ok = hold(run); !ok) return ok;
  time.lap(Stage::compiling);
  const task::Trainer& trainer = run.job.recipe.trainer;
  if (always || time.deadline || trainer.open_ended())
    if (auto ok = rehearse(run, time); !ok) return ok;
  time.lap(Stage::rehearsing);
  if (auto ok = fit_time(run, request, time, events.log); !ok) return ok;
  if (run.beginning)
    if (auto ok = start_from(*run.beginning, run.engine()); !ok) return ok;
  run.beginning.reset();
  if (run.weights && !run.planned_only)
    if (auto ok = run.weights->read_into(run.engine(), events.log); !ok) return ok;
  run.weights.reset();
  return {};
}

Status make_features(Run& run, const TrainRequest& request, RunTime& time, const LogSink& log) {
  if (!keeps_features(run.data)) return {};
  const int64_t rows = feature_rows(run.data);
  say(log, LogLevel::note,
      fmt::format("what the frozen encoder makes of {} is computed once, before the first epoch",
                  count_of(rows, "row")));
  const double begun = run_clock().seconds();
  const auto go_on = [&]() -> Status {
    if (request.stop && request.stop->load(std::memory_order_relaxed))
      return fail(ErrorKind::interrupted, "stopped before training began", {}, "");
    if (time.deadline && time.deadline->left() < time.deadline->closing())
      return too_little_time(run.job.recipe.budget, time.deadline->limit(),
                             "and what the frozen encoder makes of the rows takes longer to compute",
                             3 * time.deadline->limit());
    return {};
  };
  if (auto ok = compute_features(run.engine(), run.data, go_on); !ok) return ok;
  if (time.deadline) time.deadline->set_ahead(0);
  say(log, LogLevel::note, fmt::format("that took {}", human_seconds(run_clock().seconds() - begun)));
  return {};
}

Estimate plan_time(Run& run, const TrainRequest& request, RunTime& time) {
  Estimate planned = estimate(run.engine(), run.best, run.data, run.horizon, *run.rates);
  time.times.steps_wanted = run.most_steps;
  plan_times(
      {.horizon = run.horizon,
       .evaluated_rows =
           run.data.count(task::SplitName::validation) +
           (run.job.recipe.trainer.evaluate_training_set ? run.data.count(task::SplitName::training) : 0),
       .finish = finish_of(run, request),
       .checkpoint_bytes =
           request.save_checkpoints ? run.engine().layout().bytes() + BestModel::bytes_for(run.engine()) : 0,
       .save_seconds = request.save_seconds,
       .step_by_formula = planned.seconds_per_step,
       .row_by_formula = planned.seconds_per_evaluated_row,
       .feature_rows = feature_rows(run.data),
       .feature_by_formula = planned.seconds_per_feature_row},
      time.rates(), time.times);
  run.ledger.time = ledger_time(time.times);
  if (time.deadline)
    run.ledger.time.p90_s = std::max(run.ledger.time.p50_s,
                                     std::min(run.ledger.time.p90_s, time.deadline->limit()));  // it is kept
  if (time.rates().step.any())
    planned.seconds = time.times.of(Stage::training).p50 + time.times.of(Stage::evaluating).p50;
  planned.seconds += time.times.of(Stage::features).p50;
  return planned;
}

}  // namespace shoestring::train
