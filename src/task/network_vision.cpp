#include "task/network_vision.h"

#include <fmt/format.h>

#include "model/vision/vision.h"
#include "task/keys.h"

namespace shoestring::task {
namespace {

namespace vision = model::vision;

constexpr int64_t kSmallPicture = 64;  // pixels below which a ResNet of our own begins without a pool

vision::Network network_of(const MlpMixerEncoder& e) {
  return vision::MlpMixer{.patch_size = e.patch_size,
                          .embed_size = e.embed_size,
                          .token_size = e.token_size,
                          .channel_dim = e.channel_dim,
                          .num_layers = e.num_layers,
                          .dropout = e.dropout,
                          .avg_pool = e.avg_pool};
}

// By the names that recipes use, which are those of model/vision.
template <class Published>
vision::Network network_of(const Published& e) {
  return *vision::network_of(Described<Published>::component.name,
                             Words<typename Published::Variant>::names[static_cast<size_t>(e.model_variant)]);
}

template <class Encoder>
Value built(model::Forward& f, Value x, const std::string& name, const Encoder& e) {
  vision::Network network = network_of(e);
  if (auto* resnet = std::get_if<vision::ResNet>(&network))
    resnet->small_stem = !e.pretrained.use_pretrained && std::min(x.dims()[1], x.dims()[2]) < kSmallPicture;
  f.set_frozen(!e.trainable);
  x = vision::features(f, x, name, network);
  f.set_frozen(false);
  return x;
}

}  // namespace

Value encode_published(model::Forward& f, Value x, const std::string& name, const ImageEncoderSpec& encoder) {
  if (!x.valid()) return x;
  return std::visit(
      [&]<class E>(const E& e) {
        if constexpr (requires { e.model_variant; } || std::is_same_v<E, MlpMixerEncoder>)
          return built(f, x, name, e);
        else
          return Value();
      },
      encoder);
}

}  // namespace shoestring::task
