#include "train/finish.h"

#include <filesystem>

#include "base/atomic_file.h"
#include "budget/prices.h"
#include "train/answers.h"
#include "train/blend.h"
#include "train/remarks.h"
#include "train/run_files.h"
#include "train/shares.h"

namespace shoestring::train {
namespace {

// Whose answers the witness sees: those that are written, or else those that the model was least fitted to.
task::SplitName shown_split(const Run& run) {
  for (const auto split : {run.job.eval_split, task::SplitName::test, task::SplitName::validation})
    if (run.data.count(split) > 0) return split;
  return task::SplitName::training;
}

// Shows the run to the witness, where there is time for it.
Status show(Run& run, const TrainRequest& request, const Position& position, const RunTime& time,
            const LogSink& log, TrainOutcome& outcome) {
  const Witness& witness = request.witness;
  if (!witness.ended) return {};
  if (const auto& deadline = time.deadline;
      deadline && deadline->left() < witness.seconds + 2 * deadline->rates().save_seconds(0)) {
    say(log, LogLevel::note, "there is no report: the time was short");
    return {};
  }
  Ended ended{.data = run.data,
              .ledger = run.ledger,
              .times = outcome.times,
              .position = position,
              .outcome = outcome,
              .answered = shown_split(run),
              .parameters = parameter_count(run.engine().layout()),
              .rows_per_step = static_cast<double>(run.data.count(task::SplitName::training)) /
                               static_cast<double>(run.horizon.steps_per_epoch),
              .seed = run.job.seed,
              .evaluation = &run.evaluation()};
  const Target& target = run.compiled->options.target;
  run.ledger.machine = described(request.site, target);
  if (const auto prices = prices_at(request.site)) {
    const auto spent = [&](double seconds) {
      const auto costs =
          budget::cost_of({seconds, double(target.threads), run.ledger.memory.total_bytes}, **prices);
      run.ledger.priced_as = costs.instance;
      return Spent{costs.usd, costs.energy_wh};
    };
    ended.planned = spent(run.ledger.time.p50_s);
    ended.spent = spent(outcome.times.took());
  }
  if (can_train_on_shares(run))
    ended.of_share = [&](double share) {
      constexpr double kOfRest = 0.7;  // then it is measured
      const double seconds =
          time.deadline ? kOfRest * time.deadline->left() : std::numeric_limits<double>::infinity();
      return train_on_share(run, share, position.step, ended.answered, seconds, request.stop);
    };
  if (time.deadline) ended.seconds_left = time.deadline->left();
  auto wrote = witness.ended(ended);
  if (!wrote) return fail(wrote.error());
  outcome.report = std::move(*wrote);
  return {};
}

// Measures the best model on every split; the answers of the rows to evaluate on go to `answers` where it is
// set and the witness sees them, each row once. Where the time is short, it is some of the training rows.
// What was taken for what among the rows to evaluate on is returned.
std::vector<Confusion> measure(const Run& run, Evaluator& evaluator, data::RowWriter* answers,
                               const Witness& witness, const std::optional<budget::Deadline>& deadline,
                               TrainOutcome& outcome) {
  const Dataset& data = run.data;
  const Answers columns(data.spec, data.fits);
  std::optional<uint32_t> before;
  std::vector<Confusion> confusions;
  const auto write = [&](const RowsAt& batch, const Ports& ports) {
    for (size_t i = 0; answers && i < batch.rows.size(); ++i) {
      if (before != batch.rows[i]) columns.write(ports, static_cast<int64_t>(i), *answers);
      before = batch.rows[i];
    }
  };
  const auto show = [&](const RowsAt& batch, const Ports& ports) {
    if (witness.answered) witness.answered(shown_split(run), data, batch, ports);
  };
  const auto measured = [&](task::SplitName split) -> std::optional<Metrics> {
    if (data.count(split) == 0) return std::nullopt;
    const bool writes = split == run.job.eval_split, shows = split == shown_split(run);
    const bool chooses = split == task::SplitName::validation && !shows && witness.choosing;
    if (!writes && !shows && !chooses) return evaluator.evaluate(split);
    Metrics metrics = evaluator.evaluate(split, [&](const RowsAt& batch, const Ports& ports) {
      if (writes) write(batch, ports);
      if (shows) show(batch, ports);
      if (chooses) witness.choosing(data, batch, ports);
    });
    if (writes) confusions = evaluator.confusions();
    return metrics;
  };
  outcome.validation = measured(task::SplitName::validation);
  outcome.test = measured(task::SplitName::test);
  if (!deadline || run.job.eval_split == task::SplitName::training) {
    outcome.training = measured(task::SplitName::training);
    return confusions;
  }
  const int64_t rows = data.count(task::SplitName::training), fit = deadline->rows_that_fit(rows);
  if (fit == 0) return confusions;
  std::atomic<bool> late{false};
  auto metrics = evaluator.evaluate(task::SplitName::training,
                                    [&](const RowsAt& batch, const Ports& ports) {
                                      if (shown_split(run) == task::SplitName::training) show(batch, ports);
                                      if (deadline->left() < deadline->closing()) late = true;
                                    },
                                    {.every = (rows + fit - 1) / fit, .stop = &late});
  if (!late) outcome.training = std::move(metrics);
  return confusions;
}

}  // namespace

Status save_best(Run& run, const Metrics* held_out, std::string name) {
  const ModelNotes notes{run.job.seed, run.best.step(), run.data.count(task::SplitName::training), held_out,
                         std::move(name)};
  auto ok = save_model(run.job.folder->model(), run.data.spec, run.data.fits, run.best, notes);
  if (ok) run.best.saved();
  return ok;
}

Status finish(Run& run, Evaluator& evaluator, const TrainRequest& request, const Position& position,
              RunTime& time, const LogSink& log, TrainOutcome& outcome) {
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
  auto confusions =
      measure(run, evaluator, answers ? &*answers : nullptr, request.witness, deadline, outcome);
  if (auto ok = run.data.fault(); !ok) return ok;
  if (!outcome.training || outcome.training->rows < run.data.count(task::SplitName::training))
    say(log, LogLevel::note,
        fmt::format("the metrics on the training rows are of {} of them: the time was short",
                    outcome.training ? std::to_string(outcome.training->rows) : "none"));
  if (outcome.training)
    outcome.remarks =
        remarks(run.data, course(position), *outcome.training, outcome.held_out(), outcome.held_out_name());
  // Answers for which the disk had no room leave it to the model.
  if (answers && !answers->status()) answers = fail(answers->status().error());
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
    if (evaluated) {
      Metrics whole = *evaluated;
      whole.confusions = std::move(confusions);
      if (auto ok = write_file(folder.test_statistics(), to_json(whole, 2) + "\n", false); !ok) return ok;
    }
    if (auto ok = write_training_statistics(folder.training_statistics(), outcome, position); !ok) return ok;
  }
  time.lap(Stage::finishing);
  outcome.times = time.times;
  if (auto ok = show(run, request, position, time, log, outcome); !ok) return ok;
  time.lap(Stage::finishing);
  outcome.times = time.times;
  if (request.save_statistics)
    if (auto ok = write_file(folder.planned_against_actual(), to_json(time.times), false); !ok) return ok;
  if (auto ok = folder.finish(); !ok) return ok;
  std::error_code ec;
  std::filesystem::remove(folder.checkpoint(), ec);
  return {};
}

}  // namespace shoestring::train
