#include "train/finish.h"

#include <filesystem>

#include "base/atomic_file.h"
#include "train/answers.h"
#include "train/blend.h"
#include "train/remarks.h"
#include "train/run_files.h"

namespace shoestring::train {
namespace {

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
  measure(run, evaluator, answers ? &*answers : nullptr, deadline, outcome);
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
    if (evaluated)
      if (auto ok = write_file(folder.test_statistics(), to_json(*evaluated, 2) + "\n", false); !ok)
        return ok;
    if (auto ok = write_training_statistics(folder.training_statistics(), outcome, position); !ok) return ok;
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

}  // namespace shoestring::train
