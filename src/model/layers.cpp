#include "model/layers.h"

#include <algorithm>
#include <array>

namespace shoestring::model {

using namespace ops;  // arithmetic, spelled with operators

Value Forward::parameter(Parameter parameter) {
  const Value seen = value(parameter);
  const bool known = std::any_of(parameters_.begin(), parameters_.end(),
                                 [&](const Parameter& p) { return p.name == parameter.name; });
  if (!known) {
    parameter.rate_factor *= rate_factor_;
    if (frozen_) parameter.trainable = parameter.penalised = false;
    parameters_.push_back(std::move(parameter));
  }
  return seen;
}

Value Forward::value(const Parameter& parameter) const {
  const Value value = graph_->read({parameter.name, parameter.type, parameter.role});
  return view_ ? view_(parameter, value) : value;
}

InitializerOf always(Initializer initializer) {
  return [initializer](Fans) { return initializer; };
}

namespace {

Value vector(Forward& f, const std::string& name, int64_t size, const Initializer& initializer,
             ParameterKind kind, StateRole role = StateRole::parameter) {
  return f.parameter({.name = name,
                      .type = {DType::f32, {size}},
                      .initializer = initializer,
                      .role = role,
                      .kind = kind,
                      .trainable = role == StateRole::parameter});
}

Value batch_norm(Forward& f, Value x, const std::string& name, const NormParams& params) {
  const int64_t n = x.dims().back();
  const Value scale = params.scales ? vector(f, name + ".scale", n, ones(), ParameterKind::norm)
                                    : ops::broadcast(f.graph().scalar(DType::f32, 1), {n});
  const Value shift = vector(f, name + ".shift", n, zeros(), ParameterKind::norm);
  const Value mean = vector(f, name + ".mean", n, zeros(), ParameterKind::norm, StateRole::statistic);
  const Value variance = vector(f, name + ".variance", n, ones(), ParameterKind::norm, StateRole::statistic);
  if (f.training() && x.dims()[0] > 1) {
    const ops::BatchNorm out =
        ops::batch_norm(x, scale, shift, mean, variance, params.momentum, params.epsilon);
    if (!out.y.valid()) return out.y;
    f.update(name + ".mean", out.mean);
    f.update(name + ".variance", out.variance);
    return out.y;
  }
  // (x - mean) / sqrt(variance + epsilon) * scale + shift, with all that is known per column done there.
  const Value factor = scale * ops::rsqrt(variance + params.epsilon);
  const Value offset = shift - mean * factor;
  return x * ops::broadcast_like(factor, x) + ops::broadcast_like(offset, x);
}

}  // namespace

Value linear(Forward& f, Value x, const std::string& name, const Linear& layer) {
  if (!x.valid()) return x;
  const Fans fans{x.dims().back(), layer.output_size};
  const Value weights = f.parameter({.name = name + ".weights",
                                     .type = {DType::f32, {fans.in, fans.out}},
                                     .initializer = layer.weights(fans),
                                     .hidden = !layer.head,
                                     .penalised = true});
  if (!layer.use_bias) return ops::matmul(x, weights);
  return ops::matmul(x, weights, {},
                     vector(f, name + ".bias", fans.out, layer.bias(fans), ParameterKind::bias));
}

Value norm(Forward& f, Value x, const std::string& name, Norm kind, const NormParams& params) {
  if (!x.valid() || kind == Norm::none) return x;
  if (kind == Norm::batch) return batch_norm(f, x, name, params);
  const int64_t n = x.dims().back();
  const Value scale = vector(f, name + ".scale", n, ones(), ParameterKind::norm);
  const Value shift = vector(f, name + ".shift", n, zeros(), ParameterKind::norm);
  return ops::layer_norm(x, scale, shift, params.epsilon);
}

Value dropout(Forward& f, Value x, double rate) {
  return f.training() && rate > 0 ? ops::dropout(x, rate) : x;
}

Value fc_layer(Forward& f, Value x, const std::string& name, const FcLayer& layer) {
  Linear wide = layer.linear;
  if (gated(layer.activation)) wide.output_size *= 2;
  Value y = linear(f, x, name, wide);
  y = norm(f, y, name + ".norm", layer.norm, layer.norm_params);
  return dropout(f, activate(f, y, name, layer.activation), layer.dropout);
}

Value fc_stack(Forward& f, Value x, const std::string& name, const FcStack& stack) {
  if (stack.layers.empty()) return x;
  x = norm(f, x, name + ".norm", stack.input_norm, stack.input_norm_params);
  x = dropout(f, x, stack.input_dropout);
  for (size_t i = 0; i < stack.layers.size(); ++i) {
    const Value y = fc_layer(f, x, name + ".fc" + std::to_string(i), stack.layers[i]);
    x = stack.residual && y.type() == x.type() ? ops::add(y, x) : y;
  }
  return x;
}

Value embedding(Forward& f, Value numbers, const std::string& name, const Embedding& layer) {
  const Value table = f.parameter({.name = name + ".embedding",
                                   .type = {DType::f32, {layer.entries, layer.size}},
                                   .initializer = layer.initializer,
                                   .kind = ParameterKind::embedding,
                                   .trainable = layer.trainable,
                                   .penalised = layer.trainable});
  return ops::gather(table, numbers);
}

Value scale_columns(Forward& f, Value x, const std::string& name) {
  if (!x.valid()) return x;
  return x *
         ops::broadcast_like(vector(f, name + ".scale", x.dims().back(), ones(), ParameterKind::scale), x);
}

Value spread_over_members(Forward& f, Value x, const std::string& name, int64_t members) {
  if (!x.valid()) return x;
  const int64_t rows = x.dims()[0], n = x.dims()[1];
  const Value adapter = f.parameter({.name = name + ".adapter",
                                     .type = {DType::f32, {members, 1, n}},
                                     .initializer = normal(0, 1),
                                     .kind = ParameterKind::scale});
  const Shape all{members, rows, n};
  return ops::broadcast(x, all) * ops::broadcast(adapter, all);
}

Value linear_of_each(Forward& f, Value x, const std::string& name, const Linear& layer) {
  if (!x.valid()) return x;
  const Fans fans{x.dims().back(), layer.output_size};
  const int64_t members = x.dims()[0];
  const Value weights = f.parameter({.name = name + ".weights",
                                     .type = {DType::f32, {members, fans.in, fans.out}},
                                     .initializer = layer.weights(fans),
                                     .penalised = true});
  const Value y = ops::matmul(x, weights);
  if (!layer.use_bias) return y;
  const Value bias = f.parameter({.name = name + ".bias",
                                  .type = {DType::f32, {members, 1, fans.out}},
                                  .initializer = layer.bias(fans),
                                  .kind = ParameterKind::bias});
  return y + ops::broadcast_like(bias, y);
}

}  // namespace shoestring::model
