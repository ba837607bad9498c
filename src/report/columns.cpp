#include "report/columns.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

namespace shoestring::report {
namespace {

using task::SplitName;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr size_t kBins = 16, kGroups = 10, kLabels = 12, kClasses = 5, kMostColumns = 100;
constexpr SplitName kSplits[] = {SplitName::training, SplitName::validation, SplitName::test};

double count(int64_t n) { return static_cast<double>(n); }

// The first output of the sampled rows of a split.
struct Target {
  std::vector<double> values;
  int64_t classes = 0;
  explicit operator bool() const { return !values.empty(); }
};
Target target_of(const train::Dataset& data, const DataSample& sample, const Cells& cells, SplitName base) {
  Target target;
  const auto& fit = data.fits.outputs[0];
  const auto& rows = sample.rows(base);
  if (std::holds_alternative<task::NumberFit>(fit)) {
    for (const uint32_t row : rows) target.values.push_back(cells.target_number(sample.targets(), 0, row));
  } else if (std::holds_alternative<task::BinaryFit>(fit)) {
    target.classes = 2;
    for (const uint32_t row : rows) target.values.push_back(sample.targets().numbers[0][row] > 0.5F);
  } else if (const auto* category = std::get_if<task::CategoryFit>(&fit)) {
    target.classes = static_cast<int64_t>(category->vocabulary.size());
    for (const uint32_t row : rows) target.values.push_back(sample.targets().codes[0][row]);
  }
  return target;
}

// Edges between which about as many of the sorted values lie. Where most have one value, that stands alone,
// and the others are cut.
std::vector<double> quantile_edges(const std::vector<double>& sorted) {
  std::vector<double> edges;
  const auto add_quantiles = [&](const std::vector<double>& values, size_t groups) {
    for (size_t i = 1; i < groups && !values.empty(); ++i)
      edges.push_back(values[i * values.size() / groups]);
  };
  add_quantiles(sorted, kGroups);
  size_t begin = 0, most = 0;  // of the longest run of equal values
  for (size_t i = 0, end; i < sorted.size(); i = end) {
    end = static_cast<size_t>(
        std::upper_bound(sorted.begin() + static_cast<int64_t>(i), sorted.end(), sorted[i]) - sorted.begin());
    if (end - i > most) begin = i, most = end - i;
  }
  if (most > sorted.size() / kGroups) {
    std::vector<double> others;
    for (size_t i = 0; i < sorted.size(); ++i)
      if (i < begin || i >= begin + most) others.push_back(sorted[i]);
    add_quantiles(others, kGroups / 2);
    edges.push_back(sorted[begin]);
    if (begin + most < sorted.size()) edges.push_back(sorted[begin + most]);
  }
  std::sort(edges.begin(), edges.end());
  edges.erase(std::unique(edges.begin(), edges.end()), edges.end());
  std::erase_if(edges, [&](double edge) { return edge <= sorted.front(); });
  return edges;
}

int32_t group_in(const std::vector<double>& edges, double value) {
  return static_cast<int32_t>(std::upper_bound(edges.begin(), edges.end(), value) - edges.begin());
}

// The relation of groups to the target, as ColumnFacts has it.
std::vector<std::vector<double>> relation_of(const Grouped& rows) {
  const auto series = rows.classes > 2 ? std::min<size_t>(kClasses, static_cast<size_t>(rows.classes)) : 1;
  const auto groups = static_cast<size_t>(rows.count);
  std::vector<std::vector<double>> sums(series, std::vector<double>(groups, 0));
  std::vector<double> counts(groups, 0);
  for (size_t i = 0; i < rows.values.size(); ++i) {
    if (rows.groups[i] < 0 || std::isnan(rows.values[i])) continue;
    const auto group = static_cast<size_t>(rows.groups[i]);
    ++counts[group];
    for (size_t s = 0; s < series; ++s)
      sums[s][group] += rows.classes > 2 ? rows.values[i] == static_cast<double>(s) : rows.values[i];
  }
  for (auto& sum : sums)
    for (size_t g = 0; g < groups; ++g) sum[g] = counts[g] > 0 ? sum[g] / counts[g] : kNan;
  return sums;
}

class Look {
 public:
  Look(const train::Dataset& data, const DataSample& sample, SplitName held_out)
      : data_(&data),
        sample_(&sample),
        held_out_(held_out),
        base_(sample.rows(SplitName::training).empty() ? held_out : SplitName::training),
        cells_(data.spec, data.fits),
        target_(target_of(data, sample, cells_, base_)) {}

  ColumnFacts operator()(size_t input) const {
    ColumnFacts facts{.name = cells_.name(input),
                      .type = std::string(name_of(data_->spec.recipe.inputs[input].type())),
                      .missing = input < data_->missing.size() ? data_->missing[input] : 0,
                      .minimum = kNan,
                      .maximum = kNan,
                      .mean = kNan,
                      .strength = kNan,
                      .drift = kNan};
    if (const auto* number = std::get_if<task::NumberFit>(&data_->fits.inputs[input])) {
      facts.minimum = number->minimum;
      facts.maximum = number->maximum;
      facts.mean = number->mean;
      if (!std::isnan(cells_.number(sample_->inputs(), input, 0))) look_at_numbers(input, facts);
    } else if (const auto labels = cells_.labels(input); !labels.empty()) {
      facts.distinct = static_cast<int64_t>(labels.size());
      look_at_words(input, labels, facts);
    }
    return facts;
  }

 private:
  void look_at_numbers(size_t input, ColumnFacts& facts) const {
    std::vector<double> sorted = numbers(input, base_);
    const std::vector<double> training = sorted;
    if (sorted.empty()) return;
    facts.rises = training.size() > 1 &&
                  std::ranges::adjacent_find(training, std::greater_equal()) == training.end() &&
                  std::ranges::all_of(training, [](double v) { return std::abs(v - std::round(v)) < 1e-3; });
    std::sort(sorted.begin(), sorted.end());
    const auto quantile = [&](double q) {
      return sorted[static_cast<size_t>(q * count(std::ssize(sorted) - 1))];
    };
    double low = quantile(0.005), high = quantile(0.995);
    if (!(high > low)) low = sorted.front(), high = sorted.back();
    if (!(high > low)) high = low + 1;
    for (size_t b = 0; b <= kBins; ++b)
      facts.edges.push_back(low + (high - low) * static_cast<double>(b) / static_cast<double>(kBins));
    const std::vector<double> edges = quantile_edges(sorted);
    std::vector<std::vector<int64_t>> counts(2, std::vector<int64_t>(edges.size() + 1, 0));
    for (const SplitName split : kSplits) {
      const std::vector<double> values = split == base_ ? training : numbers(input, split);
      std::vector<double> shares(values.empty() ? 0 : kBins, 0);
      for (const double v : values) {
        const double bin = (v - low) / (high - low) * static_cast<double>(kBins);
        shares[static_cast<size_t>(std::clamp(bin, 0.0, kBins - 1.0))] += 1 / count(std::ssize(values));
        if (split == base_) ++counts[0][static_cast<size_t>(group_in(edges, v))];
        if (split == held_out_) ++counts[1][static_cast<size_t>(group_in(edges, v))];
      }
      facts.shares.push_back(std::move(shares));
    }
    facts.drift = held_out_ == base_ ? kNan : stability_index(counts[0], counts[1]);
    if (base_ != SplitName::training)
      against_training(std::get<task::NumberFit>(data_->fits.inputs[input]), training, facts);
    if (!target_) return;
    std::vector<int32_t> groups, bins;
    for (const double v : training) {
      groups.push_back(group_in(edges, v));
      bins.push_back(static_cast<int32_t>(
          std::clamp((v - low) / (high - low) * static_cast<double>(kBins), 0.0, kBins - 1.0)));
    }
    facts.strength = explained({groups, target_.values, std::ssize(edges) + 1, target_.classes});
    facts.relation = relation_of({bins, target_.values, kBins, target_.classes});
  }

  static void against_training(const task::NumberFit& fit, const std::vector<double>& values,
                               ColumnFacts& facts) {
    double sum = 0;
    int64_t outside = 0;
    for (const double v : values) {
      const double rounding = 1e-5 * (std::abs(v) + fit.maximum - fit.minimum);  // they were encoded as f32
      sum += v;
      outside += v < fit.minimum - rounding || v > fit.maximum + rounding;
    }
    const double n = count(std::ssize(values));
    facts.outside = count(outside) / n;
    const bool has_deviation = fit.normalization == task::Normalization::zscore && fit.scale > 0;
    facts.shift = has_deviation ? (sum / n - fit.mean) / fit.scale : kNan;
  }

  // Training rows of each group of words, as the fit has them.
  std::vector<int64_t> of_training_words(size_t input, size_t groups) const {
    std::vector<int64_t> counts(groups, 0);
    const auto& fit = data_->fits.inputs[input];
    const auto put = [&](size_t word, int64_t rows) { counts[std::min(word, groups - 1)] += rows; };
    if (const auto* category = std::get_if<task::CategoryFit>(&fit))
      for (size_t w = 0; w < category->counts.size(); ++w) put(w, category->counts[w]);
    if (const auto* binary = std::get_if<task::BinaryFit>(&fit)) {  // the commonest first
      put(0, std::max(binary->true_rows, binary->false_rows));
      put(1, std::min(binary->true_rows, binary->false_rows));
    }
    return counts;
  }

  void look_at_words(size_t input, const std::vector<std::string>& labels, ColumnFacts& facts) const {
    const size_t shown = std::min(labels.size(), kLabels), groups = shown + (labels.size() > shown);
    for (size_t i = 0; i < shown; ++i) facts.labels.push_back(shortened(labels[i], 24));
    if (groups > shown) facts.labels.emplace_back("(others)");
    std::vector<std::vector<int64_t>> counts(2, std::vector<int64_t>(groups, 0));
    std::vector<int32_t> of_training, shown_of_training;
    for (const SplitName split : kSplits) {
      const auto& rows = sample_->rows(split);
      std::vector<double> shares(rows.empty() ? 0 : groups, 0);
      for (const uint32_t row : rows) {
        const int32_t code = cells_.code(sample_->inputs(), input, row);
        const auto group = std::min(static_cast<size_t>(std::max(code, 0)), groups - 1);
        shares[group] += 1 / count(std::ssize(rows));
        if (split == base_) {
          ++counts[0][group];
          of_training.push_back(code);
          shown_of_training.push_back(static_cast<int32_t>(group));
        }
        if (split == held_out_) ++counts[1][group];
      }
      facts.shares.push_back(std::move(shares));
    }
    if (base_ != SplitName::training) counts[0] = of_training_words(input, groups);
    facts.drift = held_out_ == SplitName::training ? kNan : stability_index(counts[0], counts[1]);
    if (!target_) return;
    facts.strength = explained({of_training, target_.values, std::ssize(labels), target_.classes});
    facts.relation =
        relation_of({shown_of_training, target_.values, static_cast<int64_t>(groups), target_.classes});
  }

  std::vector<double> numbers(size_t input, SplitName split) const {
    std::vector<double> values;
    values.reserve(sample_->rows(split).size());
    for (const uint32_t row : sample_->rows(split))
      values.push_back(cells_.number(sample_->inputs(), input, row));
    return values;
  }

  const train::Dataset* data_;
  const DataSample* sample_;
  SplitName held_out_;
  SplitName base_;  // whose rows relations are told of
  Cells cells_;
  Target target_;
};

}  // namespace

double explained(const Grouped& rows) {
  // A number is one series of values; of classes each is a series of zeros and ones, and the sums are added.
  const auto groups = static_cast<size_t>(rows.count);
  std::vector<int64_t> of_group(groups, 0);
  int64_t n = 0;
  for (size_t i = 0; i < rows.values.size(); ++i)
    if (rows.groups[i] >= 0 && !std::isnan(rows.values[i]) &&
        rows.values[i] >= (rows.classes > 0 ? 0 : -INFINITY))
      ++n, ++of_group[static_cast<size_t>(rows.groups[i])];
  const auto used = static_cast<int64_t>(std::ranges::count_if(of_group, [](int64_t c) { return c > 0; }));
  if (n <= used || used == 0) return kNan;
  double all = 0, within = 0;
  const auto add = [&](const auto& value_of) {
    double mean = 0, sum = 0;
    std::vector<double> sums(groups, 0);
    const auto each = [&](const auto& take) {
      for (size_t i = 0; i < rows.values.size(); ++i)
        if (rows.groups[i] >= 0 && !std::isnan(rows.values[i]) && (rows.classes == 0 || rows.values[i] >= 0))
          take(static_cast<size_t>(rows.groups[i]), value_of(rows.values[i]));
    };
    each([&](size_t g, double v) { sum += v, sums[g] += v; });
    mean = sum / count(n);
    each([&](size_t g, double v) {
      const double d = v - mean, e = v - sums[g] / count(of_group[g]);
      all += d * d, within += e * e;
    });
  };
  if (rows.classes == 0) add([](double v) { return v; });
  // Of very many classes the commonest: they are numbered so.
  constexpr int64_t kMostClasses = 20;
  for (int64_t c = 0; c < std::min(kMostClasses, rows.classes); ++c)
    add([&](double v) { return v == static_cast<double>(c) ? 1.0 : 0.0; });
  if (!(all > 0)) return kNan;
  const double noise = within / count(n - used);  // of the mean square within a group
  return std::clamp((all - within - count(used - 1) * noise) / all, 0.0, 1.0);
}

double stability_index(std::span<const int64_t> expected, std::span<const int64_t> actual) {
  double n = 0, m = 0;
  for (const int64_t e : expected) n += count(e);
  for (const int64_t a : actual) m += count(a);
  constexpr double kFewest = 50;
  if (n < kFewest || m < kFewest) return kNan;
  const double bins = count(std::ssize(expected));
  double sum = 0;
  for (size_t b = 0; b < expected.size(); ++b) {
    // Half a row in each bin more, so that an empty one is no infinity.
    const double e = (count(expected[b]) + 0.5) / (n + 0.5 * bins),
                 a = (count(actual[b]) + 0.5) / (m + 0.5 * bins);
    sum += (a - e) * std::log(a / e);
  }
  return std::max(0.0, sum - (bins - 1) * (1 / n + 1 / m));
}

std::vector<ColumnFacts> column_facts(const train::Dataset& data, const DataSample& sample,
                                      SplitName held_out) {
  if (sample.rows(SplitName::training).empty() && sample.rows(held_out).empty()) return {};
  const Look look(data, sample, held_out);
  std::vector<ColumnFacts> columns;
  for (size_t i = 0; i < std::min(data.spec.recipe.inputs.size(), kMostColumns); ++i)
    columns.push_back(look(i));
  std::stable_sort(columns.begin(), columns.end(), [](const ColumnFacts& a, const ColumnFacts& b) {
    return (std::isnan(a.strength) ? -1 : a.strength) > (std::isnan(b.strength) ? -1 : b.strength);
  });
  return columns;
}

}  // namespace shoestring::report
