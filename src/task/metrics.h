// Metrics of predictions, gathered batch by batch on the host. What each means stands in
// metric_table.cpp; values() gives them in that order. A metric without a meaning for these rows (R² of
// a constant truth, the AUC of one class) is NaN; a ratio of nothing to nothing is 0.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "task/metric_table.h"

namespace shoestring::task {

struct MetricValue {
  std::string_view name;
  double value = 0;
};

// Of a number output, on the raw scale. Errors in percent leave out rows whose truth is 0.
class NumberMetrics {
 public:
  // `is_root`: the loss of many rows is the root of the mean of theirs.
  explicit NumberMetrics(bool is_root = false) : is_root_(is_root) {}
  void add(std::span<const double> predictions, std::span<const double> truths,
           std::span<const float> losses);
  std::vector<MetricValue> values() const;
  int64_t rows() const { return rows_; }

 private:
  bool is_root_;
  int64_t rows_ = 0, rows_not_zero_ = 0;
  double loss_ = 0, squared_ = 0, absolute_ = 0, percent_ = 0, squared_percent_ = 0;
  double truth_mean_ = 0, truth_deviation_ = 0;  // Welford: the sum of squared deviations
};

// How many of two kinds of rows have which probability, by steps of 1/2048 of it, or of what it lacks to 1.
class ScoreCounts {
 public:
  void add(float probability, bool truth);
  // As roc_auc(), of probabilities rounded to the steps.
  double roc_auc() const;
  bool empty() const { return of_true_.empty(); }

 private:
  std::vector<uint32_t> of_true_, of_false_;  // of each step; empty until the first
  bool bad_ = false;                          // a probability was not a number
};

// Of a binary output. Keeps each row's probability, 4 bytes, for an exact AUC, of `exact_rows` rows; of more
// it counts them in steps, 1 MiB in all.
class BinaryMetrics {
 public:
  explicit BinaryMetrics(double threshold = 0.5, int64_t exact_rows = std::numeric_limits<int64_t>::max())
      : threshold_(threshold), exact_rows_(exact_rows) {}
  // `truths` are 0 or 1.
  void add(std::span<const float> probabilities, std::span<const float> truths,
           std::span<const float> losses);
  std::vector<MetricValue> values() const;
  int64_t rows() const { return true_positives + false_positives + true_negatives + false_negatives; }

  int64_t true_positives = 0, false_positives = 0, true_negatives = 0, false_negatives = 0;

 private:
  void keep(float probability, bool truth);

  double threshold_, loss_ = 0;
  int64_t exact_rows_;
  std::vector<float> of_true_, of_false_;  // probabilities of the rows that are true, false
  ScoreCounts counts_;                     // in their place, of many
};

// The probability that a score of `positives` is above one of `negatives`, ties counting half: the
// Mann–Whitney U over the product of the counts. Sorts a copy. NaN where either is empty.
double roc_auc(std::span<const float> positives, std::span<const float> negatives);

// One class of a category output, or a binary one, in a report.
struct ClassReport {
  double precision = 0, recall = 0, f1 = 0;
  int64_t support = 0;  // rows that are of this class
};

// Of a category output. Counts of truth against prediction are kept up to kConfusionClasses classes.
class CategoryMetrics {
 public:
  static constexpr int64_t kConfusionClasses = 256;

  CategoryMetrics(int64_t classes, int64_t top_k);
  // `probabilities` are [rows, classes]; rows with a truth below 0 are counted apart and left out.
  void add(std::span<const float> probabilities, std::span<const int32_t> truths,
           std::span<const float> losses);
  std::vector<MetricValue> values() const;
  std::vector<ClassReport> per_class() const;
  // [truth, prediction], row-major; empty where there are too many classes.
  const std::vector<int64_t>& confusion() const { return confusion_; }
  int64_t rows() const { return rows_; }
  int64_t rows_of_unknown_class() const { return unknown_; }

 private:
  int64_t classes_, top_k_;
  int64_t rows_ = 0, unknown_ = 0, right_ = 0, hits_ = 0;
  double loss_ = 0;
  std::vector<int64_t> truths_, predictions_, right_of_;  // of each class
  std::vector<int64_t> confusion_;
};

// Of a vector output, on the raw scale.
class VectorMetrics {
 public:
  explicit VectorMetrics(int64_t size) : truth_means_(static_cast<size_t>(size)) {}
  // `predictions` and `truths` are [rows, size].
  void add(std::span<const float> predictions, std::span<const float> truths, std::span<const float> losses);
  std::vector<MetricValue> values() const;
  int64_t rows() const { return rows_; }

 private:
  std::vector<double> truth_means_;  // Welford, of each place
  int64_t rows_ = 0;
  double loss_ = 0, squared_ = 0, absolute_ = 0, truth_deviation_ = 0;
};

// Of a set output.
class SetMetrics {
 public:
  SetMetrics(int64_t words, double threshold) : words_(words), threshold_(threshold) {}
  // `probabilities` are [rows, words]; `truths` [rows, width] the numbers of the words that are there: one of
  // `words` is none, one above that a word that the model does not know, which nothing predicts.
  void add(std::span<const float> probabilities, std::span<const int32_t> truths,
           std::span<const float> losses);
  std::vector<MetricValue> values() const;
  int64_t rows() const { return rows_; }

 private:
  int64_t words_;
  double threshold_;
  int64_t rows_ = 0;
  double loss_ = 0, jaccard_ = 0;
};

// As FeatureType.
using OutputMetrics = std::variant<NumberMetrics, BinaryMetrics, CategoryMetrics, VectorMetrics, SetMetrics>;

// Empty metrics for an output of the recipe; `size` is NetworkSpec's of it. Beyond `exact_rows` no metric
// keeps anything of a row.
OutputMetrics metrics_for(const OutputFeature& output, int64_t size,
                          int64_t exact_rows = std::numeric_limits<int64_t>::max());
std::vector<MetricValue> values(const OutputMetrics& metrics);
// The value of a name in the list, NaN if it is not there.
double value_of(std::span<const MetricValue> values, std::string_view name);

// The most probable of [classes]; the first of equals.
int32_t argmax(std::span<const float> probabilities);

}  // namespace shoestring::task
