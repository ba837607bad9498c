// Operators that move entries, and reductions over axes.
#include <algorithm>

#include "deploy/onnx_translation.h"

namespace shoestring::deploy {
namespace {

// Whether a value of a node on [b,h,w,c] is best read with its channels first.
bool reads_channels_first(Translation& t, ValueId id) {
  return t.axes(id).size() == 4 && t.standing(id).channels_first();
}

int64_t axis_of(Translation& t, const Node& node) {
  const int64_t axis = node.attrs.integer("axis");
  return axis < 0 ? axis + static_cast<int64_t>(t.axes(node.inputs[0]).size()) : axis;
}

// Sets what `emit(operand, axis)` makes, of operands in the form that the first one has.
template <class Emit>
void along_axis(Translation& t, const Node& node, NodeId id, Emit&& emit) {
  const bool first = reads_channels_first(t, node.inputs[0]);
  const int64_t axis = axis_of(t, node);
  std::vector<std::string> operands;
  for (const ValueId v : node.inputs) operands.push_back(first ? t.channels_first(v) : t.plain(v));
  Standing out{.name = emit(operands, first ? kChannelsFirst[axis] : axis), .axes = t.axes({id})};
  if (first) out.picture = out.axes;
  t.set(id, std::move(out));
}

}  // namespace

// Nothing happens until someone reads it who does not broadcast by itself.
Status translate_broadcast(Translation& t, const Node& node, NodeId id) {
  Standing s = t.standing(node.inputs[0]);
  if (s.channels_first() && (t.axes({id}).size() != 4 || t.axes(node.inputs[0]) != s.picture))
    s = {.name = t.plain(node.inputs[0]), .axes = t.axes(node.inputs[0])};
  if (s.channels_first()) s.picture = t.axes({id});
  t.set(id, std::move(s));
  return {};
}

// Between [b,h,w,c] and [b h w,c], as norms have pictures, channels may stay first.
Status translate_reshape(Translation& t, const Node& node, NodeId id) {
  const Axes& to = t.axes({id});
  if (t.axes(node.inputs[0]) == to) {
    t.set(id, t.standing(node.inputs[0]));
    return {};
  }
  const Standing s = t.standing(node.inputs[0]);
  if (s.channels_first()) {
    const Axes& p = s.picture;
    const int64_t places = p[1].fixed * p[2].fixed;
    const bool flat = to.size() == 2 && to[1] == p[3] && p[1].per_row == 0 && p[2].per_row == 0 &&
                      to[0] == Axis{p[0].per_row * places, p[0].fixed * places};
    if (flat || to == p) {
      t.set(id, s);
      return {};
    }
  }
  t.set_plain(id, t.reshaped(t.plain(node.inputs[0]), to));
  return {};
}

Status translate_transpose(Translation& t, const Node& node, NodeId id) {
  std::vector<int64_t> order = node.attrs.list("permutation");
  if (order.empty()) {
    for (size_t i = 0; i < t.axes({id}).size(); ++i) order.push_back(static_cast<int64_t>(i));
    std::swap(order[order.size() - 1], order[order.size() - 2]);
  }
  t.set_plain(id, t.permuted(node.inputs[0], order));
  return {};
}

Status translate_concat(Translation& t, const Node& node, NodeId id) {
  along_axis(t, node, id, [&](const std::vector<std::string>& operands, int64_t axis) {
    return t.emit("Concat", operands, {{"axis", axis}});
  });
  return {};
}

Status translate_slice(Translation& t, const Node& node, NodeId id) {
  const int64_t begin = node.attrs.integer("begin"), end = begin + node.attrs.integer("size");
  along_axis(t, node, id, [&](const std::vector<std::string>& operands, int64_t axis) {
    return t.emit("Slice", {operands[0], t.integers({begin}), t.integers({end}), t.integers({axis})});
  });
  return {};
}

Status translate_pad(Translation& t, const Node& node, NodeId id) {
  std::vector<int64_t> around = node.attrs.list("before");
  const std::vector<int64_t>& after = node.attrs.list("after");
  around.insert(around.end(), after.begin(), after.end());
  t.set_plain(id, t.emit("Pad", {t.plain(node.inputs[0]), t.integers(around),
                                 t.scalar(node.types[0].dtype, node.attrs.number("value"))}));
  return {};
}

Status translate_reduce(Translation& t, const Node& node, NodeId id) {
  const auto rank = static_cast<int64_t>(t.axes(node.inputs[0]).size());
  std::vector<int64_t> axes = node.attrs.list("axes");
  for (int64_t& axis : axes) axis += axis < 0 ? rank : 0;
  if (axes.empty())
    for (int64_t axis = 0; axis < rank; ++axis) axes.push_back(axis);
  const bool keep = node.attrs.flag("keep");

  // With the channels first, what remains may be in another order.
  bool first = reads_channels_first(t, node.inputs[0]);
  int64_t last = -1;
  for (int64_t axis = 0; first && !keep && axis < rank; ++axis) {
    if (std::find(axes.begin(), axes.end(), axis) != axes.end()) continue;
    first = kChannelsFirst[axis] > last;
    last = kChannelsFirst[axis];
  }
  if (first)
    for (int64_t& axis : axes) axis = kChannelsFirst[axis];

  const std::string type(translator_of(node.op->name)->onnx);
  std::vector<std::string> inputs{first ? t.channels_first(node.inputs[0]) : t.plain(node.inputs[0])};
  std::vector<onnx::Attribute> attributes{{"keepdims", int64_t{keep}}};
  if (type == "ReduceSum")  // of the others only in later operator sets
    inputs.push_back(t.integers(axes));
  else
    attributes.push_back({"axes", axes});
  Standing out{.name = t.emit(type, inputs, std::move(attributes)), .axes = t.axes({id})};
  if (first && keep) out.picture = out.axes;
  t.set(id, std::move(out));
  return {};
}

}  // namespace shoestring::deploy
