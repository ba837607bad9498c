// Products, norms, attention, look-ups and orders.
#include <cmath>
#include <limits>
#include <numeric>

#include "deploy/onnx_translation.h"

namespace shoestring::deploy {
namespace {

std::string last_two_swapped(Translation& t, ValueId id) {
  std::vector<int64_t> order(t.axes(id).size());
  std::iota(order.begin(), order.end(), int64_t{0});
  std::swap(order[order.size() - 1], order[order.size() - 2]);
  return t.permuted(id, order);
}

std::string as_i32(Translation& t, const std::string& name) {
  return t.emit("Cast", {name}, {{"to", onnx::number_of(DType::i32)}});
}

}  // namespace

// Of two matrices Gemm, which takes the bias and either one transposed.
Status translate_matmul(Translation& t, const Node& node, NodeId id) {
  const ValueId a = node.inputs[0], b = node.inputs[1];
  const bool turn_a = node.attrs.flag("transpose_a"), turn_b = node.attrs.flag("transpose_b");
  const bool bias = node.inputs.size() > 2;
  if (t.type(a).dtype != node.types[0].dtype || t.type(b).dtype != node.types[0].dtype)
    return no_translation(node, "its operands and its result differ in type");
  std::string name;
  if (t.axes(a).size() == 2 && t.axes(b).size() == 2) {
    std::vector<std::string> inputs{t.plain(a), t.plain(b)};
    if (bias) inputs.push_back(t.plain(node.inputs[2]));
    name = t.emit("Gemm", inputs, {{"transA", int64_t{turn_a}}, {"transB", int64_t{turn_b}}});
  } else {
    name = t.emit("MatMul", {turn_a ? last_two_swapped(t, a) : t.plain(a),
                             turn_b ? last_two_swapped(t, b) : t.plain(b)});
    if (bias) name = t.emit("Add", {name, t.plain(node.inputs[2])});
  }
  t.set_plain(id, activated(t, node, std::move(name)));
  return {};
}

// softmax(scale q k^T) v
Status translate_attention(Translation& t, const Node& node, NodeId id) {
  const ValueId q = node.inputs[0], k = node.inputs[1], v = node.inputs[2];
  if (node.inputs.size() > 3) return no_translation(node, "it has a mask");
  if (t.used({id, 1})) return no_translation(node, "its log-sum-exps are asked for");
  if (t.axes(q)[1] != t.axes(k)[1]) return no_translation(node, "its queries share heads of keys");
  const DType dtype = node.types[0].dtype;
  const double given = node.attrs.number("scale");
  const double scale = given != 0 ? given : 1 / std::sqrt(static_cast<double>(t.axes(q)[3].fixed));
  std::string scores = t.emit("MatMul", {t.plain(q), last_two_swapped(t, k)});
  scores = t.emit("Mul", {scores, t.scalar(dtype, scale)});
  if (node.attrs.flag("causal")) {
    const Axis m = t.axes(q)[2], n = t.axes(k)[2];
    if (m.per_row != 0 || n.per_row != 0 || n.fixed < m.fixed)
      return no_translation(node,
                            "it is causal over sizes that are not known, or with fewer keys than queries");
    std::vector<double> hidden;
    for (int64_t i = 0; i < m.fixed; ++i)
      for (int64_t j = 0; j < n.fixed; ++j)
        hidden.push_back(j > i + n.fixed - m.fixed ? -std::numeric_limits<double>::infinity() : 0);
    scores = t.emit("Add", {scores, t.numbers({dtype, {m.fixed, n.fixed}}, hidden)});
  }
  const std::string shares = t.emit("Softmax", {scores}, {{"axis", int64_t{-1}}});
  t.set_plain(id, t.emit("MatMul", {shares, t.plain(v)}));
  return {};
}

Status translate_layer_norm(Translation& t, const Node& node, NodeId id) {
  t.set_plain(id,
              t.emit("LayerNormalization",
                     {t.plain(node.inputs[0]), t.plain(node.inputs[1]), t.plain(node.inputs[2])},
                     {{"axis", int64_t{-1}}, {"epsilon", static_cast<float>(node.attrs.number("epsilon"))}}));
  return {};
}

// x / sqrt(mean x² + epsilon) scale
Status translate_rms_norm(Translation& t, const Node& node, NodeId id) {
  const std::string x = t.plain(node.inputs[0]);
  const std::string mean = t.emit("ReduceMean", {t.emit("Mul", {x, x})},
                                  {{"axes", std::vector<int64_t>{-1}}, {"keepdims", int64_t{1}}});
  const std::string root =
      t.emit("Sqrt", {t.emit("Add", {mean, t.scalar(node.types[0].dtype, node.attrs.number("epsilon"))})});
  t.set_plain(id, t.emit("Mul", {t.emit("Div", {x, root}), t.plain(node.inputs[1])}));
  return {};
}

Status translate_rows(Translation& t, const Node& node, NodeId id) {
  t.set_plain(id, t.emit(std::string(translator_of(node.op->name)->onnx), {t.plain(node.inputs[0])},
                         {{"axis", int64_t{-1}}}));
  return {};
}

// Numbers of rows are clamped, as ours are.
Status translate_gather(Translation& t, const Node& node, NodeId id) {
  const Axis rows = t.axes(node.inputs[0])[0];
  if (rows.per_row != 0) return no_translation(node, "its table has as many rows as the batch");
  const std::string indices = t.emit("Clip", {t.plain(node.inputs[1]), t.scalar(DType::i32, 0),
                                              t.scalar(DType::i32, static_cast<double>(rows.fixed - 1))});
  t.set_plain(id, t.emit("Gather", {t.plain(node.inputs[0]), indices}, {{"axis", int64_t{0}}}));
  return {};
}

// ONNX's OneHot counts negative numbers from the back, ours have no one.
Status translate_one_hot(Translation& t, const Node& node, NodeId id) {
  const int64_t classes = node.attrs.integer("classes");
  std::vector<double> each(static_cast<size_t>(classes));
  std::iota(each.begin(), each.end(), 0.0);
  const std::string wide = t.emit("Unsqueeze", {t.plain(node.inputs[0]), t.integers({-1})});
  const std::string same =
      t.emit("Equal", {wide, t.numbers({t.type(node.inputs[0]).dtype, {classes}}, each)});
  t.set_plain(id, t.emit("Cast", {same}, {{"to", onnx::number_of(node.types[0].dtype)}}));
  return {};
}

Status translate_argmax(Translation& t, const Node& node, NodeId id) {
  t.set_plain(id, as_i32(t, t.emit("ArgMax", {t.plain(node.inputs[0])},
                                   {{"axis", node.attrs.integer("axis")}, {"keepdims", int64_t{0}}})));
  return {};
}

Status translate_cumsum(Translation& t, const Node& node, NodeId id) {
  t.set_plain(id, t.emit("CumSum",
                         {t.plain(node.inputs[0]),
                          t.scalar(DType::i64, static_cast<double>(node.attrs.integer("axis")))},
                         {{"exclusive", int64_t{node.attrs.flag("exclusive")}},
                          {"reverse", int64_t{node.attrs.flag("reverse")}}}));
  return {};
}

Status translate_ordered(Translation& t, const Node& node, NodeId id) {
  if (t.used({id, 1})) return no_translation(node, "where the entries stood is asked for");
  const bool sorts = node.attrs.find("k") == nullptr;
  const Axis last = t.axes({id}).back();
  if (last.per_row != 0) return no_translation(node, "it orders as many entries as the batch has rows");
  const bool largest = !sorts || node.attrs.flag("descending");
  t.set_plain(id,
              t.first_of_two("TopK", {t.plain(node.inputs[0]), t.integers({last.fixed})},
                             {{"axis", int64_t{-1}}, {"largest", int64_t{largest}}, {"sorted", int64_t{1}}}));
  return {};
}

}  // namespace shoestring::deploy
