#include "ops/ops.h"

#include <algorithm>
#include <array>

#include "ops/conv.h"
#include "ops/loop.h"
#include "ops/rows.h"

namespace shoestring::ops {
namespace {

Value append(Graph& graph, std::string_view name, std::span<const Value> inputs, const Attrs& attrs) {
  const OpDef* op = find(name);
  return op ? graph.add(*op, inputs, attrs) : graph.error(fmt::format("there is no operator '{}'", name));
}

// Appends the operator of that name to the graph of its first input.
Value node(std::string_view name, std::span<const Value> inputs, const Attrs& attrs = {}) {
  for (const Value& v : inputs)
    if (v.valid()) return append(v.graph(), name, inputs, attrs);
  return {};
}
Value node(std::string_view name, std::initializer_list<Value> inputs, const Attrs& attrs = {}) {
  return node(name, std::span(inputs.begin(), inputs.size()), attrs);
}

// Two operands of one shape: a scalar beside a tensor is broadcast to it.
Value arithmetic(std::string_view name, Value a, Value b) {
  if (a.valid() && b.valid()) {
    if (a.dims().rank() == 0) a = broadcast_like(a, b);
    if (b.dims().rank() == 0) b = broadcast_like(b, a);
  }
  return node(name, {a, b});
}
Value number(double x, Value like) {
  return like.valid() ? like.graph().scalar(like.type().dtype, x) : Value();
}

std::vector<int64_t> list(const Shape& dims) { return {dims.begin(), dims.end()}; }

Value random(std::string_view name, Graph& graph, Type type, int64_t stream, Attrs attrs) {
  attrs.set("dtype", std::string(info(type.dtype).name));
  attrs.set("dims", list(type.dims));
  attrs.set("stream", stream == 0 ? graph.next_stream() : stream);
  return append(graph, name, {}, attrs);
}

// Attributes of what slides over pictures.
template <class Options>
Attrs places(const Options& o) {
  return {{"strides", std::vector<int64_t>(o.strides.begin(), o.strides.end())},
          {"padding", std::vector<int64_t>(o.padding.begin(), o.padding.end())},
          {"dilations", std::vector<int64_t>(o.dilations.begin(), o.dilations.end())}};
}
Attrs sliding(const ConvOptions& o) {
  Attrs attrs = places(o);
  attrs.set("groups", o.groups);
  return attrs;
}
Attrs pooling(const PoolOptions& o) {
  Attrs attrs = places(o);
  attrs.set("kernel", std::vector<int64_t>(o.kernel.begin(), o.kernel.end()));
  return attrs;
}

}  // namespace

const OpDef* find(std::string_view name) {
  for (const OpDef* op : all())
    if (op->name == name) return op;
  return nullptr;
}

Value add(Value a, Value b) { return node("add", {a, b}); }
Value sub(Value a, Value b) { return node("sub", {a, b}); }
Value mul(Value a, Value b) { return node("mul", {a, b}); }
Value div(Value a, Value b) { return node("div", {a, b}); }
Value neg(Value x) { return node("neg", {x}); }
Value abs(Value x) { return node("abs", {x}); }
Value sign(Value x) { return node("sign", {x}); }
Value minimum(Value a, Value b) { return node("minimum", {a, b}); }
Value maximum(Value a, Value b) { return node("maximum", {a, b}); }
Value clamp(Value x, double low, double high) { return node("clamp", {x}, {{"low", low}, {"high", high}}); }
Value equal(Value a, Value b) { return node("equal", {a, b}); }
Value less(Value a, Value b) { return node("less", {a, b}); }
Value less_equal(Value a, Value b) { return node("less_equal", {a, b}); }
Value greater(Value a, Value b) { return node("less", {b, a}); }
Value where(Value condition, Value a, Value b) { return node("where", {condition, a, b}); }
Value exp(Value x) { return node("exp", {x}); }
Value log(Value x) { return node("log", {x}); }
Value log1p(Value x) { return node("log1p", {x}); }
Value pow(Value a, Value b) { return node("pow", {a, b}); }
Value sin(Value x) { return node("sin", {x}); }
Value cos(Value x) { return node("cos", {x}); }
Value erf(Value x) { return node("erf", {x}); }
Value sqrt(Value x) { return node("sqrt", {x}); }
Value rsqrt(Value x) { return node("rsqrt", {x}); }
Value tanh(Value x) { return node("tanh", {x}); }
Value sigmoid(Value x) { return node("sigmoid", {x}); }
Value relu(Value x) { return node("relu", {x}); }
Value gelu(Value x) { return node("gelu", {x}); }
Value gelu_slope(Value x) { return node("gelu_slope", {x}); }
Value square(Value x) { return node("square", {x}); }
Value lerp(Value a, Value b, Value t) { return node("lerp", {a, b, t}); }
Value is_finite(Value x) { return node("is_finite", {x}); }

Value squared_error(Value prediction, Value target) { return node("squared_error", {prediction, target}); }
Value absolute_error(Value prediction, Value target) { return node("absolute_error", {prediction, target}); }
Value huber(Value prediction, Value target, double delta) {
  return node("huber", {prediction, target}, {{"delta", delta}});
}
Value binary_cross_entropy(Value logits, Value target, double positive_weight) {
  return node("binary_cross_entropy", {logits, target}, {{"positive_weight", positive_weight}});
}

Value broadcast(Value x, const Shape& to) {
  if (x.valid() && x.dims() == to) return x;
  return node("broadcast", {x}, {{"dims", list(to)}});
}
Value broadcast_like(Value x, Value like) { return like.valid() ? broadcast(x, like.dims()) : Value(); }
Value reshape(Value x, const Shape& to) {
  if (x.valid() && x.dims() == to) return x;
  return node("reshape", {x}, {{"dims", list(to)}});
}
Value transpose(Value x, std::vector<int64_t> permutation) {
  return node("transpose", {x}, {{"permutation", std::move(permutation)}});
}
Value concat(std::span<const Value> xs, int64_t axis) { return node("concat", xs, {{"axis", axis}}); }
Value slice(Value x, int64_t axis, int64_t begin, int64_t size) {
  return node("slice", {x}, {{"axis", axis}, {"begin", begin}, {"size", size}});
}
Value pad_slice(Value x, int64_t axis, int64_t begin, int64_t size) {
  if (!x.valid()) return {};
  const int rank = x.dims().rank();
  const int64_t a = axis < 0 ? axis + rank : axis;
  if (a < 0 || a >= rank)
    return x.graph().error(fmt::format("pad: {} has no axis {}", to_string(x.type()), axis));
  std::vector<int64_t> before(static_cast<size_t>(rank)), after = before;
  before[static_cast<size_t>(a)] = begin;
  after[static_cast<size_t>(a)] = size - x.dims()[static_cast<int>(a)] - begin;
  return pad(x, std::move(before), std::move(after));
}
Value pad(Value x, std::vector<int64_t> before, std::vector<int64_t> after, double value) {
  return node("pad", {x}, {{"before", std::move(before)}, {"after", std::move(after)}, {"value", value}});
}
// Declared in loop.h.
Value slice_at(Value x, Value position, int64_t axis, int64_t size) {
  return node("slice_at", {x, position}, {{"axis", axis}, {"size", size}});
}
Value update_at(Value x, Value rows, Value position, int64_t axis) {
  return node("update_at", {x, rows, position}, {{"axis", axis}});
}
Value cast(Value x, DType to) {
  if (x.valid() && x.type().dtype == to) return x;
  return node("cast", {x}, {{"dtype", std::string(info(to).name)}});
}
Value reorder(Value x, const Layout& from, const Layout& to) {
  if (from == to) return x;
  return node("reorder", {x}, {{"from", from.attribute()}, {"to", to.attribute()}});
}
Value one_hot(Value indices, int64_t classes, DType dtype) {
  return node("one_hot", {indices}, {{"classes", classes}, {"dtype", std::string(info(dtype).name)}});
}

Value reduce_sum(Value x, std::vector<int64_t> axes, bool keep) {
  return node("reduce_sum", {x}, {{"axes", std::move(axes)}, {"keep", keep}});
}
Value reduce_mean(Value x, std::vector<int64_t> axes, bool keep) {
  return node("reduce_mean", {x}, {{"axes", std::move(axes)}, {"keep", keep}});
}
Value reduce_max(Value x, std::vector<int64_t> axes, bool keep) {
  return node("reduce_max", {x}, {{"axes", std::move(axes)}, {"keep", keep}});
}
Value reduce_min(Value x, std::vector<int64_t> axes, bool keep) {
  return node("reduce_min", {x}, {{"axes", std::move(axes)}, {"keep", keep}});
}
Value reduce_prod(Value x, std::vector<int64_t> axes, bool keep) {
  return node("reduce_prod", {x}, {{"axes", std::move(axes)}, {"keep", keep}});
}
Value sum_squares(Value x) { return node("sum_squares", {x}); }
Value argmax(Value x, int64_t axis) { return node("argmax", {x}, {{"axis", axis}}); }
Value cumsum(Value x, int64_t axis, bool reverse, bool exclusive) {
  return node("cumsum", {x}, {{"axis", axis}, {"reverse", reverse}, {"exclusive", exclusive}});
}

std::string_view to_string(Activation activation) {
  constexpr std::array<std::string_view, 5> names = {"none", "relu", "tanh", "sigmoid", "gelu"};
  return names[static_cast<size_t>(activation)];
}
Value matmul(Value a, Value b, MatmulOptions options, Value bias) {
  const std::array operands = {a, b, bias};
  return node("matmul", std::span(operands).first(bias.valid() ? 3 : 2),
              {{"transpose_a", options.transpose_a},
               {"transpose_b", options.transpose_b},
               {"activation", std::string(to_string(options.activation))}});
}

// Declared in conv.h.
std::array<int64_t, 4> same_padding(int64_t h, int64_t w, std::array<int64_t, 2> kernel,
                                    std::array<int64_t, 2> strides, std::array<int64_t, 2> dilations) {
  std::array<int64_t, 4> padding{};
  const std::array in{h, w};
  for (size_t a : {0u, 1u}) {
    const int64_t out = (in[a] + strides[a] - 1) / strides[a];
    const int64_t all =
        std::max<int64_t>(0, (out - 1) * strides[a] + (kernel[a] - 1) * dilations[a] + 1 - in[a]);
    padding[a] = all / 2;
    padding[a + 2] = all - padding[a];
  }
  return padding;
}
Value conv2d(Value x, Value filters, ConvOptions options, Value bias) {
  const std::array operands = {x, filters, bias};
  return node("conv2d", std::span(operands).first(bias.valid() ? 3 : 2), sliding(options));
}
Value conv2d_transpose(Value y, Value filters, int64_t h, int64_t w, ConvOptions options, Value bias) {
  Attrs attrs = sliding(options);
  attrs.set("size", std::vector{h, w});
  const Value x = node("conv2d_transpose", {y, filters}, attrs);
  return bias.valid() ? add(x, broadcast_like(bias, x)) : x;
}
Value conv2d_filter(Value x, Value upstream, int64_t kh, int64_t kw, ConvOptions options) {
  Attrs attrs = sliding(options);
  attrs.set("kernel", std::vector{kh, kw});
  return node("conv2d_filter", {x, upstream}, attrs);
}
Value max_pool(Value x, PoolOptions options) { return node("max_pool", {x}, pooling(options)); }
Value average_pool(Value x, PoolOptions options, bool count_padding) {
  Attrs attrs = pooling(options);
  attrs.set("count_padding", count_padding);
  return node("average_pool", {x}, attrs);
}
Value adaptive_max_pool(Value x, int64_t p, int64_t q) {
  return node("max_pool", {x}, {{"adaptive", std::vector{p, q}}});
}
Value adaptive_average_pool(Value x, int64_t p, int64_t q) {
  return node("average_pool", {x}, {{"adaptive", std::vector{p, q}}});
}
Value upsample(Value x, int64_t p, int64_t q, Upsampling mode) {
  const std::string name = mode == Upsampling::bilinear ? "bilinear" : "nearest";
  return node("upsample", {x}, {{"size", std::vector{p, q}}, {"mode", name}});
}
Value upsample_by(Value x, int64_t factor, Upsampling mode) {
  if (!x.valid() || x.dims().rank() != 4) return upsample(x, 0, 0, mode);  // which says what is wrong
  return upsample(x, x.dims()[1] * factor, x.dims()[2] * factor, mode);
}

Value softmax(Value x) { return node("softmax", {x}); }
Value log_softmax(Value x) { return node("log_softmax", {x}); }
Value cross_entropy(Value logits, Value classes, double label_smoothing, Value weights) {
  const std::array operands = {logits, classes, weights};
  return node("cross_entropy", std::span(operands).first(weights.valid() ? 3 : 2),
              {{"label_smoothing", label_smoothing}});
}
Value layer_norm(Value x, Value scale, Value shift, double epsilon) {
  return node("layer_norm", {x, scale, shift}, {{"epsilon", epsilon}});
}
Value rms_norm(Value x, Value scale, double epsilon) {
  return node("rms_norm", {x, scale}, {{"epsilon", epsilon}});
}
Value group_norm(Value x, Value scale, Value shift, int64_t groups, double epsilon) {
  return node("group_norm", {x, scale, shift}, {{"groups", groups}, {"epsilon", epsilon}});
}
BatchNorm batch_norm(Value x, Value scale, Value shift, Value running_mean, Value running_variance,
                     double momentum, double epsilon) {
  const Value y = node("batch_norm", {x, scale, shift, running_mean, running_variance},
                       {{"momentum", momentum}, {"epsilon", epsilon}});
  return {y, y.output(1), y.output(2)};
}

Ordered sort(Value x, bool descending) {
  const Value values = node("sort", {x}, {{"descending", descending}});
  return {values, values.output(1)};
}
Ordered top_k(Value x, int64_t k) {
  const Value values = node("top_k", {x}, {{"k", k}});
  return {values, values.output(1)};
}

Value attention(Value q, Value k, Value v, AttentionOptions options, Value mask) {
  const std::array operands = {q, k, v, mask};
  return node("attention", std::span(operands).first(mask.valid() ? 4 : 3),
              {{"causal", options.causal}, {"scale", options.scale}});
}

Value gather(Value table, Value indices) { return node("gather", {table, indices}); }
Value gather_grad(Value upstream, Value indices, int64_t rows) {
  return node("gather_grad", {upstream, indices}, {{"rows", rows}});
}
Value scatter_add(Value target, Value indices, Value updates) {
  return node("scatter_add", {target, indices, updates});
}
Value take_along(Value x, Value indices) { return node("take_along", {x, indices}); }
Value put_along(Value x, Value indices, int64_t size) {
  return node("put_along", {x, indices}, {{"size", size}});
}
Value stop_gradient(Value x) { return node("stop_gradient", {x}); }

Value random_uniform(Graph& graph, Type type, double low, double high, int64_t stream) {
  return random("random_uniform", graph, type, stream, {{"low", low}, {"high", high}});
}
Value random_normal(Graph& graph, Type type, double mean, double deviation, int64_t stream) {
  return random("random_normal", graph, type, stream, {{"mean", mean}, {"deviation", deviation}});
}
Value dropout(Value x, double rate, int64_t stream) {
  if (!x.valid()) return {};
  return node("dropout", {x}, {{"rate", rate}, {"stream", stream == 0 ? x.graph().next_stream() : stream}});
}

Value operator+(Value a, Value b) { return arithmetic("add", a, b); }
Value operator-(Value a, Value b) { return arithmetic("sub", a, b); }
Value operator*(Value a, Value b) { return arithmetic("mul", a, b); }
Value operator/(Value a, Value b) { return arithmetic("div", a, b); }
Value operator-(Value x) { return neg(x); }
Value operator+(Value a, double b) { return a + number(b, a); }
Value operator-(Value a, double b) { return a - number(b, a); }
Value operator*(Value a, double b) { return a * number(b, a); }
Value operator/(Value a, double b) { return a / number(b, a); }
Value operator+(double a, Value b) { return number(a, b) + b; }
Value operator-(double a, Value b) { return number(a, b) - b; }
Value operator*(double a, Value b) { return number(a, b) * b; }
Value operator/(double a, Value b) { return number(a, b) / b; }

}  // namespace shoestring::ops
