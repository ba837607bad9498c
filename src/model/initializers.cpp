#include "model/initializers.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "ops/ops.h"

namespace shoestring::model {

using Kind = Initializer::Kind;

Initializer zeros() { return constant(0); }
Initializer ones() { return constant(1); }
Initializer constant(double value) { return {Kind::constant, value}; }
Initializer uniform(double low, double high) { return {Kind::uniform, low, high}; }
Initializer normal(double mean, double deviation) { return {Kind::normal, mean, deviation}; }
Initializer identity() { return {Kind::identity}; }

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

Value draw(Graph& graph, const Type& type, const Initializer& initializer, int64_t stream) {
  switch (initializer.kind) {
    case Kind::constant:
      return ops::broadcast(graph.scalar(type.dtype, initializer.a), type.dims);
    case Kind::uniform:
      return ops::random_uniform(graph, type, initializer.a, initializer.b, stream);
    case Kind::normal:
      return ops::random_normal(graph, type, initializer.a, initializer.b, stream);
    case Kind::identity:
      break;
  }
  if (type.dims.rank() != 2) return graph.error("identity: wants a matrix, not " + to_string(type));
  std::vector<double> row(static_cast<size_t>(type.dims[0]));
  for (size_t i = 0; i < row.size(); ++i) row[i] = static_cast<double>(i);
  return ops::one_hot(graph.constant({DType::i32, {type.dims[0]}}, row), type.dims[1], type.dtype);
}

}  // namespace shoestring::model
