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
  };
  return std::visit(Build{f, x, name}, network);
}

std::optional<Network> network_of(std::string_view family, std::string_view variant) {
  if (family == "resnet") return as_network(resnet_variant(variant));
  if (family == "wide_resnet") return as_network(wide_resnet_variant(variant));
  if (family == "resnext") return as_network(resnext_variant(variant));
  return std::nullopt;
}

}  // namespace shoestring::model::vision
