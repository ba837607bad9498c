// Records of the encoders of pictures that are published networks.
#include "task/keys.h"

namespace shoestring::task {
namespace {

constexpr NameList kOfPreprocessing = "null";

template <class E>
constexpr auto kWeights = keys(
    key<&E::pretrained, &Pretrained::use_pretrained>(
        "use_pretrained",
        "Whether training begins with weights that others have trained; true where one of the next two keys "
        "is given. Nothing is downloaded."),
    key<&E::pretrained, &Pretrained::pretrained_weights>(
        "pretrained_weights",
        "Their file: safetensors with the tensors' names of torchvision, of a mixer timm's. Its head is "
        "passed over. Read once, when training begins."),
    key<&E::trainable>(
        "trainable",
        "Whether training changes the network; else only what stands behind it, and batch norm "
        "works with its running statistics."));
template <class E>
constexpr auto kPublished = together(
    keys(key<&E::model_variant>("model_variant", "Which of the published sizes.").common()), kWeights<E>,
    keys(key<&E::pretrained, &Pretrained::model_cache_dir>(
             "model_cache_dir",
             "A folder to look for the file in: resnet18.safetensors, or resnet18-….safetensors."),
         noted("saved_weights_in_checkpoint", "checkpoints hold all weights"), refused("skip", "false"),
         refused("adapter")));

// Weights are used where a place for them is given, and not without.
template <class E>
Status check_weights(const Context& context, const Node& node, E& encoder) {
  Pretrained& from = encoder.pretrained;
  const bool placed = from.pretrained_weights || from.model_cache_dir;
  const Entry* const written = node.is_map() ? node.find("use_pretrained") : nullptr;
  if (!written) from.use_pretrained = placed;
  if (from.use_pretrained && !placed)
    return context.refuse(written->mark, context.path + ": use_pretrained is true, and nothing is downloaded",
                          "give pretrained_weights: FILE.safetensors, or use_pretrained false");
  return {};
}

constexpr auto kMixerLayers = keys(
    key<&MlpMixerEncoder::patch_size>("patch_size",
                                      "Side of a patch; height and width are whole numbers of patches.")
        .within(1, kMostPictureSide)
        .common(),
    key<&MlpMixerEncoder::embed_size>("embed_size", "Numbers that stand for a patch.")
        .within(1, kMostLayerOutputs)
        .common(),
    key<&MlpMixerEncoder::token_size>("token_size", "Hidden size of the layers that mix patches.")
        .within(1, kMostLayerOutputs),
    key<&MlpMixerEncoder::channel_dim>("channel_dim", "Hidden size of the layers that mix a patch's numbers.")
        .within(1, kMostLayerOutputs),
    key<&MlpMixerEncoder::num_layers>("num_layers", "Pairs of these layers.").within(1, 1000).common(),
    key<&MlpMixerEncoder::dropout>("dropout", "Share of a layer's outputs that is dropped in training.")
        .in({.low = 0, .high = 1, .open_high = true}),
    key<&MlpMixerEncoder::avg_pool>("avg_pool",
                                    "Whether the patches' mean goes on, or all of them side by side."),
    refused("height", kOfPreprocessing), refused("width", kOfPreprocessing),
    refused("num_channels", kOfPreprocessing), refused("skip", "false"), refused("adapter"));
constexpr auto kMixer = together(kMixerLayers, kWeights<MlpMixerEncoder>);

}  // namespace

const Pretrained* pretrained_of(const ImageEncoderSpec& encoder) {
  return std::visit(
      []<class E>(const E& e) -> const Pretrained* {
        if constexpr (requires { e.pretrained; })
          return &e.pretrained;
        else
          return nullptr;
      },
      encoder);
}

bool is_frozen(const ImageEncoderSpec& encoder) {
  return std::visit(
      []<class E>(const E& e) {
        if constexpr (requires { e.trainable; })
          return !e.trainable;
        else
          return false;
      },
      encoder);
}

template <>
constinit const Component Described<ResNetEncoder>::component{
    .name = "resnet",
    .help =
        "Residual blocks of convolutions (He and others 2015). Below 64 pixels it begins with 3 x 3 filters "
        "at a stride of 1, but for published weights.",
    .keys = kPublished<ResNetEncoder>,
    .finish = finish<check_weights<ResNetEncoder>>};
template <>
constinit const Component Described<WideResNetEncoder>::component{
    .name = "wide_resnet",
    .help = "ResNet with wider inner convolutions (Zagoruyko, Komodakis 2016).",
    .keys = kPublished<WideResNetEncoder>,
    .finish = finish<check_weights<WideResNetEncoder>>};
template <>
constinit const Component Described<ResNextEncoder>::component{
    .name = "resnext",
    .help = "ResNet with inner convolutions in groups (Xie and others 2017).",
    .keys = kPublished<ResNextEncoder>,
    .finish = finish<check_weights<ResNextEncoder>>};
template <>
constinit const Component Described<MobileNetV2Encoder>::component{
    .name = "mobilenetv2",
    .help = "Inverted residuals (Sandler and others 2018).",
    .keys = kPublished<MobileNetV2Encoder>,
    .finish = finish<check_weights<MobileNetV2Encoder>>};
template <>
constinit const Component Described<MobileNetV3Encoder>::component{
    .name = "mobilenetv3",
    .help = "Inverted residuals with squeeze and excitation (Howard and others 2019).",
    .keys = kPublished<MobileNetV3Encoder>,
    .finish = finish<check_weights<MobileNetV3Encoder>>};
template <>
constinit const Component Described<EfficientNetEncoder>::component{
    .name = "efficientnet",
    .help = "Scaled in depth and width together (Tan, Le 2019; v2 2021).",
    .keys = kPublished<EfficientNetEncoder>,
    .finish = finish<check_weights<EfficientNetEncoder>>};
template <>
constinit const Component Described<ConvNextEncoder>::component{
    .name = "convnext",
    .help = "Depthwise 7 x 7 convolutions, normed as transformers are (Liu and others 2022).",
    .keys = kPublished<ConvNextEncoder>,
    .finish = finish<check_weights<ConvNextEncoder>>};
template <>
constinit const Component Described<VitEncoder>::component{
    .name = "vit",
    .help =
        "A transformer over patches (Dosovitskiy and others 2020). Height and width are whole numbers of "
        "patches.",
    .keys = kPublished<VitEncoder>,
    .finish = finish<check_weights<VitEncoder>>};
template <>
constinit const Component Described<MlpMixerEncoder>::component{
    .name = "mlp_mixer",
    .help = "Layers over patches and layers over their numbers, in turn (Tolstikhin and others 2021).",
    .keys = kMixer,
    .finish = finish<check_weights<MlpMixerEncoder>>};

}  // namespace shoestring::task
