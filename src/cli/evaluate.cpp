// evaluate: measures a model on a table whose answers are known.
#include "base/atomic_file.h"
#include "cli/console.h"
#include "cli/inputs.h"
#include "cli/metrics_table.h"
#include "cli/options.h"
#include "cli/stop.h"
#include "cli/verbs.h"
#include "report/confusion.h"
#include "report/report.h"
#include "task/metrics.h"
#include "train/predict.h"
#include "train/remarks.h"
#include "train/run_files.h"

namespace shoestring::cli {

int evaluate(Arguments arguments) {
  train::EvaluateRequest r;
  std::string split = "full", folder = "results", logging_level;
  std::optional<int64_t> batch_size;
  std::string report_name = "normal";
  bool skip_statistics = false, skip_report = false, skip_predictions = false, skip_collect = false,
       skip_overall = false, quiet = false, json = false;
  const Options options{
      "evaluate",
      "measures a model on a table whose answers are known",
      {{"model-path", "m", "PATH", "model file, model folder or run folder", &r.model},
       {"dataset", "d", "FILES",
        "the table: CSV, TSV, JSON, Parquet, Feather, SQLite; or pictures: a folder of classes, .tar, .zip, "
        "IDX, NPY",
        &r.dataset},
       {"data-format", "", "FORMAT", "csv, tsv, json, jsonl, parquet, feather or sqlite; found by looking",
        &r.format},
       {"split", "s", "SPLIT", "only the rows that were in training, validation or test; full is all",
        &split},
       {"output-directory", "od", "FOLDER",
        "for test_statistics.json, predictions.csv and report.html (results)", &folder},
       {"batch-size", "bs", "N", "rows that are measured at a time; chosen if left out", &batch_size},
       {"skip-save-eval-stats", "", "", "no test_statistics.json", &skip_statistics},
       {"skip-save-predictions", "", "", "no predictions.csv", &skip_predictions},
       {"report", "", "LEVEL", "of report.html: none, normal or full (normal)", &report_name},
       {"skip-save-report", "", "", "no report: as --report none", &skip_report},
       {"skip-collect-predictions", "", "", "the same", &skip_collect},
       {"skip-collect-overall-stats", "", "", "changes nothing: they cost nothing", &skip_overall},
       {"logging-level", "l", "LEVEL", "critical, error, warning, info or debug; the first two are --quiet",
        &logging_level},
       {"quiet", "q", "", "say nothing but errors", &quiet},
       {"json", "", "", "the statistics as JSON on stdout", &json}},
      "  shoestring evaluate --model_path results/experiment_run --dataset test.csv"};
  if (const auto done = options.read(arguments)) return *done;
  if (r.model.empty() || r.dataset.empty())
    return report({ErrorKind::usage, "a model and a table are needed", "evaluate",
                   "give --model_path PATH and --dataset FILE"});
  const auto wanted = train::split_named(split);
  if (!wanted) return report(wanted.error());
  r.split = *wanted;
  if (auto ok = check_batch_rows(batch_size, "evaluate", "--batch_size"); !ok) return report(ok.error());
  r.batch_size = batch_size.value_or(0);
  auto level = report::level_named(report_name);
  if (!level) return report(level.error());
  if (skip_report) level = report::Level::none;
  const bool save_predictions = !skip_predictions && !skip_collect;
  if (save_predictions || !skip_statistics || *level != report::Level::none) r.folder = folder;
  if (save_predictions) r.predictions = folder + "/predictions.csv";

  Console console(quiet || json || logging_level == "critical" || logging_level == "error", false);
  r.stop = stop_flag(r.dataset);
  auto predictor = train::Predictor::load(r.model);
  if (!predictor) return report(predictor.error());
  const std::string rows_name = split == "full" ? "measured" : split;
  report::Reporter reporter(*level);
  reporter.watch(r, predictor->model(), folder, rows_name);
  const auto metrics = train::evaluate(*predictor, r, console.sink());
  if (!metrics) return report(metrics.error());
  if (!skip_statistics)
    if (auto ok = write_file(folder + "/test_statistics.json", train::to_json(*metrics, 2) + "\n", false);
        !ok)
      return report(ok.error());
  if (json) print(train::to_json(*metrics) + "\n");
  console.line(metrics_table({{split == "full" ? "all rows" : split, &*metrics}}));
  for (const train::Confusion& confusion : metrics->confusions)
    if (const std::string text = report::confusion_text(confusion, reading_columns()); !text.empty())
      console.line((metrics->confusions.size() > 1 ? confusion.output + ":\n" : "") + text);
  const auto training = split == "training" ? std::nullopt : train::training_metrics_of(r.model);
  const auto& model = predictor->model();
  for (const task::Fit& fit : model.fits.outputs)
    if (const auto* category = std::get_if<task::CategoryFit>(&fit);
        category && std::ssize(category->vocabulary) > task::CategoryMetrics::kConfusionClasses)
      console.paragraph(
          fmt::format("Which of the {} classes were taken for which is not counted: {} are the most.",
                      category->vocabulary.size(), task::CategoryMetrics::kConfusionClasses));
  for (const auto& remark :
       train::remarks_on(model.spec, model.fits, *metrics, rows_name, training ? &*training : nullptr))
    console.paragraph(remark);
  if (!skip_statistics) console.line(fmt::format("statistics  {}/test_statistics.json", folder));
  if (*level != report::Level::none) console.line(fmt::format("report      {}/report.html", folder));
  if (save_predictions) console.line(fmt::format("answers     {}", r.predictions));
  return 0;
}

}  // namespace shoestring::cli
