#include "model/number_embeddings.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace shoestring::model {
namespace {

// Columns of one number before the activation.
int64_t width_before(const NumberEmbedding& e) { return gated(e.activation) ? 2 * e.size : e.size; }

using namespace ops;  // arithmetic, spelled with operators

constexpr double kInfinity = std::numeric_limits<double>::infinity();

int64_t most_bins(const Edges& edges) {
  size_t most = 1;
  for (const auto& of_one : edges) most = std::max(most, of_one.size() - 1);
  return static_cast<int64_t>(most);
}

// One value for each bin of each feature; features with fewer bins are filled up.
template <class At>
Value by_bin(Graph& g, const Edges& edges, double fill, At&& at) {
  const int64_t bins = most_bins(edges);
  std::vector<double> values;
  for (const auto& of_one : edges) {
    const size_t own = of_one.size() - 1;
    for (size_t b = 0; b < static_cast<size_t>(bins); ++b) values.push_back(b < own ? at(of_one, b) : fill);
  }
  return g.constant({DType::f32, {static_cast<int64_t>(edges.size()), 1, bins}}, values);
}

// [rows, F] -> [F, rows, 1]
Value by_feature(Value x) {
  const int64_t rows = x.dims()[0], features = x.dims()[1];
  return reshape(transpose(x), {features, rows, 1});
}

// [rows, F] -> [F, rows, bins], each value's place in each bin.
Value places(Value x, const Edges& edges, bool bounded) {
  Graph& g = x.graph();
  const int64_t rows = x.dims()[0], features = x.dims()[1];
  const Shape all{features, rows, most_bins(edges)};
  const auto wide = [&](Value v) { return broadcast(v, all); };
  const auto width = [](const std::vector<double>& e, size_t b) { return 1 / (e[b + 1] - e[b]); };
  const Value scale = by_bin(g, edges, 0, width);
  const Value offset =
      by_bin(g, edges, 0, [&](const std::vector<double>& e, size_t b) { return -e[b] * width(e, b); });
  const Value low = by_bin(
      g, edges, 0, [&](const std::vector<double>&, size_t b) { return b == 0 && !bounded ? -kInfinity : 0; });
  const Value high = by_bin(g, edges, 0, [&](const std::vector<double>& e, size_t b) {
    return b + 2 == e.size() && !bounded ? kInfinity : 1;
  });
  const Value place = wide(by_feature(x)) * wide(scale) + wide(offset);
  return minimum(maximum(place, wide(low)), wide(high));
}

// torch.nn.Linear's own way.
Initializer around_zero(int64_t fan_in) {
  const double limit = 1 / std::sqrt(static_cast<double>(std::max<int64_t>(fan_in, 1)));
  return uniform(-limit, limit);
}

// [F, rows, in] -> [rows, F * size], each feature by its own layer or all by one; `x` beside it.
Value project(Forward& f, Value spread, Value x, const std::string& name, bool shared,
              const NumberEmbedding& e) {
  if (!spread.valid()) return spread;
  const int64_t features = spread.dims()[0], rows = spread.dims()[1], in = spread.dims()[2];
  const int64_t width = width_before(e);
  const Shape of_weights = shared ? Shape{in, width} : Shape{features, in, width};
  const Value weights = f.parameter({.name = name + ".weights",
                                     .type = {DType::f32, of_weights},
                                     .initializer = around_zero(in),
                                     .kind = ParameterKind::weight,
                                     .penalised = true});
  const Value bias = f.parameter({.name = name + ".bias",
                                  .type = {DType::f32, {features, 1, width}},
                                  .initializer = around_zero(in),
                                  .kind = ParameterKind::bias});
  Value y = matmul(spread, weights);
  y = activate(f, y + broadcast_like(bias, y), name, e.activation);
  if (e.plus_input) {
    const Value pieces[] = {by_feature(x), y};
    y = concat(pieces, 2);
  }
  return y.valid() ? reshape(transpose(y, {1, 0, 2}), {rows, features * y.dims()[2]}) : y;
}

}  // namespace

Value piecewise_linear(Forward& f, Value x, const std::string& name, const Edges& edges,
                       const NumberEmbedding& embedding) {
  if (!x.valid()) return x;
  return project(f, places(x, edges, false), x, name, false, embedding);
}

Value binned(Forward& f, Value x, const std::string& name, const Edges& edges, const NumberEmbedding& e) {
  if (!x.valid()) return x;
  Graph& g = x.graph();
  const int64_t rows = x.dims()[0], features = x.dims()[1], bins = most_bins(edges);
  const Shape all{features, rows, bins};
  // A value lies in the bin of the last lower edge that it reaches, the first bin reaching down for ever.
  const Value lower = by_bin(g, edges, kInfinity, [](const std::vector<double>& edge, size_t b) {
    return b == 0 ? -kInfinity : edge[b];
  });
  const Value reached = less_equal(broadcast(lower, all), broadcast(by_feature(x), all));
  std::vector<double> first;  // the number of each feature's first bin, less one
  for (int64_t i = 0; i < features; ++i) first.push_back(static_cast<double>(i * bins - 1));
  const Value number =
      reduce_sum(reached, {2}) + broadcast(g.constant({DType::f32, {features, 1}}, first), {features, rows});
  const Value table = f.parameter({.name = name + ".embedding",
                                   .type = {DType::f32, {features * bins, width_before(e)}},
                                   .initializer = uniform(-1, 1),
                                   .kind = ParameterKind::embedding,
                                   .penalised = true});
  Value y = activate(f, gather(table, cast(number, DType::i32)), name, e.activation);
  if (e.plus_input) {
    const Value pieces[] = {by_feature(x), y};
    y = concat(pieces, 2);
  }
  return y.valid() ? reshape(transpose(y, {1, 0, 2}), {rows, features * y.dims()[2]}) : y;
}

Value periodic(Forward& f, Value x, const std::string& name, const Periodic& p,
               const NumberEmbedding& embedding) {
  if (!x.valid()) return x;
  const int64_t rows = x.dims()[0], features = x.dims()[1];
  const Value frequencies = f.parameter({.name = name + ".frequencies",
                                         .type = {DType::f32, {features, 1, p.frequencies}},
                                         .initializer = normal(0, p.sigma),
                                         .kind = ParameterKind::frequency});
  const Shape all{features, rows, p.frequencies};
  const Value angle = broadcast(by_feature(x), all) * broadcast(frequencies * (2 * std::numbers::pi), all);
  const Value pieces[] = {cos(angle), sin(angle)};
  return project(f, concat(pieces, 2), x, name, p.shared, embedding);
}

Value quantile_of(Value x, const Edges& edges) {
  if (!x.valid()) return x;
  // Every bin counts the same share of a feature's own bins.
  const Value share = by_bin(x.graph(), edges, 0, [](const std::vector<double>& e, size_t) {
    return 2 * std::sqrt(3.0) / static_cast<double>(e.size() - 1);
  });
  const Value place = places(x, edges, true);
  const Value sum = reduce_sum(place * broadcast_like(share, place), {2});
  return transpose(sum - std::sqrt(3.0));
}

}  // namespace shoestring::model
