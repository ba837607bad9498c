#include "task/pretrained.h"

#include <fmt/format.h>

#include <algorithm>

#include "model/vision/vision.h"
#include "task/keys.h"
#include "task/network_images.h"
#include "task/network_inputs.h"
#include "task/network_parts.h"

namespace shoestring::task {
namespace {

// torchvision's names are family and variant, with a '_' between words.
std::string name_of_network(const ImageEncoderSpec& encoder) {
  return std::visit(
      []<class E>(const E& e) -> std::string {
        if constexpr (requires { e.model_variant; }) {
          const std::string_view family = Described<E>::component.name;
          const std::string_view variant =
              Words<typename E::Variant>::names[static_cast<size_t>(e.model_variant)];
          if (family == "mobilenetv2") return "mobilenet_v2";
          if (family == "mobilenetv3") return fmt::format("mobilenet_v3_{}", variant);
          const bool is_number = variant[0] >= '0' && variant[0] <= '9';
          return fmt::format("{}{}{}", family, is_number ? "" : "_", variant);
        } else {
          return std::string(Described<E>::component.name);
        }
      },
      encoder);
}

model::vision::PatchGrid patches_of(const ImageInput& image) {
  const auto* vit = std::get_if<VitEncoder>(&image.encoder);
  const ImagePreprocessing& p = image.preprocessing;
  if (!vit || !p.height || !p.width) return {};
  const auto variant =
      model::vision::vit_variant(Words<VitEncoder::Variant>::names[static_cast<size_t>(vit->model_variant)]);
  return variant ? model::vision::PatchGrid{*p.height / variant->patch, *p.width / variant->patch}
                 : model::vision::PatchGrid{};
}

const ImageInput* frozen_image(const InputFeature& input) {
  const auto* image = std::get_if<ImageInput>(&input.spec);
  return image && is_frozen(image->encoder) && image->preprocessing.cache_encoder_embeddings.or_else(true)
             ? image
             : nullptr;
}

}  // namespace

std::vector<PretrainedEncoder> pretrained_encoders(const Recipe& recipe) {
  std::vector<PretrainedEncoder> out;
  for (const InputFeature& input : recipe.inputs) {
    const auto* image = std::get_if<ImageInput>(&input.spec);
    const Pretrained* from = image ? pretrained_of(image->encoder) : nullptr;
    if (!from || !from->use_pretrained || input.tied) continue;
    PretrainedEncoder& one = out.emplace_back();
    one.key = fmt::format("input_features.{}.encoder", input.name);
    one.network = name_of_network(image->encoder);
    one.from = *from;
    one.patches = patches_of(*image);
    const std::string name = "input." + state_name(input.name);
    if (recipe.ensemble.members.empty()) one.prefixes.push_back(name);
    for (int64_t m = 0; !recipe.ensemble.members.empty() && m < member_count(recipe); ++m)
      one.prefixes.push_back(fmt::format("member{}.{}", m, name));
  }
  return out;
}

std::vector<model::Parameter> parameters_of(const NetworkSpec& spec) {
  Graph scratch("forward");
  model::Forward forward(scratch);
  NetworkSpec whole = spec;
  whole.kept_features.clear();
  (void)forward_members(forward, whole, 1);
  return forward.parameters();
}

std::vector<int64_t> features_to_keep(const NetworkSpec& spec) {
  std::vector<int64_t> widths(spec.recipe.inputs.size(), 0);
  for (size_t i = 0; i < widths.size(); ++i) {
    const InputFeature& input = spec.recipe.inputs[i];
    const ImageInput* image = frozen_image(input);
    if (!image || !why_not_kept(spec.recipe, input).empty()) continue;
    Graph scratch("features");
    model::Forward forward(scratch);
    const Value pixels = scratch.input(port_of(input), port_type(spec, i, 1));
    const Value features = encode_image(forward, pixels, {}, "input", *image, PixelScale());
    if (features.valid() && features.dims().rank() == 2) widths[i] = features.dims()[1];
  }
  if (std::ranges::all_of(widths, [](int64_t width) { return width == 0; })) widths.clear();
  return widths;
}

std::string forget_features(Recipe& recipe) {
  std::string keys;
  for (InputFeature& input : recipe.inputs) {
    auto* image = std::get_if<ImageInput>(&input.spec);
    if (!image || !is_frozen(image->encoder) || !why_not_kept(recipe, input).empty() ||
        !image->preprocessing.cache_encoder_embeddings.or_else(true))
      continue;
    image->preprocessing.cache_encoder_embeddings = false;
    keys += fmt::format("{}input_features.{}.preprocessing.cache_encoder_embeddings: false",
                        keys.empty() ? "" : ", ", input.name);
  }
  return keys;
}

std::string why_not_kept(const Recipe& recipe, const InputFeature& input) {
  const ImageInput* image = frozen_image(input);
  if (!image) return {};
  if (!image->augmentation.items.empty()) return "augmentation changes its pictures";
  if (!recipe.ensemble.members.empty()) return "each member of the ensemble has its own";
  return {};
}

}  // namespace shoestring::task
