// All that a report says, as plain values: report.json is this record as JSON, and report.html shows nothing
// else.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "report/columns.h"
#include "report/importance.h"
#include "report/quality.h"
#include "train/cross_validate.h"
#include "train/evaluate.h"

namespace shoestring::report {

inline constexpr int kFormat = 1;  // of report.json

enum class Severity { good, note, warning, problem };

// Something found in the data or in how the model learned: what it is seen by, and what helps.
struct Finding {
  Severity severity = Severity::note;
  std::string subject;  // the column or output; "" for all
  std::string title, evidence, remedy;
};

// Values over the steps of a run.
struct Series {
  std::string name, split;  // "roc_auc of income", "validation"
  std::vector<double> values;
};

struct TrainingFacts {
  std::vector<int64_t> steps;  // of the evaluations, at most some hundred of them
  std::vector<double> learning_rate, gradient_norm;
  std::vector<Series> series;  // each as long as steps; NaN where it was not measured
  std::vector<int64_t> speed_steps;
  std::vector<double> samples_per_second;  // at speed_steps, evaluations included
  int64_t best_step = 0;
};

struct RunFacts {
  std::string ending;
  int64_t steps = 0, skipped = 0, parameters = 0;
  uint64_t seed = 42;
  double seconds = 0, samples_per_second = 0;  // of the loop
};

struct PlanFacts {
  std::string ledger, times;  // as plan --json and planned_against_actual.json have them
  int64_t peak_bytes = 0;
  std::optional<double> planned_usd, spent_usd, planned_wh, spent_wh;
};

// One run of a cross-validation; zeros and "" where it has no report.
struct FoldFacts {
  std::vector<int64_t> rows;  // of training, validation, test
  std::string ending;
  int64_t steps = 0, planned_bytes = 0, peak_bytes = 0;
  double planned_seconds = 0, took_seconds = 0;
};

struct FoldsFacts {
  int64_t count = 0, pooled = 0;          // pooled: folds whose answers are in Facts::quality
  std::vector<train::FoldMetric> values;  // of the test rows
  std::vector<FoldFacts> runs;
};

// What an evaluation was to take by its plan, and took.
struct EvaluationFacts {
  struct Line {
    std::string name;
    int64_t bytes = 0;
  };
  std::vector<Line> memory;  // that its parts hold, exactly or at most
  int64_t peak_bytes = 0;    // of the process
  double reading_seconds = 0, answering_seconds = 0;
  double formula_seconds = 0;  // of answering, by the rates of the machine
  int64_t rows = 0, rows_at_once = 0;
};

// A training on some of the rows; the last is the run itself.
struct LearningPoint {
  int64_t rows = 0;
  double training_loss = 0, held_out_loss = 0;
  double held_out_metric = 0;  // the usual one of the first output
};

struct Facts {
  std::string title;    // the folder
  std::string made;     // when, "2026-11-26 13:00"
  std::string program;  // "shoestring 0.1.0"
  std::vector<std::string> files;
  int64_t rows = 0;  // of the table
  std::vector<std::pair<std::string, int64_t>> split_rows;
  std::vector<std::pair<std::string, std::string>> inputs, outputs;  // name and type
  std::vector<std::pair<std::string, train::Metrics>> metrics;       // of each split
  std::vector<std::string> remarks;
  std::optional<RunFacts> run;  // absent of an evaluation
  std::optional<PlanFacts> plan;
  std::optional<FoldsFacts> folds;            // of a cross-validation
  std::optional<EvaluationFacts> evaluation;  // in the place of run and plan
  std::optional<TrainingFacts> training;
  std::optional<Quality> quality;
  std::vector<std::string> classes;  // that ColumnFacts::relation is of; empty of numbers
  std::vector<ColumnFacts> columns;  // what tells most of the target first
  std::optional<Duplicates> duplicates;
  std::vector<std::pair<std::string, int64_t>> sampled_rows;  // that the columns are told by, of each split
  std::vector<Importance> importance;                         // of a full report, as the next
  int64_t importance_rows = 0;                                // that were asked for it
  std::vector<LearningPoint> learning_curve;
  std::string learning_metric, full_note;  // full_note: why something is not there
  std::vector<Finding> data_findings, diagnosis;
};

std::string to_json(const Facts& facts);

}  // namespace shoestring::report
