// MLP-Mixer: layers that mix places and layers that mix channels, in turn.
#include <fmt/format.h>

#include "model/vision/layers.h"
#include "model/vision/vision.h"

namespace shoestring::model::vision {
namespace {

constexpr NormParams kNorm{.epsilon = 1e-6};

// Over the last axis, which stays as wide as it is.
Value mlp(Forward& f, Value x, const std::string& name, int64_t hidden, double rate) {
  const int64_t size = x.dims().back();
  x = dropout(f, ops::gelu(linear(f, x, name + ".fc1", {.output_size = hidden})), rate);
  return dropout(f, linear(f, x, name + ".fc2", {.output_size = size}), rate);
}

}  // namespace

Value mlp_mixer(Forward& f, Value x, const std::string& name, const MlpMixer& spec) {
  if (!x.valid()) return x;
  const int64_t b = x.dims()[0], p = spec.patch_size;
  if (x.dims()[1] % p != 0 || x.dims()[2] % p != 0)
    return x.graph().error(fmt::format("mlp_mixer: pictures of {} by {} are not whole patches of {}",
                                       x.dims()[1], x.dims()[2], p));
  const int64_t patches = (x.dims()[1] / p) * (x.dims()[2] / p);
  x = conv(f, x, name + ".stem.proj",
           {.filters = spec.embed_size, .kernel = p, .stride = p, .padding = 0, .bias = true});
  x = ops::reshape(x, {b, patches, spec.embed_size});
  for (int64_t i = 0; i < spec.num_layers && x.valid(); ++i) {
    const std::string block = fmt::format("{}.blocks.{}", name, i);
    Value y = ops::transpose(norm(f, x, block + ".norm1", Norm::layer, kNorm));
    x = ops::add(x, ops::transpose(mlp(f, y, block + ".mlp_tokens", spec.token_size, spec.dropout)));
    y = norm(f, x, block + ".norm2", Norm::layer, kNorm);
    x = ops::add(x, mlp(f, y, block + ".mlp_channels", spec.channel_dim, spec.dropout));
  }
  x = norm(f, x, name + ".norm", Norm::layer, kNorm);
  return spec.avg_pool ? ops::reduce_mean(x, {1}) : ops::reshape(x, {b, patches * spec.embed_size});
}

std::optional<MlpMixer> mlp_mixer_variant(std::string_view variant) {
  const auto sized = [](int64_t patch, int64_t size, int64_t layers) {
    return MlpMixer{.patch_size = patch,
                    .embed_size = size,
                    .token_size = size / 2,
                    .channel_dim = 4 * size,
                    .num_layers = layers};
  };
  if (variant == "s32") return sized(32, 512, 8);
  if (variant == "s16") return sized(16, 512, 8);
  if (variant == "b32") return sized(32, 768, 12);
  if (variant == "b16") return sized(16, 768, 12);
  if (variant == "l32") return sized(32, 1024, 24);
  if (variant == "l16") return sized(16, 1024, 24);
  return std::nullopt;
}

}  // namespace shoestring::model::vision
