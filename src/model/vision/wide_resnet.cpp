// Wide ResNet: the inner 3x3 convolutions of bottlenecks twice as wide.
#include "model/vision/vision.h"

namespace shoestring::model::vision {

std::optional<ResNet> wide_resnet_variant(std::string_view variant) {
  if (variant == "50_2") return ResNet{.blocks = {3, 4, 6, 3}, .bottleneck = true, .width = 128};
  if (variant == "101_2") return ResNet{.blocks = {3, 4, 23, 3}, .bottleneck = true, .width = 128};
  return std::nullopt;
}

}  // namespace shoestring::model::vision
