// Metrics of the engine's current states over a split of a data set.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "task/metrics.h"
#include "train/batches.h"

namespace shoestring::train {

// Of an output that is a class: how many rows of each were answered as which.
struct Confusion {
  std::string output;
  std::vector<std::string> labels;
  std::vector<int64_t> counts;  // [truth, answer], row-major

  int64_t at(size_t truth, size_t answer) const { return counts[truth * labels.size() + answer]; }
};

// What an evaluation of some rows found: of each output its metrics, "loss" first, and the sum of the
// weighted losses.
struct Metrics {
  struct Output {
    std::string name;
    std::vector<task::MetricValue> values;
    int64_t unknown_rows = 0;  // whose class no training row had: measured by none of the values
  };
  int64_t rows = 0;
  std::vector<Output> outputs;
  double combined_loss = 0;
  std::vector<Confusion> confusions = {};  // where they were asked for

  // The value of a metric of an output, or of "combined"; NaN where there is none.
  double value(std::string_view output, std::string_view metric) const;
};

// {"income": {"loss": …, "roc_auc": …}, "combined": {"loss": …}}; what has no value is null. Where
// an output has rows of an unknown class, their count stands among its values, "rows_of_unknown_class".
//
// Where there are confusions, the output has them too, as "labels" and "confusion_matrix", a list for each
// true class.
std::string to_json(const Metrics& metrics, int indent = -1);

struct Look {
  int64_t every = 1;                        // of so many batches one, for a quicker look
  const std::atomic<bool>* stop = nullptr;  // once it is set, the metrics are worth nothing
};

class Evaluator {
 public:
  // `runner` is an evaluation plan of the engine; all must outlive it.
  Evaluator(Runner& runner, const Dataset& data);

  Metrics evaluate(task::SplitName split, const Look& look = {});
  // Of the rows that were evaluated last: of each output of classes, of which there are not too many
  // (task::CategoryMetrics::kConfusionClasses).
  std::vector<Confusion> confusions() const;
  // The same, and each batch's predictions are handed on: where its rows are and the ports that hold them.
  template <class Take>
  Metrics evaluate(task::SplitName split, Take&& take, const Look& look = {}) {
    begin();
    Batches batches(*data_, split, runner_->rows());
    for (int64_t b = 0; b < batches.count(); b += look.every) {
      if (look.stop && look.stop->load(std::memory_order_relaxed)) break;
      const RowsAt batch = batches.at(b);
      add(batch);
      take(batch, runner_->ports());
    }
    return finish();
  }

 private:
  void begin();
  void add(const RowsAt& at);
  Metrics finish();

  Runner* runner_;
  const Dataset* data_;
  std::vector<task::OutputMetrics> metrics_;
  std::vector<float> truths_;                         // of a batch
  std::vector<double> raw_truths_, raw_predictions_;  // on the raw scale
  std::vector<int32_t> codes_, words_;                // words_: of sets, the truths
  std::vector<float> vectors_;                        // the predictions and then the truths
  int64_t rows_ = 0;
};

}  // namespace shoestring::train
