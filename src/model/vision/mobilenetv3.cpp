// MobileNetV3: inverted residuals with squeeze and excitation, sizes found by search.
#include <fmt/format.h>

#include "model/vision/layers.h"
#include "model/vision/vision.h"

namespace shoestring::model::vision {
namespace {

constexpr NormParams kNorm{.epsilon = 1e-3, .momentum = 0.01};
constexpr auto RE = Activation::relu, HS = Activation::hardswish;

struct Block {
  int64_t kernel, wide, channels;
  bool squeezes;
  Activation activation;
  int64_t stride;
};
constexpr Block kSmall[] = {{3, 16, 16, true, RE, 2},  {3, 72, 24, false, RE, 2}, {3, 88, 24, false, RE, 1},
                            {5, 96, 40, true, HS, 2},  {5, 240, 40, true, HS, 1}, {5, 240, 40, true, HS, 1},
                            {5, 120, 48, true, HS, 1}, {5, 144, 48, true, HS, 1}, {5, 288, 96, true, HS, 2},
                            {5, 576, 96, true, HS, 1}, {5, 576, 96, true, HS, 1}};
constexpr Block kLarge[] = {
    {3, 16, 16, false, RE, 1},  {3, 64, 24, false, RE, 2},  {3, 72, 24, false, RE, 1},
    {5, 72, 40, true, RE, 2},   {5, 120, 40, true, RE, 1},  {5, 120, 40, true, RE, 1},
    {3, 240, 80, false, HS, 2}, {3, 200, 80, false, HS, 1}, {3, 184, 80, false, HS, 1},
    {3, 184, 80, false, HS, 1}, {3, 480, 112, true, HS, 1}, {3, 672, 112, true, HS, 1},
    {5, 672, 160, true, HS, 2}, {5, 960, 160, true, HS, 1}, {5, 960, 160, true, HS, 1}};

Value residual(Forward& f, Value x, const std::string& name, const Block& b) {
  const int64_t in = x.dims().back();
  int part = 0;
  const auto next = [&] { return fmt::format("{}.block.{}", name, part++); };
  Value y = x;
  if (b.wide != in)
    y = conv_norm(f, y, next(),
                  {.conv = {.filters = b.wide, .kernel = 1}, .norm = kNorm, .activation = b.activation});
  y = conv_norm(f, y, next(),
                {.conv = {.filters = b.wide, .kernel = b.kernel, .stride = b.stride, .groups = b.wide},
                 .norm = kNorm,
                 .activation = b.activation});
  if (b.squeezes)
    y = squeeze_excitation(
        f, y, next(),
        {.squeezed = multiple_of_8(static_cast<double>(b.wide / 4)), .gate = Activation::hardsigmoid});
  y = conv_norm(
      f, y, next(),
      {.conv = {.filters = b.channels, .kernel = 1}, .norm = kNorm, .activation = Activation::none});
  return b.stride == 1 && in == b.channels ? ops::add(x, y) : y;
}

}  // namespace

Value mobilenetv3(Forward& f, Value x, const std::string& name, const MobileNetV3& spec) {
  const std::span<const Block> blocks = spec.large ? std::span<const Block>(kLarge) : kSmall;
  int at = 0;
  const auto next = [&] { return fmt::format("{}.features.{}", name, at++); };
  x = conv_norm(f, x, next(), {.conv = {.filters = 16, .stride = 2}, .norm = kNorm, .activation = HS});
  for (const Block& b : blocks)
    if (x.valid()) x = residual(f, x, next(), b);
  x = conv_norm(
      f, x, next(),
      {.conv = {.filters = 6 * blocks.back().channels, .kernel = 1}, .norm = kNorm, .activation = HS});
  x = linear(f, mean_over_places(x), name + ".classifier.0", {.output_size = spec.large ? 1280 : 1024});
  return activate(f, x, name, HS);
}

std::optional<MobileNetV3> mobilenetv3_variant(std::string_view variant) {
  if (variant == "small") return MobileNetV3{.large = false};
  if (variant == "large") return MobileNetV3{.large = true};
  return std::nullopt;
}

}  // namespace shoestring::model::vision
