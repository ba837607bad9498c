// Networks for pictures as graph builders: x [b,h,w,c] (f32) -> features [b,n], which a last layer turns into
// logits. Each is torchvision's (the mixer: timm's) without its head, so their weights load (pretrained.h),
// and names of states are theirs after NAME. What a spec leaves out is as it was published.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "model/layers.h"

namespace shoestring::model::vision {

// Deep residual networks (He, Zhang, Ren, Sun 2015), wide ones (Zagoruyko, Komodakis 2016) and those of
// grouped convolutions (Xie and others 2017): [b,512] with plain blocks, else [b,2048].
struct ResNet {
  std::array<int64_t, 4> blocks{2, 2, 2, 2};
  bool bottleneck = false;         // 1x1, 3x3, 1x1 instead of 3x3, 3x3
  int64_t groups = 1, width = 64;  // groups of a bottleneck's 3x3, and channels of each in the first stage
  // 3x3 with stride 1 and no pool, for pictures of less than 64 pixels; else 7x7 with stride 2 and a pool of
  // 3x3.
  bool small_stem = false;
};
Value resnet(Forward& forward, Value x, const std::string& name, const ResNet& spec);
// "18" "34" "50" "101" "152"; "50_2" "101_2"; "50_32x4d" "101_32x8d" "101_64x4d".
std::optional<ResNet> resnet_variant(std::string_view variant);
std::optional<ResNet> wide_resnet_variant(std::string_view variant);
std::optional<ResNet> resnext_variant(std::string_view variant);

using Network = std::variant<ResNet>;
Value features(Forward& forward, Value x, const std::string& name, const Network& network);
// By the words of recipes: "resnet" and "18". Nothing where there is no such network.
std::optional<Network> network_of(std::string_view family, std::string_view variant);

}  // namespace shoestring::model::vision
