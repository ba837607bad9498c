#include "train/train.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>

#include "base/atomic_file.h"
#include "base/clock.h"
#include "base/parallel.h"
#include "base/text.h"
#include "budget/fitting.h"
#include "task/metric_table.h"
#include "task/table_rows.h"
#include "train/answers.h"
#include "train/blend.h"
#include "train/infer.h"
#include "train/job.h"
#include "train/made_recipe.h"
#include "train/metrics_log.h"
#include "train/planning.h"
#include "train/read_tables.h"
#include "train/remarks.h"
#include "train/run_files.h"
#include "train/start_from.h"

namespace shoestring::train {
namespace {

void say(const LogSink& log, LogLevel level, std::string_view text) {
  if (log) log(level, text);
}

// The plans of a run and what they were compiled for.
struct Compiled {
  task::BatchSizes batch;
  CompileOptions options;
  Engine engine;
};

const SteadyClock kSteady;

// The time of a run: its limit, if it has one, and where it goes.
struct Time {
  explicit Time(double began) : started(began), laps(began) {}
  void limit_to(double end, double seconds) {
    deadline.emplace(kSteady, end, seconds);
    times.limit = seconds;
  }
  void lap(Stage stage) { times.of(stage).took += laps.lap(); }

  double started;
  Laps laps;
  Times times;
  budget::Rates rehearsed;  // where there is no deadline to hold them
  std::optional<budget::Deadline> deadline;
  budget::Rates& rates() { return deadline ? deadline->rates() : rehearsed; }
};

// Everything in memory that a run trains with.
struct Run {
  Job job;
  Dataset data;
  std::optional<SavedModel> beginning;
  std::optional<Compiled> compiled;
  Horizon horizon = {};
  budget::Ledger ledger = {};
  int64_t most_steps = 0;  // what the recipe asks for
  BestModel best = {};
  Position position = {};

  Engine& engine() { return compiled->engine; }
  const Engine& engine() const { return compiled->engine; }
  const task::BatchSizes& batch() const { return compiled->batch; }
  Runner& evaluation() {
    for (const auto& runner : engine().runners())
      if (runner->request().kind == PlanKind::evaluate) return *runner;
    std::abort();  // plans_for() always asks for one
  }
};

// The table, and its files' checksums for the description.
Result<Dataset> read_data(const Job& job, const SavedModel* start_from, const TrainRequest& request,
                          const LogSink& log) {
  auto data = prepare(job.data, job.recipe,
                      {.seed = job.seed,
                       .log = log,
                       .start_from = start_from,
                       .stop = request.stop,
                       .from_file = request.from_file});
  if (!data) return data;
  if (start_from)
    data->files.push_back({*find_model(job.load), static_cast<int64_t>(start_from->file.bytes->size()), 0});
  if (auto ok = add_checksums(data->files); !ok) return fail(ok.error());
  return data;
}

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

// Compiles the plans of the recipe as it is, and fills the ledger.
Status compile_run(Run& run, CompileOptions options) {
  const task::Trainer& trainer = run.job.recipe.trainer;
  task::NetworkSpec& spec = run.data.spec;
  const int64_t rows = run.data.count(task::SplitName::training);
  options.precision = training_precision(trainer, options);
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
  const int64_t history = history_bytes(run.job.recipe, run.horizon);
  run.ledger.memory = planned_memory(run.engine(), run.data, {*initial, history});
  run.ledger.disk_bytes = planned_disk(run.engine(), run.data, history);
  find_binding(run.job.recipe.budget, run.ledger);
  return {};
}

// The same, values of the forward part being computed again where the recipe says so: as few as it takes.
Status compile_run(Run& run, const TrainRequest& request) {
  if (auto ok = compile_run(run, compile_options(request)); !ok) return ok;
  if (!run.job.recipe.trainer.enable_gradient_checkpointing.or_else(false)) return {};
  CompileOptions options = compile_options(request);
  options.arena_limit_bytes = 1;
  if (const auto limit = memory_limit(run.job.recipe.budget)) {
    const int64_t over = least_of(run.ledger) - *limit;
    if (over <= 0) return {};
    constexpr int64_t kOfCompiling = 1 << 20;  // what the second time leaves in the process
    options.arena_limit_bytes = std::max<int64_t>(run.engine().arena_bytes() - over - kOfCompiling, 1);
  }
  run.compiled.reset();
  return compile_run(run, std::move(options));
}

// What the time is kept for once training has ended.
budget::Finish finish_of(const Run& run, const TrainRequest& request) {
  return finish_of(run.engine(), run.data,
                   {.predictions = request.save_predictions,
                    .model = request.save_model,
                    .predicted_rows = run.data.count(run.job.eval_split)});
}

Evaluator evaluator_of(Run& run) { return {run.evaluation(), run.data}; }

// Runs some steps for their times, which are the run's rates from now on; then all states are as if none had
// been.
Status rehearse(Run& run, Time& time) {
  Evaluator evaluator = evaluator_of(run);
  Loop loop(run.engine(), run.data, evaluator, run.best,
            {run.job.recipe.trainer, run.batch(), run.horizon, run.job.seed}, {});
  loop.rehearse(time.rates(),
                rehearsal_seconds(time.deadline ? std::max(time.deadline->left(), 0.0) : kUsualSeconds));
  return run.engine().initialize(run.job.seed, run.compiled->options);
}

// Fits the run into its time, or chooses the epochs where the recipe leaves that to us. ErrorKind::budget
// where not even one step fits.
Status fit_time(Run& run, const TrainRequest& request, Time& time, const LogSink& log) {
  task::Trainer& trainer = run.job.recipe.trainer;
  const bool open = trainer.epochs.is_auto() && !trainer.train_steps;
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
  deadline.set_checkpoint(request.save_checkpoints ? run.engine().layout().bytes() + 2 * run.best.bytes() : 0,
                          request.save_seconds);
  if (run.job.resumed) return {};  // goes on with what its checkpoint says
  run.horizon = fit_horizon(trainer, run.horizon, deadline);
  if (run.horizon.total_steps < 1) {
    const double needed = deadline.used() + deadline.finishing() + deadline.rates().evaluation.slow() +
                          2 * deadline.rates().step.slow() + 0.1;
    return fail(
        ErrorKind::budget,
        fmt::format("budget.time is {}, of which {} are used, a step takes {}, and evaluating and saving "
                    "the model {}",
                    human_seconds(deadline.limit()), human_seconds(deadline.used()),
                    human_seconds(deadline.rates().step.typical()),
                    human_seconds(deadline.finishing() + deadline.rates().evaluation.slow())),
        "budget.time", fmt::format("give at least {:.1f}s", 1.2 * needed));
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

// Everything that is known before memory for the plans is taken.
// `find_ways`: fills the ledger's ways_out even where the budget holds.
Result<Run> prepare_run(Job job, const TrainRequest& request, Time& time, const TrainEvents& events,
                        bool find_ways = false) {
  std::optional<SavedModel> beginning;
  if (!job.load.empty()) {
    auto model = load_model(job.load);
    if (!model) return fail(model.error());
    beginning = std::move(*model);
  }
  auto data = read_data(job, beginning ? &*beginning : nullptr, request, events.log);
  time.lap(Stage::reading);
  if (!data) return fail(data.error());
  if (job.before)
    if (auto ok = same_files(*job.before, data->files); !ok) return fail(ok.error());
  if (request.eval_split && data->count(job.eval_split) == 0)
    return fail(ErrorKind::data, fmt::format("there are no {} rows to evaluate on", name_of(job.eval_split)),
                data->files.front().path, "give some, or choose another --eval_split");
  if (auto ok = can_answer(*data, job.eval_split, request); !ok) return fail(ok.error());
  const int64_t rows = data->count(task::SplitName::training);
  const task::Trainer& trainer = job.recipe.trainer;
  const auto& plateau = trainer.learning_rate_scheduler;
  if (plateau.reduce_on_plateau > 0)
    for (const task::SplitName split : {task::SplitName::validation, task::SplitName::test})
      if (plateau.reduce_eval_split == split && data->count(split) == 0)
        say(events.log, LogLevel::warning,
            "reduce_eval_split has no rows: reduce_on_plateau watches the training rows instead");
  constexpr int64_t kManyMembers = 64;
  if (const int64_t members = task::member_count(data->spec.recipe); members > kManyMembers)
    say(events.log, LogLevel::warning,
        fmt::format(
            "an ensemble of {} costs the time and memory of as many networks; beyond some tens they seldom "
            "answer better",
            count_of(members, "member")));
  if (events.prepared) events.prepared(*data);

  Run run{.job = std::move(job), .data = std::move(*data), .beginning = std::move(beginning), .compiled = {}};
  if (auto ok = compile_run(run, request); !ok) return fail(ok.error());
  const std::optional<int64_t> limit = memory_limit(run.job.recipe.budget);
  const budget::Measure measure = [&](const task::Recipe& recipe) -> Result<int64_t> {
    run.compiled.reset();  // its memory is for the next
    give_back_memory();
    run.job.recipe = run.data.spec.recipe = recipe;
    if (auto ok = compile_run(run, request); !ok) return fail(ok.error());
    return least_of(run.ledger);
  };
  const int64_t total = least_of(run.ledger);
  std::vector<budget::Choice> choices;
  int64_t least = 0;
  if (limit && total > *limit) {
    const task::Recipe as_written = run.job.recipe;
    auto fitted = budget::fit(as_written, rows, *limit, measure);
    if (!fitted) return fail(fitted.error());
    const bool fits = fitted->total_bytes <= *limit;
    least = fitted->total_bytes;
    if (const auto after = measure(fits ? fitted->recipe : as_written); !after) return fail(after.error());
    if (fits) choices = std::move(fitted->choices);
    for (const budget::Choice& choice : choices)
      say(events.log, LogLevel::note,
          fmt::format("to fit {}: {} (saves {}; price: {})", human_bytes(*limit), choice.change,
                      human_bytes(choice.saved_bytes), choice.price));
  }
  if (find_ways || (limit && least_of(run.ledger) > *limit)) {
    const task::Recipe recipe = run.job.recipe;
    const budget::Ledger as_it_is = run.ledger;  // trials leave traces in the process
    time.lap(Stage::compiling);
    auto ways = budget::ways_out(recipe, rows, least_of(run.ledger), limit, measure);
    if (!ways) return fail(ways.error());
    if (const auto after = measure(recipe); !after) return fail(after.error());
    run.ledger = as_it_is;
    run.ledger.ways_out = std::move(*ways);
    time.laps.lap();  // no part of training
  }
  run.ledger.choices = std::move(choices);
  run.ledger.least_bytes = least;
  if (run.job.recipe.trainer.use_mixed_precision && run.compiled->options.precision.products == DType::f32)
    say(events.log, LogLevel::warning,
        "use_mixed_precision: bf16 products are not faster on this machine, so all is computed in f32");
  for (const std::string& table : task::tables_by_rows(run.engine().runners().front()->plan().graph))
    say(events.log, LogLevel::note,
        fmt::format("{} is large: only the rows that a step takes are updated, and their moments with them",
                    table));
  return run;
}

// Takes the memory of the plans, fills it, and fits the run into its time. `always`: rehearses even where no
// time has to be fitted.
Status take_memory(Run& run, const TrainRequest& request, Time& time, const TrainEvents& events,
                   bool always = false) {
  if (auto ok = run.engine().reserve(); !ok) return ok;
  if (auto ok = run.engine().initialize(run.job.seed, run.compiled->options); !ok) return ok;
  auto best = BestModel::create(run.engine());
  if (!best) return fail(best.error());
  run.best = std::move(*best);
  time.lap(Stage::compiling);
  const task::Trainer& trainer = run.job.recipe.trainer;
  if (always || time.deadline || (trainer.epochs.is_auto() && !trainer.train_steps))
    if (auto ok = rehearse(run, time); !ok) return ok;
  time.lap(Stage::rehearsing);
  if (auto ok = fit_time(run, request, time, events.log); !ok) return ok;
  if (run.beginning)
    if (auto ok = start_from(*run.beginning, run.engine()); !ok) return ok;
  run.beginning.reset();
  return {};
}

// From the checkpoint, if there is one: states, position, best model.
Status restore(Run& run, const LogSink& log) {
  const RunFolder& folder = *run.job.folder;
  if (!run.job.resumed) return {};
  if (!file_exists(folder.checkpoint())) {
    say(log, LogLevel::note, fmt::format("{} has no checkpoint: it begins afresh", folder.path()));
    return {};
  }
  auto restored = read_checkpoint(folder.checkpoint(), run.engine(), run.best, run.job.seed);
  if (!restored) return fail(restored.error());
  if (!restored->note.empty()) say(log, LogLevel::warning, restored->note);
  run.position = std::move(restored->position);
  // The model file may be newer than the checkpoint: then the run will come to the same model again.
  if (file_exists(folder.model())) run.best.saved();
  return {};
}

Status write_down(Run& run, const TrainRequest& request, const Estimate& planned) {
  const RunFolder& folder = *run.job.folder;
  if (auto ok = write_file(folder.recipe(), task::render(run.job.recipe)); !ok) return ok;
  if (request.save_description) {
    const Description description{run.job.data, run.data.files, run.job.seed, run.job.load,
                                  run.job.eval_split};
    if (auto ok = write_file(folder.description(), to_json(description, run.data, planned)); !ok) return ok;
  }
  return request.save_model ? make_folders(folder.model_folder()) : Status();
}

Status save_best(Run& run, const Metrics* held_out, std::string name) {
  const ModelNotes notes{run.job.seed, run.best.step(), run.data.count(task::SplitName::training), held_out,
                         std::move(name)};
  auto ok = save_model(run.job.folder->model(), run.data.spec, run.data.fits, run.best, notes);
  if (ok) run.best.saved();
  return ok;
}

// Measures the best model on every split; the answers of the rows to evaluate on go to `answers` where it is
// set, each row once. Where the time is short, it is some of the training rows.
void measure(const Run& run, Evaluator& evaluator, data::RowWriter* answers,
             const std::optional<budget::Deadline>& deadline, TrainOutcome& outcome) {
  const Dataset& data = run.data;
  const Answers columns(data.spec, data.fits);
  std::optional<uint32_t> before;
  const auto write = [&](std::span<const uint32_t> batch, const Ports& ports) {
    for (size_t i = 0; answers && i < batch.size(); ++i) {
      if (before != batch[i]) columns.write(ports, static_cast<int64_t>(i), *answers);
      before = batch[i];
    }
  };
  const auto measured = [&](task::SplitName split) -> std::optional<Metrics> {
    if (data.count(split) == 0) return std::nullopt;
    return split == run.job.eval_split ? evaluator.evaluate(split, write) : evaluator.evaluate(split);
  };
  outcome.validation = measured(task::SplitName::validation);
  outcome.test = measured(task::SplitName::test);
  if (!deadline || run.job.eval_split == task::SplitName::training) {
    outcome.training = measured(task::SplitName::training);
    return;
  }
  const int64_t rows = data.count(task::SplitName::training), fit = deadline->rows_that_fit(rows);
  if (fit == 0) return;
  std::atomic<bool> late{false};
  auto metrics = evaluator.evaluate(task::SplitName::training,
                                    [&](std::span<const uint32_t>, const Ports&) {
                                      if (deadline->left() < deadline->closing()) late = true;
                                    },
                                    {.every = (rows + fit - 1) / fit, .stop = &late});
  if (!late) outcome.training = std::move(metrics);
}

// Everything that a finished run leaves: the model first, so that a full disk takes what can be made again.
Status finish(Run& run, Evaluator& evaluator, const TrainRequest& request, const Position& position,
              Time& time, const LogSink& log, TrainOutcome& outcome) {
  const RunFolder& folder = *run.job.folder;
  Result<data::RowWriter> answers = fail(Error{});
  const bool save_answers = request.save_predictions && run.data.count(run.job.eval_split) > 0;
  if (save_answers)
    answers = data::RowWriter::open(folder.predictions(), data::WriteKind::csv,
                                    Answers(run.data.spec, run.data.fits).columns());
  run.best.restore(run.engine());
  const auto& deadline = time.deadline;
  std::function<bool()> enough;
  if (deadline) enough = [&] { return deadline->left() < deadline->least_finishing(); };
  if (auto ok = fit_blend(run.engine(), run.data, task::SplitName::validation, run.batch().eval, enough); !ok)
    return ok;
  run.best.capture(run.engine(), run.best.step());
  measure(run, evaluator, answers ? &*answers : nullptr, deadline, outcome);
  if (auto ok = run.data.fault(); !ok) return ok;
  if (!outcome.training || outcome.training->rows < run.data.count(task::SplitName::training))
    say(log, LogLevel::note,
        fmt::format("the metrics on the training rows are of {} of them: the time was short",
                    outcome.training ? std::to_string(outcome.training->rows) : "none"));
  if (outcome.training)
    outcome.remarks =
        remarks(run.data, course(position), *outcome.training, outcome.held_out(), outcome.held_out_name());
  if (request.save_model) {
    if (auto ok = save_best(run, outcome.held_out(), outcome.held_out_name()); !ok) return ok;
  }
  if (save_answers && !answers) return fail(answers.error());
  if (save_answers)
    if (auto ok = answers->finish(false); !ok) return ok;
  if (request.save_statistics) {
    const auto& evaluated = run.job.eval_split == task::SplitName::training     ? outcome.training
                            : run.job.eval_split == task::SplitName::validation ? outcome.validation
                                                                                : outcome.test;
    if (evaluated)
      if (auto ok = write_file(folder.test_statistics(), to_json(*evaluated, 2) + "\n", false); !ok)
        return ok;
    if (auto ok = write_file(folder.training_statistics(), training_statistics(outcome, position), false);
        !ok)
      return ok;
  }
  time.lap(Stage::finishing);
  outcome.times = time.times;
  if (request.save_statistics)
    if (auto ok = write_file(folder.planned_against_actual(), to_json(time.times), false); !ok) return ok;
  if (auto ok = folder.finish(); !ok) return ok;
  std::error_code ec;
  std::filesystem::remove(folder.checkpoint(), ec);
  return {};
}

// What the run will take, and of its time what that goes on.
Estimate plan_time(Run& run, const TrainRequest& request, Time& time) {
  Estimate planned = estimate(run.engine(), run.best, run.data, run.horizon);
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
       .row_by_formula = planned.seconds_per_evaluated_row},
      time.rates(), time.times);
  run.ledger.time = ledger_time(time.times);
  if (time.deadline)
    run.ledger.time.p90_s = std::min(run.ledger.time.p90_s, time.deadline->limit());  // it is kept
  if (time.rates().step.any())
    planned.seconds = time.times.of(Stage::training).p50 + time.times.of(Stage::evaluating).p50;
  return planned;
}

Result<TrainOutcome> carry_out(Run& run, const TrainRequest& request, Time& time, const TrainEvents& events) {
  const RunFolder& folder = *run.job.folder;
  budget::Deadline* const deadline = time.deadline ? &*time.deadline : nullptr;
  const Estimate planned = plan_time(run, request, time);
  const double writing = kSteady.seconds();
  if (auto ok = write_down(run, request, planned); !ok) return fail(ok.error());
  if (deadline && request.save_description)  // two small files, each synced
    deadline->rates().saved(0, (kSteady.seconds() - writing) / 2);
  if (auto ok = restore(run, events.log); !ok) return fail(ok.error());
  if (deadline && run.position.fitted) {
    deadline->used_before(run.position.fitted->seconds_used);
    time.times.used_before = run.position.fitted->seconds_used;
  }
  if (events.started)
    events.started(
        {folder.path(), run.position.step > 0, run.position.step, planned, run.ledger, time.times});

  MetricsLog metrics;
  if (request.save_metrics) {
    auto opened = MetricsLog::open(folder.metrics(), run.position.history);
    if (!opened) return fail(opened.error());
    metrics = std::move(*opened);
  }
  LoopHooks hooks{.progress = events.progress,
                  .save_seconds = request.save_seconds,
                  .log = events.log,
                  .stop = request.stop,
                  .deadline = deadline};
  hooks.evaluated = [&](const Evaluation& e) -> Result<std::string> {
    if (events.evaluated) events.evaluated(e);
    std::string line = metrics_line(e);
    if (auto ok = metrics.append(line); !ok) return fail(ok.error());
    return line;
  };
  hooks.save = [&](const Position& position, BestModel& best) -> Status {
    double begun = kSteady.seconds();
    const auto saved = [&](int64_t bytes) {
      const double now = kSteady.seconds();
      if (deadline) deadline->rates().saved(bytes, now - begun);
      begun = now;
    };
    if (request.save_model && best.unsaved()) {
      if (auto ok = save_best(run, nullptr, {}); !ok) return ok;
      saved(best.bytes());
    }
    if (!request.save_checkpoints) return {};
    auto ok = write_checkpoint(folder.checkpoint(), run.engine(), best, position, run.job.seed);
    saved(run.engine().layout().bytes() + best.bytes());
    return ok;
  };
  Evaluator evaluator = evaluator_of(run);
  const task::Trainer& trainer = run.job.recipe.trainer;
  Loop loop(run.engine(), run.data, evaluator, run.best,
            {.trainer = trainer,
             .batch = run.batch(),
             .horizon = run.horizon,
             .seed = run.job.seed,
             .most_steps = run.most_steps,
             .open_end = trainer.epochs.is_auto() && !trainer.train_steps},
            std::move(hooks));
  loop.restore(run.position);
  time.lap(Stage::compiling);
  auto ending = loop.run();
  if (!ending) return fail(ending.error());
  time.laps.lap();
  time.times.of(Stage::training).took = loop.seconds() - loop.evaluating_seconds() - loop.saving_seconds();
  time.times.of(Stage::evaluating).took = loop.evaluating_seconds();
  time.times.of(Stage::saving).took = loop.saving_seconds();
  time.times.steps_done = loop.position().step;

  const Position& position = loop.position();
  TrainOutcome outcome{
      .ending = *ending, .folder = folder.path(), .model_path = request.save_model ? folder.model() : ""};
  outcome.can_resume = request.save_checkpoints;
  outcome.steps = position.step;
  outcome.best_step = run.best.step();
  outcome.skipped = position.skipped;
  outcome.seconds = loop.seconds();
  if (loop.seconds() > 0)
    outcome.samples_per_second = static_cast<double>(loop.steps_run()) / loop.seconds() *
                                 static_cast<double>(run.data.count(task::SplitName::training)) /
                                 static_cast<double>(run.horizon.steps_per_epoch);
  outcome.bad_node = loop.bad_node();
  if (*ending == Ending::finished || *ending == Ending::early_stopped || *ending == Ending::out_of_time)
    if (auto ok = finish(run, evaluator, request, position, time, events.log, outcome); !ok)
      return fail(ok.error());
  return outcome;
}

// Before training nothing looks at the time but this: reading and compiling are given up where they would use
// all of it.
Failure too_late(const Time& time) {
  return fail(ErrorKind::budget,
              fmt::format("budget.time is {}, and reading and compiling alone take longer",
                          human_seconds(time.deadline->limit())),
              "budget.time", fmt::format("give at least {:.1f}s", 3 * time.deadline->limit()));
}

// The limit of a new run, as far as the request says it. (One that is resumed has its own.)
std::optional<double> limit_of(const TrainRequest& request) {
  const auto budget = budget_of(request);  // refused by new_job() where it is wrong
  return budget ? time_limit(*budget) : std::nullopt;
}

}  // namespace

Result<Planned> plan(const TrainRequest& request, const TrainEvents& events) {
  Time time(request.started.value_or(kSteady.seconds()));
  time.lap(Stage::starting);
  auto job = new_job(request, events.log);
  if (!job) return fail(job.error());
  if (const auto limit = time_limit(job->recipe.budget)) time.limit_to(time.started + *limit, *limit);
  auto run = prepare_run(std::move(*job), request, time, events, true);
  if (!run) return fail(run.error());
  const task::Trainer& trainer = run->job.recipe.trainer;
  const bool rehearses = time.deadline || (trainer.epochs.is_auto() && !trainer.train_steps);  // train itself
  Status fits = within(run->job.recipe.budget, run->ledger);
  if (fits)
    if (auto ok = take_memory(*run, request, time, events, true); !ok) {
      if (ok.error().kind != ErrorKind::budget) return fail(ok.error());
      fits = std::move(ok);
    }
  if (!rehearses) time.times.of(Stage::rehearsing) = {};
  plan_time(*run, request, time);
  if (time.times.step_rehearsed > 0)
    say(events.log, LogLevel::note,
        fmt::format("rehearsed: a step takes {}; by the formula it would be {}",
                    human_seconds(time.times.step_rehearsed), human_seconds(time.times.step_by_formula)));
  if (auto ok = plan_costs(time.rates(), run->ledger); !ok) return fail(ok.error());
  find_binding(run->job.recipe.budget, run->ledger);
  return Planned{std::move(run->ledger), std::move(fits)};
}

Result<TrainOutcome> train(const TrainRequest& request, const TrainEvents& events) {
  Time time(request.started.value_or(kSteady.seconds()));
  time.lap(Stage::starting);
  Result<Job> job = fail(Error{});
  std::optional<budget::Alarm> alarm;
  TrainRequest before_training = request;
  if (request.resume.empty()) {
    if (const auto limit = limit_of(request)) {
      const double end = request.ends.value_or(time.started + *limit);
      time.limit_to(end, std::max(end - time.started, 1e-3));
      alarm.emplace(time.deadline->left() - 0.05 * time.deadline->limit(), request.stop);
      before_training.stop = alarm->flag();
    }
    job = new_job(before_training, events.log);
    time.lap(Stage::reading);
    if (!job && alarm && alarm->rang()) return too_late(time);
  } else {
    auto folder = RunFolder::open(request.resume);
    if (!folder) return fail(folder.error());
    if (folder->finished()) {
      const auto before = request.eval_split ? read_description(folder->description()) : fail(Error{});
      if (before && before->eval_split != *request.eval_split)
        return fail(ErrorKind::usage,
                    fmt::format("the run is finished, and its results are of the {} rows, not the {} rows",
                                name_of(before->eval_split), name_of(*request.eval_split)),
                    folder->path(),
                    fmt::format("evaluate --model_path {} --split {} measures those", folder->path(),
                                name_of(*request.eval_split)));
      // A run that was killed between its end and the last thing it does.
      std::error_code ec;
      std::filesystem::remove(folder->checkpoint(), ec);
      return TrainOutcome{.already_finished = true,
                          .folder = folder->path(),
                          .model_path = file_exists(folder->model()) ? folder->model() : ""};
    }
    job = resumed_job(std::move(*folder), request, events.log);
    const auto of_budget = job ? time_limit(job->recipe.budget) : std::nullopt;
    if (of_budget) {
      const double limit = *of_budget;
      const double end = request.ends.value_or(time.started + limit);
      time.limit_to(end, std::max(end - time.started, 1e-3));
    }
  }
  if (!job) return fail(job.error());
  auto run = prepare_run(std::move(*job), before_training, time, events);
  if (!run && alarm && alarm->rang() && run.error().kind == ErrorKind::interrupted) return too_late(time);
  if (!run) return fail(run.error());
  if (auto ok = within(run->job.recipe.budget, run->ledger); !ok) return fail(ok.error());
  if (auto ok = take_memory(*run, request, time, events); !ok) return fail(ok.error());
  if (alarm) alarm->stop();
  if (!run->job.folder) {
    auto folder = RunFolder::create(request.output_directory, request.experiment, request.model);
    if (!folder) return fail(folder.error());
    run->job.folder = std::move(*folder);
  }
  return carry_out(*run, request, time, events);
}

}  // namespace shoestring::train
