// MobileNetV2: inverted residuals, which are narrow where they are added and wide where they look around.
#include <fmt/format.h>

#include "model/vision/layers.h"
#include "model/vision/vision.h"

namespace shoestring::model::vision {
namespace {

struct Stage {
  int64_t expansion, channels, blocks, stride;
};
constexpr Stage kStages[] = {{1, 16, 1, 1}, {6, 24, 2, 2},  {6, 32, 3, 2}, {6, 64, 4, 2},
                             {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}};

Value block(Forward& f, Value x, const std::string& name, const Stage& stage, int64_t stride) {
  const int64_t in = x.dims().back(), wide = in * stage.expansion;
  int part = 0;
  const auto next = [&] { return fmt::format("{}.conv.{}", name, part++); };
  Value y = x;
  if (wide != in)
    y = conv_norm(f, y, next(), {.conv = {.filters = wide, .kernel = 1}, .activation = Activation::relu6});
  y = conv_norm(
      f, y, next(),
      {.conv = {.filters = wide, .stride = stride, .groups = wide}, .activation = Activation::relu6});
  y = conv(f, y, next(), {.filters = stage.channels, .kernel = 1});
  y = batch_norm(f, y, next());
  return stride == 1 && in == stage.channels ? ops::add(x, y) : y;
}

}  // namespace

Value mobilenetv2(Forward& f, Value x, const std::string& name, const MobileNetV2&) {
  int at = 0;
  const auto next = [&] { return fmt::format("{}.features.{}", name, at++); };
  x = conv_norm(f, x, next(), {.conv = {.filters = 32, .stride = 2}, .activation = Activation::relu6});
  for (const Stage& stage : kStages)
    for (int64_t i = 0; i < stage.blocks && x.valid(); ++i)
      x = block(f, x, next(), stage, i == 0 ? stage.stride : 1);
  x = conv_norm(f, x, next(), {.conv = {.filters = 1280, .kernel = 1}, .activation = Activation::relu6});
  return mean_over_places(x);
}

std::optional<MobileNetV2> mobilenetv2_variant(std::string_view variant) {
  return variant == "base" ? std::optional(MobileNetV2{}) : std::nullopt;
}

}  // namespace shoestring::model::vision
