// ResNeXt: the inner 3x3 convolutions of bottlenecks in groups.
#include "model/vision/vision.h"

namespace shoestring::model::vision {

std::optional<ResNet> resnext_variant(std::string_view variant) {
  if (variant == "50_32x4d")
    return ResNet{.blocks = {3, 4, 6, 3}, .bottleneck = true, .groups = 32, .width = 4};
  if (variant == "101_32x8d")
    return ResNet{.blocks = {3, 4, 23, 3}, .bottleneck = true, .groups = 32, .width = 8};
  if (variant == "101_64x4d")
    return ResNet{.blocks = {3, 4, 23, 3}, .bottleneck = true, .groups = 64, .width = 4};
  return std::nullopt;
}

}  // namespace shoestring::model::vision
