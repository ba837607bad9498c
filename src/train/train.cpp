#include "train/train.h"

#include <filesystem>

#include "base/atomic_file.h"
#include "base/text.h"
#include "train/answering.h"
#include "train/finish.h"
#include "train/made_recipe.h"
#include "train/metrics_log.h"
#include "train/run_files.h"
#include "train/set_up.h"
#include "train/ways_out.h"

namespace shoestring::train {
namespace {

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

Result<TrainOutcome> carry_out(Run& run, const TrainRequest& request, RunTime& time,
                               const TrainEvents& events) {
  const RunFolder& folder = *run.job.folder;
  budget::Deadline* const deadline = time.deadline ? &*time.deadline : nullptr;
  const Estimate planned = plan_time(run, request, time);
  find_binding(run.job.recipe.budget, run.site, run.ledger);
  const double writing = run_clock().seconds();
  if (auto ok = write_down(run, request, planned); !ok) return fail(ok.error());
  if (deadline && request.save_description)  // two small files, each synced
    deadline->rates().saved(0, (run_clock().seconds() - writing) / 2);
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
    double begun = run_clock().seconds();
    const auto saved = [&](int64_t bytes) {
      const double now = run_clock().seconds();
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
  time.lap(Stage::compiling);
  if (auto ok = make_features(run, request, time, events.log); !ok) return fail(ok.error());
  time.lap(Stage::features);
  Evaluator evaluator = evaluator_of(run);
  const task::Trainer& trainer = run.job.recipe.trainer;
  Loop loop(run.engine(), run.data, evaluator, run.best,
            {.trainer = trainer,
             .batch = run.batch(),
             .horizon = run.horizon,
             .seed = run.job.seed,
             .most_steps = run.most_steps,
             .open_end = trainer.open_ended()},
            std::move(hooks));
  constexpr int64_t kMostAhead = 16 << 20;  // a time limit may end it long before its last step
  run.position.history.reserve(static_cast<size_t>(std::min(run.ledger.memory.of_line("log"), kMostAhead)));
  loop.restore(std::move(run.position));
  time.lap(Stage::compiling);
  auto ending = loop.run();
  if (!ending) return fail(ending.error());
  time.laps.lap();
  time.times.of(Stage::training).took = loop.seconds() - loop.evaluating_seconds() - loop.saving_seconds();
  time.times.of(Stage::evaluating).took = loop.evaluating_seconds();
  time.times.of(Stage::saving).took = loop.saving_seconds();
  time.times.steps_done = loop.position().step;
  time.times.feed = loop.feed();
  if (time.times.feed)
    if (const std::string note = feed_note(*time.times.feed, run.data.file != nullptr); !note.empty())
      say(events.log, LogLevel::note, note);

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
Failure too_late(const TrainRequest& request, const RunTime& time) {
  const double limit = time.deadline->limit();
  return too_little_time(budget_of(request).value_or(task::Budget()), limit,
                         "and reading and compiling alone take longer", 3 * limit);
}

// The limit of a new run, as far as the request says it. (One that is resumed has its own.)
std::optional<double> limit_of(const TrainRequest& request) {
  const auto budget = budget_of(request);  // refused by new_job() where it is wrong
  return budget ? time_limit(*budget, request.site) : std::nullopt;
}

}  // namespace

Result<Planned> plan(const TrainRequest& request, const TrainEvents& events) {
  RunTime time(request.started.value_or(run_clock().seconds()));
  time.lap(Stage::starting);
  auto job = new_job(request, events.log);
  if (!job) return fail(job.error());
  if (const auto limit = time_limit(job->recipe.budget, request.site))
    time.limit_to(time.started + *limit, *limit);
  auto run = prepare_run(std::move(*job), request, time, events, true);
  if (!run) return fail(run.error());
  if (auto ok = plan_answering(run->engine(), run->data, run->ledger); !ok) return fail(ok.error());
  run->ledger.machine = described(request.site, run->compiled->options.target);
  const task::Trainer& trainer = run->job.recipe.trainer;
  const bool rehearses = time.deadline || trainer.open_ended();  // train itself
  Status fits = within(run->job.recipe.budget, request.site, run->ledger, run->needed());
  if (fits)
    if (auto ok = take_memory(*run, request, time, events, true); !ok) {
      if (ok.error().kind != ErrorKind::budget) return fail(ok.error());
      fits = std::move(ok);
    }
  if (!rehearses) time.times.of(Stage::rehearsing) = {};
  plan_time(*run, request, time);
  if (time.times.step_rehearsed > 0 && !request.site.elsewhere)
    say(events.log, LogLevel::note,
        fmt::format("rehearsed: a step takes {}; by the formula it would be {}",
                    human_seconds(time.times.step_rehearsed), human_seconds(time.times.step_by_formula)));
  if (time.rates().row.any())
    run->ledger.seconds_per_1000_predictions =
        seconds_of_answers(run->data, time.rates(), time.times.of(Stage::reading).took, 1000);
  if (auto ok = plan_costs(request.site, run->ledger); !ok) return fail(ok.error());
  find_binding(run->job.recipe.budget, request.site, run->ledger);
  if (run->ledger.ways_out.empty())
    if (auto ok = find_ways_out(*run, request, time); !ok) return fail(ok.error());
  return Planned{std::move(run->ledger), std::move(fits)};
}

Result<TrainOutcome> train(const TrainRequest& request, const TrainEvents& events) {
  RunTime time(request.started.value_or(run_clock().seconds()));
  time.lap(Stage::starting);
  Result<Job> job = fail(Error{});
  std::optional<budget::Alarm> alarm;
  TrainRequest before_training = request;
  if (request.resume.empty()) {
    if (const auto limit = limit_of(request)) {
      const double share = request.time_share * *limit;
      const double end = request.ends.value_or(time.started + share);
      time.limit_to(end, request.ends ? std::max(end - time.started, 1e-3) : share);
      alarm.emplace(time.deadline->left() - 0.05 * time.deadline->limit(), request.stop);
      before_training.stop = alarm->flag();
    }
    job = new_job(before_training, events.log);
    time.lap(Stage::reading);
    if (!job && alarm && alarm->rang()) return too_late(request, time);
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
    const auto of_budget = job ? time_limit(job->recipe.budget, request.site) : std::nullopt;
    if (of_budget) {
      const double limit = *of_budget;
      const double end = request.ends.value_or(time.started + limit);
      time.limit_to(end, std::max(end - time.started, 1e-3));
    }
  }
  if (!job) return fail(job.error());
  auto run = prepare_run(std::move(*job), before_training, time, events);
  if (!run && alarm && alarm->rang() && run.error().kind == ErrorKind::interrupted)
    return too_late(request, time);
  if (!run) return fail(run.error());
  if (auto ok = within(run->job.recipe.budget, request.site, run->ledger, run->needed()); !ok)
    return fail(ok.error());
  if (auto ok = take_memory(*run, request, time, events); !ok) {
    if (alarm && alarm->rang() && ok.error().kind == ErrorKind::interrupted) return too_late(request, time);
    return fail(ok.error());
  }
  if (alarm) alarm->stop();
  if (!run->job.folder) {
    auto folder = RunFolder::create(request.output_directory, request.experiment, request.model);
    if (!folder) return fail(folder.error());
    run->job.folder = std::move(*folder);
  }
  return carry_out(*run, request, time, events);
}

}  // namespace shoestring::train
