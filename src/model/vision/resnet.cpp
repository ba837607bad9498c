// ResNet: residual blocks in four stages, each twice as wide and half as large as the one before.
#include <algorithm>

#include "model/vision/layers.h"
#include "model/vision/vision.h"

namespace shoestring::model::vision {
namespace {

// What a block adds to: its input, or a 1x1 convolution of it where sizes differ.
Value shortcut(Forward& f, Value x, const std::string& name, int64_t channels, int64_t stride) {
  if (stride == 1 && x.dims().back() == channels) return x;
  return conv_norm(
      f, x, name + ".downsample",
      {.conv = {.filters = channels, .kernel = 1, .stride = stride}, .activation = Activation::none});
}

Value conv_bn(Forward& f, Value x, const std::string& name, const std::string& number, const Conv& layer) {
  return batch_norm(f, conv(f, x, name + "conv" + number, layer), name + "bn" + number);
}

Value basic_block(Forward& f, Value x, const std::string& name, int64_t planes, int64_t stride) {
  Value y = ops::relu(conv_bn(f, x, name + ".", "1", {.filters = planes, .stride = stride}));
  y = conv_bn(f, y, name + ".", "2", {.filters = planes});
  return ops::relu(ops::add(y, shortcut(f, x, name, planes, stride)));
}

Value bottleneck(Forward& f, Value x, const std::string& name, int64_t planes, int64_t stride,
                 const ResNet& spec) {
  const int64_t inner = planes * spec.width / 64 * spec.groups, outer = 4 * planes;
  Value y = ops::relu(conv_bn(f, x, name + ".", "1", {.filters = inner, .kernel = 1}));
  y = ops::relu(conv_bn(f, y, name + ".", "2", {.filters = inner, .stride = stride, .groups = spec.groups}));
  y = conv_bn(f, y, name + ".", "3", {.filters = outer, .kernel = 1});
  return ops::relu(ops::add(y, shortcut(f, x, name, outer, stride)));
}

}  // namespace

Value resnet(Forward& f, Value x, const std::string& name, const ResNet& spec) {
  if (!x.valid()) return x;
  const std::string prefix = name.empty() ? "" : name + ".";
  if (spec.small_stem) {
    x = ops::relu(conv_bn(f, x, prefix, "1", {.filters = 64}));
  } else {
    x = ops::relu(conv_bn(f, x, prefix, "1", {.filters = 64, .kernel = 7, .stride = 2}));
    x = ops::max_pool(x, {.kernel = {3, 3}, .strides = {2, 2}, .padding = {1, 1, 1, 1}});
  }
  for (size_t stage = 0; stage < 4 && x.valid(); ++stage)
    for (int64_t i = 0; i < spec.blocks[stage] && x.valid(); ++i) {
      const std::string block = fmt::format("{}layer{}.{}", prefix, stage + 1, i);
      const int64_t planes = int64_t{64} << stage, stride = stage > 0 && i == 0 ? 2 : 1;
      x = spec.bottleneck ? bottleneck(f, x, block, planes, stride, spec)
                          : basic_block(f, x, block, planes, stride);
    }
  return mean_over_places(x);
}

std::optional<ResNet> resnet_variant(std::string_view variant) {
  if (variant == "18") return ResNet{};
  if (variant == "34") return ResNet{.blocks = {3, 4, 6, 3}};
  if (variant == "50") return ResNet{.blocks = {3, 4, 6, 3}, .bottleneck = true};
  if (variant == "101") return ResNet{.blocks = {3, 4, 23, 3}, .bottleneck = true};
  if (variant == "152") return ResNet{.blocks = {3, 8, 36, 3}, .bottleneck = true};
  return std::nullopt;
}

}  // namespace shoestring::model::vision
