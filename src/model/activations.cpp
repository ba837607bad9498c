#include "model/activations.h"

#include <iterator>
#include <limits>

#include "model/layers.h"
#include "ops/rows.h"

namespace shoestring::model {
namespace {

using namespace ops;  // its operators spell the formulas

Value number(Value like, double value) {
  return broadcast_like(like.graph().scalar(like.type().dtype, value), like);
}

// Both sides of 0: x above, what f makes of x below. f sees 0 where x is above, so that nothing overflows
// that is not chosen, and at 0 the slope is that of below, as in PyTorch.
template <class F>
Value above_and_below(Value x, double slope_above, F&& f) {
  const Value zero = number(x, 0), above = less(zero, x);
  return where(above, slope_above == 1 ? x : x * slope_above, f(where(above, zero, x)));
}

Value elu(Value x) {
  return above_and_below(x, 1, [](Value low) { return exp(low) - 1.0; });
}
// Self-normalising (Klambauer and others, 2017).
Value selu(Value x) {
  constexpr double kAlpha = 1.6732632423543772848170429916717, kScale = 1.0507009873554804934193349852946;
  return above_and_below(x, kScale, [](Value low) { return (exp(low) - 1.0) * (kAlpha * kScale); });
}
Value leaky_relu(Value x) {
  return above_and_below(x, 1, [](Value low) { return low * 0.01; });
}

// log(1 + e^x) is the binary cross-entropy of a negative, which is safe for every x.
Value softplus(Value x) { return binary_cross_entropy(x, number(x, 0)); }
Value log_sigmoid(Value x) { return neg(binary_cross_entropy(x, number(x, 1))); }

Value silu(Value x) { return x * sigmoid(x); }
Value mish(Value x) { return x * tanh(softplus(x)); }

Value relu6(Value x) { return clamp(x, 0, 6); }
Value hardsigmoid(Value x) { return relu6(x + 3.0) * (1.0 / 6); }
Value hardswish(Value x) { return x * hardsigmoid(x); }

template <Value (*f)(Value)>
Value gate(Value x) {
  const int64_t n = x.dims().back() / 2;
  return f(slice(x, -1, 0, n)) * slice(x, -1, n, n);
}

// ---- projections onto the probabilities, of which most become exactly 0 ----
//
// Both are f(max(0, z - t)) with the threshold t that makes their sum 1. Which entries lie above it is found
// from the sorted ones, without a gradient; t as a function of those entries alone then has the right one.

// Entries less the largest, none below -1: there both are 0 whatever stands there, and sums stay small.
Value below_largest(Value x) {
  const Value largest = stop_gradient(reduce_max(x, {-1}, true));
  return clamp(x - broadcast_like(largest, x), -1, std::numeric_limits<double>::infinity());
}

// 1, 2, .. n along the last axis.
Value ranks(Value like) { return cumsum(number(like, 1)); }

Value sum(Value x) { return reduce_sum(x, {-1}, true); }

// The first k sorted entries are the support, k the largest for which 1 + k z_k > z_1 + .. + z_k.
Value sparsemax(Value x) {
  const Value z = below_largest(x), sorted = sort(stop_gradient(z), true).values;
  const Value inside = less(cumsum(sorted), 1.0 + ranks(sorted) * sorted);
  const Value threshold = reduce_min(where(inside, sorted, number(sorted, 0)), {-1}, true);  // z_k
  const Value support = less_equal(broadcast_like(threshold, z), z);
  const Value t = (sum(where(support, z, number(z, 0))) - 1.0) / sum(support);
  return relu(z - broadcast_like(t, z));
}

// With z = x / 2: the k-th sorted entry is in the support if it is at least
//   t_k = mean - sqrt((1 - squares) / k), of the first k: their mean, and the sum of squares of differences
//   to it.
Value entmax15(Value x) {
  const Value z = below_largest(x * 0.5), sorted = sort(stop_gradient(z), true).values, k = ranks(sorted);
  const Value mean = cumsum(sorted) / k;
  const Value squares = cumsum(square(sorted)) - k * square(mean);
  const Value t_k = mean - sqrt(relu((1.0 - squares) / k));
  const Value inside = less_equal(t_k, sorted);
  const Value threshold = reduce_min(where(inside, sorted, number(sorted, 0)), {-1}, true);
  const Value support = less_equal(broadcast_like(threshold, z), z), size = sum(support);
  const auto of_support = [&](Value v) { return sum(where(support, v, number(v, 0))); };
  const Value middle = of_support(z) / size;
  const Value left = 1.0 - of_support(square(z - broadcast_like(middle, z)));
  const Value t = middle - sqrt(left / size);
  return square(relu(z - broadcast_like(t, z)));
}

Value same(Value x) { return x; }

using Builder = Value (*)(Value);
// In the order of the enum; prelu, which has a parameter, is not among them.
constexpr Builder kBuilders[] = {same,       relu,        tanh,       sigmoid,    gelu,        elu,
                                 leaky_relu, log_sigmoid, softmax,    silu,       silu,        mish,
                                 selu,       nullptr,     relu6,      hardswish,  hardsigmoid, softplus,
                                 elu,        gate<silu>,  gate<gelu>, gate<relu>, sparsemax,   entmax15};
static_assert(std::size(kBuilders) == std::size(kActivationNames));

}  // namespace

bool gated(Activation a) {
  return a == Activation::swiglu || a == Activation::geglu || a == Activation::reglu;
}

Value activate(Forward& f, Value x, const std::string& name, Activation activation) {
  if (!x.valid()) return x;
  if (const Builder build = kBuilders[static_cast<size_t>(activation)]) return build(x);
  const Value slope = f.parameter({.name = name + ".slope",
                                   .type = {DType::f32, {1}},
                                   .initializer = constant(0.25),
                                   .kind = ParameterKind::scale});
  return above_and_below(x, 1, [&](Value low) { return low * broadcast_like(slope, low); });
}

}  // namespace shoestring::model
