#include "cli/cross_validate.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>

#include "base/text.h"
#include "report/folds.h"
#include "task/metric_table.h"

namespace shoestring::cli {
namespace {

constexpr size_t kScreen = 100;  // columns

std::string json_number(double value) { return std::isfinite(value) ? fmt::format("{}", value) : "null"; }

// A row for each metric; a column for each fold where that fits on a screen.
std::string table_of(const train::CrossValidation& result, bool with_folds) {
  std::vector<std::vector<std::string>> rows{{"output", "metric", "mean", "std"}};
  for (int64_t fold = 1; with_folds && fold <= result.folds; ++fold)
    rows[0].push_back(fmt::format("fold {}", fold));
  const std::string* output = nullptr;
  for (const auto& metric : result.values) {
    rows.push_back({output && metric.output == *output ? "" : metric.output, metric.name,
                    human_metric(metric.mean), human_metric(metric.deviation)});
    output = &metric.output;
    for (size_t fold = 0; with_folds && fold < metric.of_fold.size(); ++fold)
      rows.back().push_back(human_metric(metric.of_fold[fold]));
  }
  return table(rows);
}

std::string table_of(const train::CrossValidation& result) {
  std::string text = table_of(result, true);
  size_t widest = 0;
  for (size_t at = 0; at < text.size(); at = text.find('\n', at) + 1)
    widest = std::max(widest, text.find('\n', at) - at);
  return widest < kScreen ? text : table_of(result, false);
}

// "roc_auc .9012": of each output the metric that it is usually judged by.
std::string summary(const std::vector<task::OutputFeature>& outputs, const train::Metrics& metrics) {
  std::string text;
  for (const auto& output : outputs) {
    const std::string_view metric = task::default_metric(output.type());
    text += fmt::format("  {} {}", metric, human_metric(metrics.value(output.name, metric)));
    if (outputs.size() > 1) text += fmt::format(" of '{}'", output.name);
  }
  return text;
}

std::string event_of(const train::CrossValidation& result) {
  std::string metrics;
  for (const auto& metric : result.values) {
    std::string folds;
    for (const double value : metric.of_fold) folds += (folds.empty() ? "" : ",") + json_number(value);
    metrics += fmt::format(R"({}{{"output":{},"metric":{},"mean":{},"std":{},"folds":[{}]}})",
                           metrics.empty() ? "" : ",", quoted(metric.output), quoted(metric.name),
                           json_number(metric.mean), json_number(metric.deviation), folds);
  }
  return fmt::format(R"({{"event":"end","ending":"finished","folder":{},"folds":{},"metrics":[{}]}})",
                     quoted(result.folder), result.folds, metrics);
}

}  // namespace

int cross_validate(train::TrainRequest request, int64_t folds, report::Level report_level, Console& console) {
  int64_t at = 1;
  std::vector<task::OutputFeature> outputs;
  std::set<std::string, std::less<>> said;  // each fold reads the same table
  train::TrainEvents events{
      .prepared =
          [&](const train::Dataset& data) {
            if (outputs.empty())
              console.line(fmt::format(
                  "data    {} rows in {} folds; of fold {}, {} train, {} validate, {} test\n", data.rows,
                  folds, at, data.training.size(), data.validation.size(), data.test.size()));
            outputs = data.spec.recipe.outputs;
          },
      .progress =
          [&](const train::Progress& p) {
            console.progress({fmt::format("fold {}/{}", at, folds),
                              fmt::format("step {}/{}", p.step, p.total_steps),
                              fmt::format("loss {:.4f}", p.loss), human_seconds(p.seconds_left) + " left"});
          },
      .log =
          [&](LogLevel level, std::string_view text) {
            if (said.emplace(text).second) console.sink()(level, text);
          }};
  report::Reporter reporter(report_level);
  reporter.watch(request, events);
  const auto result =
      train::cross_validate(request, folds, events, [&](int64_t fold, const train::TrainOutcome& outcome) {
        at = fold + 1;
        if (outcome.already_finished) {
          console.line(fmt::format("fold {}/{}  done before", fold, folds));
        } else {
          console.line(fmt::format("fold {}/{}  {} steps in {}, best at {}{}", fold, folds, outcome.steps,
                                   human_seconds(outcome.seconds), outcome.best_step,
                                   outcome.test ? summary(outputs, *outcome.test) : ""));
        }
        console.event(fmt::format(R"({{"event":"fold","fold":{},"folder":{},"steps":{}{}}})", fold,
                                  quoted(outcome.folder), outcome.steps,
                                  outcome.test ? ",\"test\":" + train::to_json(*outcome.test) : ""));
      });
  if (!result) return report(result.error());
  if (result->interrupted) {
    console.line(fmt::format("\nstopped in fold {} of {}", at, folds));
    console.sentence(fmt::format("  go on with: shoestring experiment --k_fold {} --model_resume_path {}",
                                 folds, result->folder));
    console.event(fmt::format(R"({{"event":"end","ending":"interrupted","fold":{},"folder":{}}})", at,
                              quoted(result->folder)));
    return static_cast<int>(ErrorKind::interrupted);
  }
  console.line(fmt::format("\nof the rows that each fold was not trained on:\n\n{}", table_of(*result)));
  console.sentence(fmt::format("each fold's metrics: {}/kfold_training_statistics.json", result->folder));
  if (report_level != report::Level::none) {
    const auto page = report::write_folds(*result);
    if (!page) return report(page.error());
    console.sentence("report: " + *page);
  }
  console.event(event_of(*result));
  return result->out_of_time ? static_cast<int>(ErrorKind::stopped) : 0;
}

}  // namespace shoestring::cli
