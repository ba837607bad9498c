#include "model/conv.h"

namespace shoestring::model {
namespace {

constexpr int64_t kMostPictureChannels = 4;  // more are features

}  // namespace

Value conv(Forward& f, Value x, const std::string& name, const Conv& layer) {
  if (!x.valid()) return x;
  const int64_t channels = x.dims().back(), groups = layer.options.groups;
  if (groups < 1 || channels % groups != 0 || layer.out_channels % groups != 0)
    return f.graph().error(name + ": " + std::to_string(channels) + " channels and " +
                           std::to_string(layer.out_channels) + " filters cannot be cut into " +
                           std::to_string(groups) + " groups");
  const int64_t taps = layer.kernel[0] * layer.kernel[1];
  const Fans fans{taps * (channels / groups), taps * (layer.out_channels / groups)};
  const Value weights = f.parameter(
      {.name = name + ".weights",
       .type = {DType::f32, {layer.kernel[0], layer.kernel[1], channels / groups, layer.out_channels}},
       .initializer = layer.weights(fans),
       .hidden = groups == 1 && channels > kMostPictureChannels,
       .penalised = true});
  if (!layer.use_bias) return ops::conv2d(x, weights, layer.options);
  const Value bias = f.parameter({.name = name + ".bias",
                                  .type = {DType::f32, {layer.out_channels}},
                                  .initializer = layer.bias(fans),
                                  .kind = ParameterKind::bias});
  return ops::conv2d(x, weights, layer.options, bias);
}

Value channel_norm(Forward& f, Value x, const std::string& name, const NormParams& params) {
  if (!x.valid()) return x;
  const Shape dims = x.dims();
  const int64_t channels = dims.back(), pixels = channels > 0 ? dims.elements() / channels : 0;
  return ops::reshape(norm(f, ops::reshape(x, {pixels, channels}), name, Norm::batch, params), dims);
}

}  // namespace shoestring::model
