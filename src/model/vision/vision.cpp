#include "model/vision/vision.h"

namespace shoestring::model::vision {
namespace {

template <class Spec>
std::optional<Network> as_network(std::optional<Spec> spec) {
  return spec ? std::optional<Network>(*spec) : std::nullopt;
}

}  // namespace

Value features(Forward& f, Value x, const std::string& name, const Network& network) {
  struct Build {
    Forward& f;
    Value x;
    const std::string& name;
    Value operator()(const ResNet& spec) const { return resnet(f, x, name, spec); }
    Value operator()(const MobileNetV2& spec) const { return mobilenetv2(f, x, name, spec); }
    Value operator()(const MobileNetV3& spec) const { return mobilenetv3(f, x, name, spec); }
    Value operator()(const EfficientNet& spec) const { return efficientnet(f, x, name, spec); }
    Value operator()(const ConvNext& spec) const { return convnext(f, x, name, spec); }
    Value operator()(const VisionTransformer& spec) const { return vit(f, x, name, spec); }
    Value operator()(const MlpMixer& spec) const { return mlp_mixer(f, x, name, spec); }
  };
  return std::visit(Build{f, x, name}, network);
}

std::optional<Network> network_of(std::string_view family, std::string_view variant) {
  if (family == "resnet") return as_network(resnet_variant(variant));
  if (family == "wide_resnet") return as_network(wide_resnet_variant(variant));
  if (family == "resnext") return as_network(resnext_variant(variant));
  if (family == "mobilenetv2") return as_network(mobilenetv2_variant(variant));
  if (family == "mobilenetv3") return as_network(mobilenetv3_variant(variant));
  if (family == "efficientnet") return as_network(efficientnet_variant(variant));
  if (family == "convnext") return as_network(convnext_variant(variant));
  if (family == "vit") return as_network(vit_variant(variant));
  if (family == "mlp_mixer") return as_network(mlp_mixer_variant(variant));
  return std::nullopt;
}

}  // namespace shoestring::model::vision
