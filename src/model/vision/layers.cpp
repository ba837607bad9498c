#include "model/vision/layers.h"

#include <algorithm>
#include <cmath>

#include "model/conv.h"

namespace shoestring::model::vision {

using namespace ops;  // arithmetic, spelled with operators

Initializer he_fan_out(Fans fans) { return kaiming_normal(fans.out, std::sqrt(2.0)); }

Value conv(Forward& f, Value x, const std::string& name, const Conv& layer) {
  const int64_t k = layer.kernel, padding = layer.padding < 0 ? k / 2 : layer.padding;
  return model::conv(f, x, name,
                     {.out_channels = layer.filters,
                      .kernel = {k, k},
                      .options = {.strides = {layer.stride, layer.stride},
                                  .padding = {padding, padding, padding, padding},
                                  .groups = layer.groups},
                      .use_bias = layer.bias,
                      .weights = layer.weights});
}

Value batch_norm(Forward& f, Value x, const std::string& name, const NormParams& params) {
  return channel_norm(f, x, name, params);
}

Value conv_norm(Forward& f, Value x, const std::string& name, const ConvNorm& layer) {
  x = batch_norm(f, conv(f, x, name + ".0", layer.conv), name + ".1", layer.norm);
  return activate(f, x, name, layer.activation);
}

Value mean_over_places(Value x) { return reduce_mean(x, {1, 2}); }

Value squeeze_excitation(Forward& f, Value x, const std::string& name, const SqueezeExcitation& layer) {
  if (!x.valid()) return x;
  const Shape dims = x.dims();
  Value s = mean_over_places(x);
  s = activate(f, linear(f, s, name + ".fc1", {.output_size = layer.squeezed}), name, layer.activation);
  s = activate(f, linear(f, s, name + ".fc2", {.output_size = dims[3]}), name, layer.gate);
  return x * broadcast_like(reshape(s, {dims[0], 1, 1, dims[3]}), x);
}

Value stochastic_depth(Forward& f, Value x, double rate) {
  if (!f.training() || rate <= 0 || !x.valid()) return x;
  std::vector<int64_t> each(static_cast<size_t>(x.dims().rank()), 1);
  each[0] = x.dims()[0];
  const Value u = random_uniform(f.graph(), {x.type().dtype, Shape(each)});
  const Value kept = less_equal(broadcast_like(f.graph().scalar(x.type().dtype, rate), u), u);
  return x * broadcast_like(kept * (1 / (1 - rate)), x);
}

int64_t multiple_of_8(double channels) {
  const int64_t rounded = std::max<int64_t>(8, static_cast<int64_t>(channels + 4) / 8 * 8);
  return static_cast<double>(rounded) < 0.9 * channels ? rounded + 8 : rounded;
}

}  // namespace shoestring::model::vision
