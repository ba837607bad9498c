#include "task/layer_words.h"

#include <cmath>

#include "base/overloaded.h"

namespace shoestring::task {
namespace {

double gain_of(init::Gain nonlinearity, double a) {
  switch (nonlinearity) {
    case init::Gain::linear:
    case init::Gain::sigmoid:
      return 1;
    case init::Gain::tanh:
      return 5.0 / 3;
    case init::Gain::relu:
      return std::sqrt(2.0);
    case init::Gain::leaky_relu:
      return std::sqrt(2 / (1 + a * a));
    case init::Gain::selu:
      return 3.0 / 4;
  }
  return 1;
}

model::Norm norm_of(Norm norm) {
  switch (norm) {
    case Norm::none:
      return model::Norm::none;
    case Norm::batch:
      return model::Norm::batch;
    case Norm::layer:
      return model::Norm::layer;
  }
  return model::Norm::none;
}

model::NormParams params_of(const NormParams& p) { return {.epsilon = p.eps, .momentum = p.momentum}; }

}  // namespace

model::Initializer initializer(const InitializerSpec& spec, model::Fans fans) {
  const auto fan = [&](init::Fan mode) { return mode == init::Fan::fan_in ? fans.in : fans.out; };
  return std::visit(Overloaded{
                        [&](const init::XavierUniform& i) { return model::xavier_uniform(fans, i.gain); },
                        [&](const init::XavierNormal& i) { return model::xavier_normal(fans, i.gain); },
                        [&](const init::KaimingUniform& i) {
                          return model::kaiming_uniform(fan(i.mode), gain_of(i.nonlinearity, i.a));
                        },
                        [&](const init::KaimingNormal& i) {
                          return model::kaiming_normal(fan(i.mode), gain_of(i.nonlinearity, i.a));
                        },
                        [&](const init::Zeros&) { return model::zeros(); },
                        [&](const init::Ones&) { return model::ones(); },
                        [&](const init::Constant& i) { return model::constant(i.val); },
                        [&](const init::Uniform& i) { return model::uniform(i.a, i.b); },
                        [&](const init::Normal& i) { return model::normal(i.mean, i.std); },
                        [&](const init::Eye&) { return model::identity(); },
                        [&](const init::Identity&) { return model::identity(); },
                        [&](const init::Orthogonal& i) { return model::orthogonal(i.gain); },
                        [&](const init::Sparse& i) { return model::sparse(i.sparsity, i.std); },
                    },
                    spec);
}

model::InitializerOf initializer_of(const InitializerSpec& spec) {
  return [spec](model::Fans fans) { return initializer(spec, fans); };
}

model::FcStack stack_of(const FcStack& stack, bool residual) {
  model::FcStack out{.input_norm = norm_of(stack.around.norm),
                     .input_norm_params = params_of(stack.around.norm_params),
                     .input_dropout = stack.around.dropout,
                     .residual = residual};
  for (const FcLayer& l : stack.layers)
    out.layers.push_back({.linear = {.output_size = l.output_size.or_else(kUsualOutputs),
                                     .use_bias = l.use_bias,
                                     .weights = initializer_of(l.weights_initializer),
                                     .bias = initializer_of(l.bias_initializer)},
                          .norm = norm_of(l.norm),
                          .norm_params = params_of(l.norm_params),
                          .activation = l.activation,
                          .dropout = l.dropout});
  return out;
}

}  // namespace shoestring::task
