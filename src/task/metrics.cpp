#include "task/metrics.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "base/overloaded.h"

namespace shoestring::task {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

double ratio(double part, double whole) { return whole > 0 ? part / whole : 0; }
double mean(double sum, int64_t rows) { return rows > 0 ? sum / static_cast<double>(rows) : kNone; }
double f1_of(double precision, double recall) { return ratio(2 * precision * recall, precision + recall); }

// The values under the names of the table, in its order.
std::vector<MetricValue> named(FeatureType type, std::initializer_list<double> numbers) {
  std::vector<MetricValue> values;
  auto number = numbers.begin();
  for (const MetricInfo& metric : metrics_of(type)) values.push_back({metric.name, *number++});
  return values;
}

}  // namespace

// ---- number ------------------------------------------------------------------------------------

void NumberMetrics::add(std::span<const double> predictions, std::span<const double> truths,
                        std::span<const float> losses) {
  for (size_t i = 0; i < truths.size(); ++i) {
    const double truth = truths[i], error = predictions[i] - truth;
    ++rows_;
    loss_ += losses[i];
    squared_ += error * error;
    absolute_ += std::abs(error);
    if (truth != 0) {
      ++rows_not_zero_;
      percent_ += std::abs(error / truth);
      squared_percent_ += (error / truth) * (error / truth);
    }
    const double from_mean = truth - truth_mean_;
    truth_mean_ += from_mean / static_cast<double>(rows_);
    truth_deviation_ += from_mean * (truth - truth_mean_);
  }
}

std::vector<MetricValue> NumberMetrics::values() const {
  const double loss = mean(loss_, rows_), squared = mean(squared_, rows_);
  return named(FeatureType::number,
               {is_root_ ? std::sqrt(loss) : loss, squared, mean(absolute_, rows_), std::sqrt(squared),
                truth_deviation_ > 0 ? 1 - squared_ / truth_deviation_ : kNone,
                mean(percent_, rows_not_zero_), std::sqrt(mean(squared_percent_, rows_not_zero_))});
}

// ---- binary ------------------------------------------------------------------------------------

namespace {

constexpr size_t kHalf = 1 << 16;  // steps of the probabilities up to a half, as many of those above

// Steps of equal ratio down to 2^-32, mirrored at a half: the bits of a float that are not cut off.
size_t step_of(float probability) {
  const float least = std::min(probability, 1 - probability);
  constexpr uint32_t kCut = 12, kLowest = 95u << (23 - kCut);
  const uint32_t bits = least > 0 ? std::bit_cast<uint32_t>(least) >> kCut : 0;
  const size_t step = std::min<size_t>(bits > kLowest ? bits - kLowest : 0, kHalf - 1);
  return probability <= 0.5F ? step : 2 * kHalf - 1 - step;
}

}  // namespace

void ScoreCounts::add(float probability, bool truth) {
  if (empty()) of_true_.resize(2 * kHalf), of_false_.resize(2 * kHalf);
  if (std::isnan(probability))
    bad_ = true;
  else
    ++(truth ? of_true_ : of_false_)[step_of(probability)];
}

double ScoreCounts::roc_auc() const {
  double above = 0, high = 0, low = 0;  // low: of the steps below
  for (size_t step = 0; step < of_true_.size(); ++step) {
    const double truths = of_true_[step], others = of_false_[step];
    above += truths * (low + 0.5 * others);
    high += truths, low += others;
  }
  return bad_ || high == 0 || low == 0 ? kNone : above / (high * low);
}

void BinaryMetrics::keep(float probability, bool truth) {
  if (rows() < exact_rows_) return (truth ? of_true_ : of_false_).push_back(probability);
  for (auto* scores : {&of_true_, &of_false_}) {
    for (const float score : *scores) counts_.add(score, scores == &of_true_);
    *scores = std::vector<float>();
  }
  counts_.add(probability, truth);
}

void BinaryMetrics::add(std::span<const float> probabilities, std::span<const float> truths,
                        std::span<const float> losses) {
  for (size_t i = 0; i < truths.size(); ++i) {
    const bool truth = truths[i] > 0.5F, prediction = probabilities[i] >= threshold_;
    loss_ += losses[i];
    keep(probabilities[i], truth);
    if (truth)
      ++(prediction ? true_positives : false_negatives);
    else
      ++(prediction ? false_positives : true_negatives);
  }
}

std::vector<MetricValue> BinaryMetrics::values() const {
  const auto tp = static_cast<double>(true_positives), fp = static_cast<double>(false_positives);
  const auto tn = static_cast<double>(true_negatives), fn = static_cast<double>(false_negatives);
  const auto share = [](double part, double whole) { return whole > 0 ? part / whole : kNone; };
  return named(FeatureType::binary, {mean(loss_, rows()), mean(tp + tn, rows()), share(tp, tp + fp),
                                     share(tp, tp + fn), share(tn, tn + fp), share(2 * tp, 2 * tp + fp + fn),
                                     counts_.empty() ? roc_auc(of_true_, of_false_) : counts_.roc_auc()});
}

double roc_auc(std::span<const float> positives, std::span<const float> negatives) {
  if (positives.empty() || negatives.empty()) return kNone;
  for (const auto scores : {positives, negatives})
    if (std::any_of(scores.begin(), scores.end(), [](float score) { return std::isnan(score); }))
      return kNone;
  std::vector<float> high(positives.begin(), positives.end()), low(negatives.begin(), negatives.end());
  std::sort(high.begin(), high.end());
  std::sort(low.begin(), low.end());
  double above = 0;  // negatives below each positive, ties half
  size_t below = 0, up_to = 0;
  for (const float score : high) {
    while (below < low.size() && low[below] < score) ++below;
    while (up_to < low.size() && low[up_to] <= score) ++up_to;
    above += 0.5 * static_cast<double>(below + up_to);
  }
  return above / (static_cast<double>(high.size()) * static_cast<double>(low.size()));
}

// ---- category ----------------------------------------------------------------------------------

CategoryMetrics::CategoryMetrics(int64_t classes, int64_t top_k)
    : classes_(classes),
      top_k_(top_k),
      truths_(static_cast<size_t>(classes)),
      predictions_(static_cast<size_t>(classes)),
      right_of_(static_cast<size_t>(classes)),
      confusion_(classes <= kConfusionClasses ? static_cast<size_t>(classes * classes) : 0) {}

void CategoryMetrics::add(std::span<const float> probabilities, std::span<const int32_t> truths,
                          std::span<const float> losses) {
  const auto classes = static_cast<size_t>(classes_);
  for (size_t i = 0; i < truths.size(); ++i) {
    if (truths[i] < 0) {
      ++unknown_;
      continue;
    }
    const auto row = probabilities.subspan(i * classes, classes);
    const auto truth = static_cast<size_t>(truths[i]), prediction = static_cast<size_t>(argmax(row));
    // Of equal probabilities the first class stands before the others, as in argmax.
    int64_t before = 0;
    for (size_t c = 0; c < classes; ++c)
      before += row[c] > row[truth] || (row[c] == row[truth] && c < truth) ? 1 : 0;
    ++rows_;
    loss_ += losses[i];
    hits_ += before < top_k_ ? 1 : 0;
    ++truths_[truth];
    ++predictions_[prediction];
    if (truth == prediction) ++right_, ++right_of_[truth];
    if (!confusion_.empty()) ++confusion_[truth * classes + prediction];
  }
}

std::vector<ClassReport> CategoryMetrics::per_class() const {
  std::vector<ClassReport> reports;
  for (size_t c = 0; c < truths_.size(); ++c) {
    const auto right = static_cast<double>(right_of_[c]);
    const double precision = ratio(right, static_cast<double>(predictions_[c]));
    const double recall = ratio(right, static_cast<double>(truths_[c]));
    reports.push_back({precision, recall, f1_of(precision, recall), truths_[c]});
  }
  return reports;
}

std::vector<MetricValue> CategoryMetrics::values() const {
  // Means over the classes that occur, in truth or in prediction; recall over those in truth.
  double precision = 0, recall = 0, f1 = 0;
  int64_t seen = 0, true_classes = 0;
  const auto reports = per_class();
  for (size_t c = 0; c < reports.size(); ++c) {
    if (truths_[c] == 0 && predictions_[c] == 0) continue;
    ++seen;
    true_classes += truths_[c] > 0 ? 1 : 0;
    precision += reports[c].precision, recall += reports[c].recall, f1 += reports[c].f1;
  }
  const double accuracy = mean(static_cast<double>(right_), rows_);
  return named(FeatureType::category, {mean(loss_, rows_), accuracy, accuracy, mean(recall, true_classes),
                                       mean(static_cast<double>(hits_), rows_), mean(precision, seen),
                                       mean(recall, seen), mean(f1, seen)});
}

// ---- vector ------------------------------------------------------------------------------------

void VectorMetrics::add(std::span<const float> predictions, std::span<const float> truths,
                        std::span<const float> losses) {
  const size_t size = truth_means_.size();
  for (size_t row = 0; row < losses.size(); ++row) {
    ++rows_;
    loss_ += losses[row];
    for (size_t i = 0; i < size; ++i) {
      const double truth = truths[row * size + i], error = predictions[row * size + i] - truth;
      squared_ += error * error;
      absolute_ += std::abs(error);
      const double from_mean = truth - truth_means_[i];
      truth_means_[i] += from_mean / static_cast<double>(rows_);
      truth_deviation_ += from_mean * (truth - truth_means_[i]);
    }
  }
}

std::vector<MetricValue> VectorMetrics::values() const {
  const auto numbers = rows_ * static_cast<int64_t>(truth_means_.size());
  const double squared = mean(squared_, numbers);
  return named(FeatureType::vector,
               {mean(loss_, rows_), squared, mean(absolute_, numbers), std::sqrt(squared),
                truth_deviation_ > 0 ? 1 - squared_ / truth_deviation_ : kNone});
}

// ---- set ---------------------------------------------------------------------------------------

void SetMetrics::add(std::span<const float> probabilities, std::span<const int32_t> truths,
                     std::span<const float> losses) {
  if (losses.empty()) return;
  const auto words = static_cast<size_t>(words_), width = truths.size() / losses.size();
  for (size_t row = 0; row < losses.size(); ++row) {
    const auto own = probabilities.subspan(row * words, words);
    auto either = std::count_if(own.begin(), own.end(), [&](float p) { return p >= threshold_; });
    int64_t both = 0;
    for (const int32_t word : truths.subspan(row * width, width)) {
      if (word == words_) continue;
      if (word < words_ && own[static_cast<size_t>(word)] >= threshold_)
        ++both;
      else
        ++either;
    }
    ++rows_;
    loss_ += losses[row];
    jaccard_ += either == 0 ? 1 : static_cast<double>(both) / static_cast<double>(either);
  }
}

std::vector<MetricValue> SetMetrics::values() const {
  return named(FeatureType::set, {mean(loss_, rows_), mean(jaccard_, rows_)});
}

// ---- any ---------------------------------------------------------------------------------------

OutputMetrics metrics_for(const OutputFeature& output, int64_t size, int64_t exact_rows) {
  return std::visit(
      Overloaded{[](const NumberOutput& o) { return OutputMetrics(NumberMetrics(o.loss_is_root())); },
                 [&](const BinaryOutput& o) { return OutputMetrics(BinaryMetrics(o.threshold, exact_rows)); },
                 [&](const CategoryOutput& o) { return OutputMetrics(CategoryMetrics(size, o.top_k)); },
                 [&](const VectorOutput&) { return OutputMetrics(VectorMetrics(size)); },
                 [&](const SetOutput& o) { return OutputMetrics(SetMetrics(size, o.threshold)); }},
      output.spec);
}

std::vector<MetricValue> values(const OutputMetrics& metrics) {
  return std::visit([](const auto& one) { return one.values(); }, metrics);
}

double value_of(std::span<const MetricValue> values, std::string_view name) {
  for (const MetricValue& value : values)
    if (value.name == name) return value.value;
  return kNone;
}

int32_t argmax(std::span<const float> probabilities) {
  size_t best = 0;
  for (size_t i = 1; i < probabilities.size(); ++i)
    if (probabilities[i] > probabilities[best]) best = i;
  return static_cast<int32_t>(best);
}

}  // namespace shoestring::task
