// Encoders of pictures that are published networks. A part of recipe.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace shoestring::task {

enum class ResNetVariant { v18, v34, v50, v101, v152 };
enum class WideResNetVariant { v50_2, v101_2 };
enum class ResNextVariant { v50_32x4d, v101_32x8d, v101_64x4d };
enum class MobileNetV2Variant { base };
enum class MobileNetV3Variant { small, large };
enum class EfficientNetVariant { b0, b1, b2, b3, b4, b5, b6, b7, v2_s, v2_m, v2_l };
enum class ConvNextVariant { tiny, small, base, large };
enum class VitVariant { b_16, b_32, l_16, l_32, h_14 };

// Where the weights of a network that others have trained come from: a file of safetensors, or a folder with
// one that is named as the network is. A model that was trained from them has no more use for them.
struct Pretrained {
  bool use_pretrained = false;
  std::optional<std::string> pretrained_weights, model_cache_dir;
  bool operator==(const Pretrained&) const = default;
};

// A network by its published variant. Not trainable, its weights and statistics stay as they are.
template <class V, V kUsual>
struct PublishedEncoder {
  using Variant = V;
  V model_variant = kUsual;
  Pretrained pretrained = {};
  bool trainable = true;
  bool operator==(const PublishedEncoder&) const = default;
};
using ResNetEncoder = PublishedEncoder<ResNetVariant, ResNetVariant::v50>;
using WideResNetEncoder = PublishedEncoder<WideResNetVariant, WideResNetVariant::v50_2>;
using ResNextEncoder = PublishedEncoder<ResNextVariant, ResNextVariant::v50_32x4d>;
using MobileNetV2Encoder = PublishedEncoder<MobileNetV2Variant, MobileNetV2Variant::base>;
using MobileNetV3Encoder = PublishedEncoder<MobileNetV3Variant, MobileNetV3Variant::small>;
using EfficientNetEncoder = PublishedEncoder<EfficientNetVariant, EfficientNetVariant::b0>;
using ConvNextEncoder = PublishedEncoder<ConvNextVariant, ConvNextVariant::base>;
using VitEncoder = PublishedEncoder<VitVariant, VitVariant::b_16>;

struct MlpMixerEncoder {
  int64_t patch_size = 16, embed_size = 512, token_size = 2048, channel_dim = 256, num_layers = 8;
  double dropout = 0;
  bool avg_pool = true;
  Pretrained pretrained = {};
  bool trainable = true;
  bool operator==(const MlpMixerEncoder&) const = default;
};

}  // namespace shoestring::task
