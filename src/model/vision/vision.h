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

// Sandler and others, 2018: [b,1280]. Pictures are halved five times.
struct MobileNetV2 {};
Value mobilenetv2(Forward& forward, Value x, const std::string& name, const MobileNetV2& spec = {});
std::optional<MobileNetV2> mobilenetv2_variant(std::string_view variant);  // "base"

// Howard and others, 2019: [b,1280], or [b,1024] of the small one.
struct MobileNetV3 {
  bool large = true;
};
Value mobilenetv3(Forward& forward, Value x, const std::string& name, const MobileNetV3& spec);
std::optional<MobileNetV3> mobilenetv3_variant(std::string_view variant);  // "small" "large"

// Tan, Le 2019 and 2021: [b,1280] to [b,2560].
struct EfficientNet {
  std::string_view variant = "b0";
  double stochastic_depth = 0.2;  // of the last block; the others' shares rise evenly
};
Value efficientnet(Forward& forward, Value x, const std::string& name, const EfficientNet& spec);
std::optional<EfficientNet> efficientnet_variant(
    std::string_view variant);  // "b0" .. "b7", "v2_s" "v2_m" "v2_l"

// Liu and others, 2022: [b,channels[3]].
struct ConvNext {
  std::array<int64_t, 4> blocks{3, 3, 9, 3}, channels{96, 192, 384, 768};
  double stochastic_depth = 0.1;
};
Value convnext(Forward& forward, Value x, const std::string& name, const ConvNext& spec);
std::optional<ConvNext> convnext_variant(std::string_view variant);  // "tiny" "small" "base" "large"

// Dosovitskiy and others, 2020: [b,hidden]. Height and width are whole numbers of patches.
struct VisionTransformer {
  int64_t patch = 16, layers = 12, heads = 12, hidden = 768, mlp = 3072;
  double dropout = 0;
};
Value vit(Forward& forward, Value x, const std::string& name, const VisionTransformer& spec);
std::optional<VisionTransformer> vit_variant(std::string_view variant);  // "b_16" "b_32" "l_16" "l_32" "h_14"

// Tolstikhin and others, 2021: [b,embed_size], or every patch's, side by side.
struct MlpMixer {
  int64_t patch_size = 16, embed_size = 512;
  int64_t token_size = 2048, channel_dim = 256;  // hidden sizes of the layers over places and over channels
  int64_t num_layers = 8;
  double dropout = 0;
  bool avg_pool = true;
};
Value mlp_mixer(Forward& forward, Value x, const std::string& name, const MlpMixer& spec);
std::optional<MlpMixer> mlp_mixer_variant(std::string_view variant);  // "s32" "s16" "b32" "b16" "l32" "l16"

using Network =
    std::variant<ResNet, MobileNetV2, MobileNetV3, EfficientNet, ConvNext, VisionTransformer, MlpMixer>;
Value features(Forward& forward, Value x, const std::string& name, const Network& network);
// By the words of recipes: "resnet" and "18". Nothing where there is no such network.
std::optional<Network> network_of(std::string_view family, std::string_view variant);

}  // namespace shoestring::model::vision
