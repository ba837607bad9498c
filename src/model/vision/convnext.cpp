// ConvNeXt: depthwise 7x7 convolutions and a wide layer at each place, normed as transformers are.
#include <fmt/format.h>

#include <cmath>

#include "model/vision/layers.h"
#include "model/vision/vision.h"

namespace shoestring::model::vision {
namespace {

constexpr NormParams kNorm{.epsilon = 1e-6};

// Normal numbers as both initialise all weights.
Initializer narrow(Fans) { return normal(0, 0.02); }

Value block(Forward& f, Value x, const std::string& name, double dropped) {
  const int64_t c = x.dims().back();
  Value y = conv(f, x, name + ".block.0",
                 {.filters = c, .kernel = 7, .groups = c, .bias = true, .weights = narrow});
  y = norm(f, y, name + ".block.2", Norm::layer, kNorm);
  y = ops::gelu(linear(f, y, name + ".block.3", {.output_size = 4 * c, .weights = narrow}));
  y = linear(f, y, name + ".block.5", {.output_size = c, .weights = narrow});
  const Value scale = f.parameter({.name = name + ".layer_scale",
                                   .type = {DType::f32, {c}},
                                   .initializer = constant(1e-6),
                                   .kind = ParameterKind::scale});
  return ops::add(x, stochastic_depth(f, ops::mul(y, ops::broadcast_like(scale, y)), dropped));
}

Value halved(Forward& f, Value x, const std::string& name, int64_t channels) {
  x = norm(f, x, name + ".0", Norm::layer, kNorm);
  return conv(f, x, name + ".1",
              {.filters = channels, .kernel = 2, .stride = 2, .padding = 0, .bias = true, .weights = narrow});
}

}  // namespace

Value convnext(Forward& f, Value x, const std::string& name, const ConvNext& spec) {
  if (!x.valid()) return x;
  if (x.dims()[1] < 32 || x.dims()[2] < 32)
    return x.graph().error(fmt::format("convnext: pictures of {} by {} are too small; 32 by 32 is the least",
                                       x.dims()[1], x.dims()[2]));
  const std::string prefix = name + ".features.";
  x = conv(
      f, x, prefix + "0.0",
      {.filters = spec.channels[0], .kernel = 4, .stride = 4, .padding = 0, .bias = true, .weights = narrow});
  x = norm(f, x, prefix + "0.1", Norm::layer, kNorm);
  int64_t all = 0, done = 0;
  for (const int64_t n : spec.blocks) all += n;
  for (size_t stage = 0; stage < 4; ++stage) {
    if (stage > 0) x = halved(f, x, fmt::format("{}{}", prefix, 2 * stage), spec.channels[stage]);
    for (int64_t i = 0; i < spec.blocks[stage] && x.valid(); ++i, ++done)
      x = block(f, x, fmt::format("{}{}.{}", prefix, 2 * stage + 1, i),
                spec.stochastic_depth * static_cast<double>(done) / static_cast<double>(all - 1));
  }
  return norm(f, mean_over_places(x), name + ".classifier.0", Norm::layer, kNorm);
}

std::optional<ConvNext> convnext_variant(std::string_view variant) {
  if (variant == "tiny") return ConvNext{};
  if (variant == "small") return ConvNext{.blocks = {3, 3, 27, 3}, .stochastic_depth = 0.4};
  if (variant == "base")
    return ConvNext{.blocks = {3, 3, 27, 3}, .channels = {128, 256, 512, 1024}, .stochastic_depth = 0.5};
  if (variant == "large")
    return ConvNext{.blocks = {3, 3, 27, 3}, .channels = {192, 384, 768, 1536}, .stochastic_depth = 0.5};
  return std::nullopt;
}

}  // namespace shoestring::model::vision
