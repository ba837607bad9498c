// Operators on pictures: their channels come first in ONNX.
#include "deploy/onnx_translation.h"
#include "ops/augmentation.h"

namespace shoestring::deploy {
namespace {

void set_channels_first(Translation& t, NodeId id, std::string name) {
  t.set(id, {.name = std::move(name), .axes = t.axes({id}), .picture = t.axes({id})});
}

// The windows of a pool. An adaptive one has windows of one size where the picture is a multiple of the
// results.
Result<std::vector<onnx::Attribute>> windows(Translation& t, const Node& node) {
  const std::vector<int64_t>& adaptive = node.attrs.list("adaptive");
  if (adaptive.empty())
    return std::vector<onnx::Attribute>{{"kernel_shape", node.attrs.list("kernel")},
                                        {"strides", node.attrs.list("strides")},
                                        {"pads", node.attrs.list("padding")}};
  const Axes& picture = t.axes(node.inputs[0]);
  std::vector<int64_t> size;
  for (size_t side : {size_t{0}, size_t{1}}) {
    if (picture[1 + side].fixed % adaptive[side] != 0)
      return fail(no_translation(node, "its windows are of several sizes").error());
    size.push_back(picture[1 + side].fixed / adaptive[side]);
  }
  return std::vector<onnx::Attribute>{{"kernel_shape", size}, {"strides", size}};
}

}  // namespace

// Filters are [kh,kw,c/groups,n] here and [n,c/groups,kh,kw] there.
Status translate_conv2d(Translation& t, const Node& node, NodeId id) {
  std::vector<std::string> inputs{t.channels_first(node.inputs[0]), t.permuted(node.inputs[1], {3, 2, 0, 1})};
  const bool scaled = node.inputs.size() > 3;
  if (node.inputs.size() == 3) inputs.push_back(t.plain(node.inputs[2]));
  std::string name = t.emit("Conv", inputs,
                            {{"strides", node.attrs.list("strides")},
                             {"pads", node.attrs.list("padding")},
                             {"dilations", node.attrs.list("dilations")},
                             {"group", node.attrs.integer("groups")}});
  if (scaled) {
    const auto of_channels = [&](ValueId v) {
      return t.reshaped(t.plain(v), {t.axes(v)[0], {0, 1}, {0, 1}});
    };
    name = t.emit("Mul", {name, of_channels(node.inputs[3])});
    name = t.emit("Add", {name, of_channels(node.inputs[2])});
  }
  set_channels_first(t, id, activated(t, node, std::move(name)));
  return {};
}

Status translate_max_pool(Translation& t, const Node& node, NodeId id) {
  if (t.used({id, 1})) return no_translation(node, "which tap was the largest is asked for");
  auto attributes = windows(t, node);
  if (!attributes) return fail(attributes.error());
  attributes->push_back({"dilations", node.attrs.list("dilations")});
  set_channels_first(t, id, t.emit("MaxPool", {t.channels_first(node.inputs[0])}, std::move(*attributes)));
  return {};
}

Status translate_average_pool(Translation& t, const Node& node, NodeId id) {
  if (node.attrs.list("dilations") != std::vector<int64_t>{1, 1})
    return no_translation(node, "its windows are dilated");
  auto attributes = windows(t, node);
  if (!attributes) return fail(attributes.error());
  attributes->push_back({"count_include_pad", int64_t{node.attrs.flag("count_padding")}});
  set_channels_first(t, id,
                     t.emit("AveragePool", {t.channels_first(node.inputs[0])}, std::move(*attributes)));
  return {};
}

// Only what is no matter of chance: the mirror image that a prediction looks at besides.
Status translate_augment(Translation& t, const Node& node, NodeId id) {
  const auto steps = ops::augmentation::steps_from(node.attrs.text("steps"));
  if (!steps) return fail(steps.error());
  std::string name = t.plain(node.inputs[0]);
  for (const ops::augmentation::Step& step : *steps) {
    const auto* flip = std::get_if<ops::augmentation::HorizontalFlip>(&step);
    if (!flip || flip->probability != 1 || flip->alternating)
      return no_translation(node, "it draws random numbers");
    constexpr int64_t kBegin = INT64_MIN + 1;  // beyond any first entry
    name = t.emit("Slice", {name, t.integers({-1}), t.integers({kBegin}), t.integers({2}), t.integers({-1})});
  }
  t.set_plain(id, name);
  return {};
}

}  // namespace shoestring::deploy
