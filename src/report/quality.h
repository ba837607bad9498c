// How good the answers are, of each output: gathered batch by batch while the last evaluation runs, in a
// fixed memory, so that no row is looked at twice.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "report/cells.h"
#include "report/scores.h"

namespace shoestring::report {

// Rows of which the model was most wrong.
struct Mistake {
  int64_t row = 0;        // in the order of the split, from 1, as predictions.csv has them
  int64_t table_row = 0;  // in the table as read, from 1; 0: not known
  double badness = 0;     // the loss; of a number the distance
  std::string truth, answer;
  double probability = 0;          // of the answer; NaN of a number
  std::vector<std::string> cells;  // of Quality::columns
};

// The rows that have one value of a category or binary input.
struct Subgroup {
  std::string column, value;
  int64_t rows = 0;
  double loss = 0;
  // Of classes: shares of the rows that are answered right, and of a binary output those that are true, that
  // are answered true, and of the true ones those answered true. NaN where there is none.
  double accuracy = 0, share_true = 0, share_answered_true = 0, recall = 0;
  double mean_error = 0, mean_absolute_error = 0;  // of numbers: answer less truth
};

struct ClassCurves {
  std::string label;
  ScoreCurves curves;
};

// Of a binary output, on rows that chose nothing else of the page: where a threshold is chosen, so that the
// rows that are shown can judge it.
struct ThresholdChoice {
  ScoreCurves curves;
  double f1 = 0;       // at the model's threshold
  double f1_here = 0;  // of the rows that are shown, at curves.best_threshold
};

// Of a number output, on the raw scale.
struct NumberQuality {
  struct Pair {
    double truth = 0, answer = 0;
  };
  int64_t sampled = 0;            // rows that all of this is of: some of very many, drawn at random
  std::vector<Pair> pairs;        // of these, to draw
  std::vector<double> edges;      // of the residuals' histogram: one more than counts
  std::vector<int64_t> counts;    // of all sampled rows; those beyond the edges in the outermost
  std::vector<double> quantiles;  // of the distance, at kQuantiles
  struct Tenth {
    double truth = 0, mean_error = 0, mean_absolute_error = 0;  // truth: the middle of the tenth
    int64_t rows = 0;
  };
  std::vector<Tenth> tenths;  // of the rows by their truth
  static constexpr double kQuantiles[] = {0.5, 0.8, 0.9, 0.95, 0.99};
};

// Of sampled rows.
NumberQuality number_quality(std::vector<NumberQuality::Pair> pairs);

// A place of a vector, a word of a set.
struct PartQuality {
  std::string label;
  double mean_absolute_error = 0;             // of a place
  int64_t truths = 0, answers = 0, both = 0;  // rows of a word
};

struct OutputQuality {
  std::string name;
  task::FeatureType type = task::FeatureType::number;
  double threshold = 0.5;           // of a binary output
  std::vector<std::string> labels;  // of the confusion: the commonest classes, "(others)" last
  std::vector<int64_t> confusion;   // [truth, answer], row-major
  std::vector<ClassCurves> curves;  // of the true label, or of the commonest classes each against the rest
  std::optional<ThresholdChoice> choice;  // absent where there were no other rows
  std::optional<ScoreCurves> confidence;  // of a category: of the answer's probability, whether it is right
  std::optional<NumberQuality> number;
  std::vector<PartQuality> parts;
  std::vector<Subgroup> subgroups;
  std::vector<Mistake> mistakes;  // the worst first
};

struct Quality {
  std::string split;  // "test"
  int64_t rows = 0;
  std::vector<std::string> columns;  // that mistakes show
  std::vector<OutputQuality> outputs;
};

class QualityRecorder {
 public:
  // The data set's spec and fits must outlive it.
  QualityRecorder(const task::NetworkSpec& spec, const task::Fits& fits);
  ~QualityRecorder();
  QualityRecorder(QualityRecorder&&) noexcept;

  // Rows that thresholds are chosen by, and nothing else is told of.
  void choose_by(const train::RowsAt& at, const train::Ports& ports);
  // `in_table`: the rows' places are those in the table.
  void add(task::SplitName split, const train::RowsAt& at, const train::Ports& ports, bool in_table);
  // What was seen. The recorder is of no use afterwards.
  Quality take();

 private:
  struct Output;
  Cells cells_;
  Quality quality_;
  std::vector<size_t> shown_;    // inputs that mistakes show
  std::vector<size_t> grouped_;  // inputs whose values are subgroups
  std::vector<Output> outputs_;
};

}  // namespace shoestring::report
