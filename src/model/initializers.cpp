#include "model/initializers.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "model/orthogonal.h"
#include "ops/ops.h"

namespace shoestring::model {

// Streams of a parameter's second draw: far from all others (task/network.h).
constexpr int64_t kSecondStream = int64_t{1} << 30;

using Kind = Initializer::Kind;

Initializer zeros() { return constant(0); }
Initializer ones() { return constant(1); }
Initializer constant(double value) { return {Kind::constant, value}; }
Initializer uniform(double low, double high) { return {Kind::uniform, low, high}; }
Initializer normal(double mean, double deviation) { return {Kind::normal, mean, deviation}; }
Initializer identity() { return {Kind::identity}; }
Initializer orthogonal(double gain) { return {Kind::orthogonal, gain}; }
Initializer sparse(double sparsity, double deviation) { return {Kind::sparse, sparsity, deviation}; }

Initializer dirac(double limit) { return {Kind::dirac, limit}; }

namespace {

double size(int64_t fan) { return static_cast<double>(std::max<int64_t>(fan, 1)); }

// A uniform or normal distribution of mean 0 and the given standard deviation.
Initializer centred_uniform(double deviation) {
  const double limit = std::sqrt(3.0) * deviation;
  return uniform(-limit, limit);
}

}  // namespace

Initializer xavier_uniform(Fans fans, double gain) {
  return centred_uniform(gain * std::sqrt(2.0 / size(fans.in + fans.out)));
}
Initializer xavier_normal(Fans fans, double gain) {
  return normal(0, gain * std::sqrt(2.0 / size(fans.in + fans.out)));
}
Initializer kaiming_uniform(int64_t fan, double gain) { return centred_uniform(gain / std::sqrt(size(fan))); }
Initializer kaiming_normal(int64_t fan, double gain) { return normal(0, gain / std::sqrt(size(fan))); }

namespace {

Value identity_of(Graph& graph, const Type& type) {
  std::vector<double> row(static_cast<size_t>(type.dims[0]));
  for (size_t i = 0; i < row.size(); ++i) row[i] = static_cast<double>(i);
  return ops::one_hot(graph.constant({DType::i32, {type.dims[0]}}, row), type.dims[1], type.dtype);
}

Value dirac_of(Graph& graph, const Type& type, double limit, int64_t stream) {
  const int64_t h = type.dims[0], w = type.dims[1], channels = type.dims[2], filters = type.dims[3];
  const Value taps =
      ops::reshape(identity_of(graph, {type.dtype, {channels, filters}}), {1, 1, channels, filters});
  const Value passing = ops::pad_slice(ops::pad_slice(taps, 0, h / 2, h), 1, w / 2, w);
  if (filters <= channels) return passing;
  std::vector<double> of_filter(static_cast<size_t>(filters), 1);
  std::fill_n(of_filter.begin(), channels, 0.0);
  const Value others = ops::broadcast(graph.constant({type.dtype, {filters}}, of_filter), type.dims);
  return ops::where(others, ops::random_uniform(graph, type, -limit, limit, stream), passing);
}

// The `count` smallest numbers of each row as a mask: a threshold is found by halving [0, 1) until it is
// finer than the 24 bits of a draw.
Value smallest(Value uniform, double count) {
  using namespace ops;
  const Shape rows{uniform.dims()[0], 1};
  Graph& g = uniform.graph();
  const auto all = [&](double x) { return ops::broadcast(g.scalar(uniform.type().dtype, x), rows); };
  const auto below = [&](Value threshold) {
    return ops::less_equal(uniform, ops::broadcast(threshold, uniform.dims()));
  };
  Value low = all(0), high = all(1);
  for (int i = 0; i < 26; ++i) {
    const Value middle = (low + high) * 0.5;
    const Value enough = ops::less_equal(all(count), ops::reduce_sum(below(middle), {1}, true));
    low = ops::where(enough, low, middle);
    high = ops::where(enough, middle, high);
  }
  return below(high);
}

Value sparse_of(Graph& graph, const Type& type, const Initializer& i, int64_t stream) {
  const Value values = ops::random_normal(graph, type, 0, i.b, stream);
  const double zeros = std::ceil(i.a * static_cast<double>(type.dims[1]));
  if (zeros == 0 || !values.valid()) return values;
  const Value mask = smallest(ops::random_uniform(graph, type, 0, 1, kSecondStream + stream), zeros);
  return ops::where(mask, ops::broadcast(graph.scalar(type.dtype, 0), type.dims), values);
}

}  // namespace

Value draw(Graph& graph, const Type& type, const Initializer& initializer, int64_t stream) {
  switch (initializer.kind) {
    case Kind::constant:
      return ops::broadcast(graph.scalar(type.dtype, initializer.a), type.dims);
    case Kind::uniform:
      return ops::random_uniform(graph, type, initializer.a, initializer.b, stream);
    case Kind::normal:
      return ops::random_normal(graph, type, initializer.a, initializer.b, stream);
    default:
      break;
  }
  if (initializer.kind == Kind::dirac && type.dims.rank() == 4)
    return dirac_of(graph, type, initializer.a, stream);
  if (type.dims.rank() != 2)
    return graph.error("initializer: wants a matrix, or filters for dirac, not " + to_string(type));
  if (initializer.kind == Kind::identity) return identity_of(graph, type);
  if (initializer.kind == Kind::sparse) return sparse_of(graph, type, initializer, stream);
  const Value gaussian = ops::random_normal(graph, type, 0, 1, stream);
  return ops::mul(orthogonal(gaussian), ops::broadcast(graph.scalar(type.dtype, initializer.a), type.dims));
}

}  // namespace shoestring::model
