// Number columns: what is learnt from them, and values scaled and back.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "task/holes.h"
#include "task/preprocess_cells.h"

namespace shoestring::task {
namespace {

bool is_hole(double value) { return !std::isfinite(value); }

struct Moments {
  double mean = 0, deviation = 0, minimum = 0, maximum = 0;
};

// Of values that are not empty; the deviation is that of the whole population.
Moments moments_of(const std::vector<double>& values) {
  Moments m{.minimum = values.front(), .maximum = values.front()};
  for (const double value : values) {
    m.minimum = std::min(m.minimum, value);
    m.maximum = std::max(m.maximum, value);
  }
  // Sums of huge numbers would overflow and squares of tiny ones vanish.
  const double largest = std::max(std::abs(m.minimum), std::abs(m.maximum));
  const double unit = largest > 1e100 || (largest > 0 && largest < 1e-100) ? largest : 1;
  for (const double value : values) m.mean += value / unit;
  m.mean /= static_cast<double>(values.size());
  for (const double value : values) {
    const double from_mean = value / unit - m.mean;
    m.deviation += from_mean * from_mean;
  }
  m.deviation = unit * std::sqrt(m.deviation / static_cast<double>(values.size()));
  m.mean *= unit;
  return m;
}

// Linear between the two nearest of the sorted values.
double quantile(const std::vector<double>& sorted, double share) {
  const double at = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(at);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (at - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

// The most frequent value, the least of equally frequent ones.
double mode_of(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  double mode = values.front();
  size_t most = 0;
  for (size_t begin = 0; begin < values.size();) {
    size_t end = begin;
    while (end < values.size() && values[end] == values[begin]) ++end;
    if (end - begin > most) most = end - begin, mode = values[begin];
    begin = end;
  }
  return mode;
}

double fill_of(MissingValues strategy, double constant, double mean, const std::vector<double>& present) {
  switch (strategy) {
    case MissingValues::fill_with_const:
      return constant;
    case MissingValues::fill_with_mode:
      return present.empty() ? constant : mode_of(present);
    default:
      return mean;
  }
}

// Missing values, then outliers, replaced in place.
void fill_column(const NumberFit& fit, NumberColumn column, std::vector<uint8_t>* drop,
                 const Neighbours& near = {}) {
  const auto at = [&](int64_t row) -> double& { return column[row]; };
  fill_holes(column.rows, at, is_hole, fit.strategy, fit.fill, fit.usual, drop, near.groups,
             near.state ? &near.state->missing : nullptr);
  if (!fit.outlier_strategy) return;
  const auto is_outlier = [&](double value) { return value < fit.low || value > fit.high; };
  fill_holes(column.rows, at, is_outlier, *fit.outlier_strategy, fit.outlier_fill, fit.usual, drop,
             near.groups, near.state ? &near.state->outlier : nullptr);
}

// A width that values can be divided by.
double width_or_one(double width) { return width > 0 && std::isfinite(width) ? width : 1; }

Status fit_scale(const FitContext& context, std::vector<double> filled, NumberFit& fit) {
  const Moments m = moments_of(filled);
  switch (fit.normalization) {
    case Normalization::none:
      break;
    case Normalization::zscore:
      fit.shift = m.mean;
      fit.scale = width_or_one(m.deviation);
      break;
    case Normalization::minmax:
      fit.shift = m.minimum;
      fit.scale = width_or_one(m.maximum - m.minimum);
      break;
    case Normalization::iq:
    case Normalization::robust: {
      std::sort(filled.begin(), filled.end());
      fit.shift = quantile(filled, 0.5);
      const double width = quantile(filled, 0.75) - quantile(filled, 0.25);
      // More than half of the rows hold one value: the range is all there is to go by.
      fit.scale = width > 0 ? width : width_or_one((m.maximum - m.minimum) / 2);
      break;
    }
    case Normalization::log1p:
      if (m.minimum < 0)
        return fail(ErrorKind::data,
                    fmt::format("{} has values below 0 ({:g}), whose logarithm log1p cannot take",
                                context.feature, m.minimum),
                    {}, "set preprocessing.normalization to zscore or minmax");
  }
  return {};
}

// x / sqrt(1 + (x/3)²), which keeps small values as they are and brings all others within ±3, and its
// inverse.
double squashed(double x) { return x / std::sqrt(1 + x * x / 9); }
double unsquashed(double y) {
  const double within = std::clamp(y, -2.999, 2.999);
  return within / std::sqrt(1 - within * within / 9);
}

double scaled(const NumberFit& fit, double value) {
  if (fit.normalization == Normalization::log1p) return std::log1p(std::max(value, 0.0));
  const double moved = (value - fit.shift) / fit.scale;
  return fit.normalization == Normalization::robust ? squashed(moved) : moved;
}

// Quantiles at even shares, each once; of a column of one value an interval above it.
std::vector<double> quantile_edges(std::vector<double> values, int64_t bins) {
  std::sort(values.begin(), values.end());
  std::vector<double> edges;
  for (int64_t b = 0; b <= bins; ++b) {
    const double edge =
        static_cast<float>(quantile(values, static_cast<double>(b) / static_cast<double>(bins)));
    if (edges.empty() || edge > edges.back()) edges.push_back(edge);
  }
  if (edges.size() == 1) edges.push_back(edges[0] + std::max(1.0, std::abs(edges[0])));
  return edges;
}

}  // namespace

int64_t bins_of(const NumberInput& input, const Ensemble& ensemble) {
  constexpr int64_t kQuantiles = 256;  // of an encoder that looks at shares of rows
  const auto bins = [](const NumberEncoderSpec& encoder) -> int64_t {
    if (const auto* ple = std::get_if<PleEncoder>(&encoder)) return ple->num_bins;
    if (const auto* bin = std::get_if<BinsEncoder>(&encoder)) return bin->num_bins;
    const auto* periodic = std::get_if<PeriodicEncoder>(&encoder);
    return periodic && periodic->input == NumberView::quantile ? kQuantiles : 0;
  };
  int64_t most = bins(input.encoder);
  for (const EnsembleMember& member : ensemble.members)
    if (member.number_encoder) most = std::max(most, bins(*member.number_encoder));
  return most;
}

MissingRows mark_missing(NumberColumn column, std::vector<uint8_t>& drop) {
  return mark_rows([&](int64_t row) { return is_hole(column[row]); }, drop);
}

Result<NumberFit> fit_number(const NumberPreprocessing& preprocessing, const FitContext& context,
                             NumberColumn column, int64_t bins) {
  NumberFit fit{.normalization = preprocessing.normalization,
                .strategy = preprocessing.missing_value_strategy,
                .fill = preprocessing.fill_value,
                .usual = preprocessing.fill_value,
                .outlier_strategy = preprocessing.outlier_strategy,
                .outlier_fill = preprocessing.fill_value};
  std::vector<double> present;
  present.reserve(context.training_rows.size());
  for (const uint32_t row : context.training_rows)
    if (!is_hole(column[row])) present.push_back(column[row]);
  if (bins > 0) fit.edges = {0, 1};  // of a column without values
  if (present.empty()) {
    if (context.is_output)
      return fail(ErrorKind::data, fmt::format("{} has no number in the training rows", context.feature), {},
                  "check that the column holds numbers");
    return fit;
  }
  const Moments read = moments_of(present);
  fit.minimum = read.minimum, fit.maximum = read.maximum, fit.mean = read.mean;
  if (context.is_output && read.minimum == read.maximum)
    return fail(ErrorKind::data,
                fmt::format("{} is {:g} in every training row", context.feature, read.minimum), {},
                "give data in which it differs: there is nothing to learn");
  if (fit.outlier_strategy) {
    const double reach = preprocessing.outlier_threshold * read.deviation;
    fit.low = read.mean - reach, fit.high = read.mean + reach;
    std::erase_if(present, [&](double value) { return value < fit.low || value > fit.high; });
  }
  fit.usual = present.empty() ? read.mean : moments_of(present).mean;
  fit.fill = fill_of(fit.strategy, preprocessing.fill_value, fit.usual, present);
  if (fit.outlier_strategy)
    fit.outlier_fill = fill_of(*fit.outlier_strategy, preprocessing.fill_value, fit.usual, present);

  // The scale is that of the values as the network will see them, filled ones included.
  std::vector<double> filled;
  filled.reserve(context.training_rows.size());
  for (const uint32_t row : context.training_rows) filled.push_back(column[row]);
  std::vector<uint8_t> drop(filled.size());
  fill_column(fit, {filled.data(), static_cast<int64_t>(filled.size())}, &drop);
  present.clear();
  for (size_t i = 0; i < filled.size(); ++i)
    if (!drop[i]) present.push_back(filled[i]);
  if (present.empty()) return fit;
  if (Status ok = fit_scale(context, present, fit); !ok) return fail(std::move(ok.error()));
  if (bins > 0) {
    for (double& value : present) value = scaled(fit, value);
    fit.edges = quantile_edges(std::move(present), bins);
  }
  return fit;
}

namespace {

// Of a value that is there.
float encoded(const NumberFit& fit, double value) {
  constexpr double kMost = 1e25;  // far out of the training range, and sums of some layers stay numbers
  return static_cast<float>(std::clamp(scaled(fit, value), -kMost, kMost));
}

}  // namespace

void encode(const NumberFit& fit, NumberColumn column, std::vector<uint8_t>* drop, FloatColumn out,
            const Neighbours& near) {
  fill_column(fit, column, drop, near);
  for (int64_t row = 0; row < column.rows; ++row) out[row] = encoded(fit, column[row]);
}

float encode_cell(const NumberFit& fit, double value) {
  if (is_hole(value) || fit.outlier_strategy) fill_column(fit, {&value, 1}, nullptr);
  return encoded(fit, value);
}

double decode(const NumberFit& fit, double encoded, const std::optional<std::array<double, 2>>& clip) {
  double value = encoded;
  if (fit.normalization == Normalization::log1p)
    value = std::expm1(encoded);
  else if (fit.normalization == Normalization::robust)
    value = unsquashed(encoded) * fit.scale + fit.shift;
  else if (fit.normalization != Normalization::none)
    value = encoded * fit.scale + fit.shift;
  return clip ? std::clamp(value, (*clip)[0], (*clip)[1]) : value;
}

}  // namespace shoestring::task
