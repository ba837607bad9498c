// The table of operators that can be exported, and what the elementwise ones become.
#include <algorithm>
#include <cmath>

#include "deploy/onnx_translation.h"

namespace shoestring::deploy {
namespace {

using In = std::span<const std::string>;

// In the node's type: of masks, which are numbers to us and truths to ONNX.
std::string as_number(Translation& t, const Node& node, std::string name) {
  return t.emit("Cast", {std::move(name)}, {{"to", onnx::number_of(node.types[0].dtype)}});
}
std::string as_type(Translation& t, const Node& node, In in) { return as_number(t, node, in[0]); }
std::string number(Translation& t, const Node& node, double value) {
  return t.scalar(node.types[0].dtype, value);
}

// Ours rounds to the nearest whole number and stays within the type, ONNX's cuts off.
std::string to_whole(Translation& t, const Node& node, In in) {
  const DType from = t.type(node.inputs[0]).dtype, to = node.types[0].dtype;
  const double bits = 8 * info(to).block_bytes;
  const bool has_sign = to == DType::i8 || to == DType::i16 || to == DType::i32 || to == DType::i64;
  const double low = has_sign ? -std::exp2(bits - 1) : 0;
  // The largest that is a number of both types.
  const double step = bits > 16 ? std::exp2(bits - 25) : 1;
  const double high = std::exp2(has_sign ? bits - 1 : bits) - step;
  const std::string near = t.emit("Round", {in[0]});
  return as_number(t, node, t.emit("Clip", {near, t.scalar(from, low), t.scalar(from, high)}));
}

Status translate_cast(Translation& t, const Node& node, NodeId id) {
  const DTypeInfo &from = info(t.type(node.inputs[0]).dtype), &to = info(node.types[0].dtype);
  if (from.floating && !to.floating) return translate_pointwise(t, {.pointwise = to_whole}, node, id);
  if (!from.floating && !to.floating && to.block_bytes <= from.block_bytes)
    return no_translation(node, fmt::format("it brings {} to {}", from.name, to.name));
  return translate_pointwise(t, {.pointwise = as_type}, node, id);
}

std::string clamp(Translation& t, const Node& node, In in) {
  std::vector<std::string> inputs{in[0]};
  for (const char* side : {"low", "high"}) {
    const double bound = node.attrs.number(side);
    inputs.push_back(std::isinf(bound) ? std::string() : number(t, node, bound));
  }
  return t.emit("Clip", std::move(inputs));
}

std::string equal(Translation& t, const Node& node, In in) {
  return as_number(t, node, t.emit("Equal", {in[0], in[1]}));
}
std::string less(Translation& t, const Node& node, In in) {
  return as_number(t, node, t.emit("Less", {in[0], in[1]}));
}
std::string less_equal(Translation& t, const Node& node, In in) {
  return as_number(t, node, t.emit("LessOrEqual", {in[0], in[1]}));
}
std::string is_finite(Translation& t, const Node& node, In in) {
  const std::string bad = t.emit("Or", {t.emit("IsNaN", {in[0]}), t.emit("IsInf", {in[0]})});
  return as_number(t, node, t.emit("Not", {bad}));
}
std::string where(Translation& t, const Node& node, In in) {
  const std::string no = t.emit("Equal", {in[0], number(t, node, 0)});
  return t.emit("Where", {no, in[2], in[1]});
}

// x (1 + erf(x / sqrt 2)) / 2
std::string gelu(Translation& t, const Node& node, In in) {
  const std::string bent = t.emit("Erf", {t.emit("Mul", {in[0], number(t, node, std::sqrt(0.5))})});
  const std::string half = t.emit("Mul", {in[0], number(t, node, 0.5)});
  return t.emit("Mul", {half, t.emit("Add", {bent, number(t, node, 1)})});
}

// a + t (b - a)
std::string lerp(Translation& t, const Node&, In in) {
  return t.emit("Add", {in[0], t.emit("Mul", {in[2], t.emit("Sub", {in[1], in[0]})})});
}

std::string log1p(Translation& t, const Node& node, In in) {
  return t.emit("Log", {t.emit("Add", {in[0], number(t, node, 1)})});
}

std::string rsqrt(Translation& t, const Node&, In in) {
  return t.emit("Reciprocal", {t.emit("Sqrt", {in[0]})});
}

std::string square(Translation& t, const Node&, In in) { return t.emit("Mul", {in[0], in[0]}); }

std::string squared_error(Translation& t, const Node& node, In in) {
  const std::string apart = t.emit("Sub", {in[0], in[1]});
  return square(t, node, std::span(&apart, 1));
}
std::string absolute_error(Translation& t, const Node&, In in) {
  return t.emit("Abs", {t.emit("Sub", {in[0], in[1]})});
}

// weight t softplus(-x) + (1 - t) softplus(x): with a target of 0 it is how activations say softplus.
std::string binary_cross_entropy(Translation& t, const Node& node, In in) {
  const std::string positive = t.emit("Mul", {in[1], number(t, node, node.attrs.number("positive_weight"))});
  const std::string missed = t.emit("Mul", {positive, t.emit("Softplus", {t.emit("Neg", {in[0]})})});
  const std::string negative = t.emit("Sub", {number(t, node, 1), in[1]});
  return t.emit("Add", {missed, t.emit("Mul", {negative, t.emit("Softplus", {in[0]})})});
}

// In the order of their names.
constexpr Translator kTable[] = {
    {"abs", "Abs"},
    {"absolute_error", {}, absolute_error},
    {"add", "Add"},
    {"after", "Identity"},
    {"argmax", {}, nullptr, translate_argmax},
    {"attention", {}, nullptr, translate_attention},
    {"augment", {}, nullptr, translate_augment},
    {"average_pool", {}, nullptr, translate_average_pool},
    {"binary_cross_entropy", {}, binary_cross_entropy},
    {"broadcast", {}, nullptr, translate_broadcast},
    {"cast", {}, nullptr, translate_cast},
    {"clamp", {}, clamp},
    {"concat", {}, nullptr, translate_concat},
    {"conv2d", {}, nullptr, translate_conv2d},
    {"cos", "Cos"},
    {"cumsum", {}, nullptr, translate_cumsum},
    {"div", "Div"},
    {"equal", {}, equal},
    {"erf", "Erf"},
    {"exp", "Exp"},
    {"gather", {}, nullptr, translate_gather},
    {"gelu", {}, gelu},
    {"is_finite", {}, is_finite},
    {"layer_norm", {}, nullptr, translate_layer_norm},
    {"lerp", {}, lerp},
    {"less", {}, less},
    {"less_equal", {}, less_equal},
    {"log", "Log"},
    {"log1p", {}, log1p},
    {"log_softmax", "LogSoftmax", nullptr, translate_rows},
    {"matmul", {}, nullptr, translate_matmul},
    {"max_pool", {}, nullptr, translate_max_pool},
    {"maximum", "Max"},
    {"minimum", "Min"},
    {"mul", "Mul"},
    {"neg", "Neg"},
    {"one_hot", {}, nullptr, translate_one_hot},
    {"pad", {}, nullptr, translate_pad},
    {"pow", "Pow"},
    {"reduce_max", "ReduceMax", nullptr, translate_reduce},
    {"reduce_mean", "ReduceMean", nullptr, translate_reduce},
    {"reduce_min", "ReduceMin", nullptr, translate_reduce},
    {"reduce_prod", "ReduceProd", nullptr, translate_reduce},
    {"reduce_sum", "ReduceSum", nullptr, translate_reduce},
    {"relu", "Relu"},
    {"reshape", {}, nullptr, translate_reshape},
    {"rms_norm", {}, nullptr, translate_rms_norm},
    {"rsqrt", {}, rsqrt},
    {"sigmoid", "Sigmoid"},
    {"sign", "Sign"},
    {"sin", "Sin"},
    {"slice", {}, nullptr, translate_slice},
    {"softmax", "Softmax", nullptr, translate_rows},
    {"sort", {}, nullptr, translate_ordered},
    {"sqrt", "Sqrt"},
    {"square", {}, square},
    {"squared_error", {}, squared_error},
    {"stop_gradient", "Identity"},
    {"sub", "Sub"},
    {"tanh", "Tanh"},
    {"top_k", {}, nullptr, translate_ordered},
    {"transpose", {}, nullptr, translate_transpose},
    {"where", {}, where},
};
static_assert(std::is_sorted(std::begin(kTable), std::end(kTable),
                             [](const Translator& a, const Translator& b) { return a.op < b.op; }));

// Of one axis of several operands, by NumPy's rule.
Axis wider(const Axis& a, const Axis& b) { return a == Axis{0, 1} ? b : a; }

Axes broadcast(const Axes& a, const Axes& b) {
  Axes out = a.size() >= b.size() ? a : b;
  const Axes& shorter = a.size() >= b.size() ? b : a;
  const size_t added = out.size() - shorter.size();
  for (size_t i = 0; i < shorter.size(); ++i) out[added + i] = wider(out[added + i], shorter[i]);
  return out;
}

// Numbers of channels, however many axes of 1 stand before them.
bool of_channels(const Axes& axes) {
  return axes.size() <= 4 && std::all_of(axes.begin(), axes.end() - !axes.empty(), [](const Axis& a) {
           return a == Axis{0, 1};
         });
}

// The picture that a node's operands have in common, where one of them has its channels first and all others
// can have it; else nothing.
Axes picture_of(Translation& t, std::span<const ValueId> inputs, size_t rank) {
  Axes picture;
  for (const ValueId id : inputs) {
    const Standing s = t.standing(id);
    if (!s.channels_first()) continue;
    if (!picture.empty() && picture != s.picture) return {};
    picture = s.picture;
  }
  for (const ValueId id : inputs) {
    const Standing s = t.standing(id);
    if (!s.channels_first() && rank != 4 && !of_channels(s.axes)) return {};
  }
  return picture;
}

}  // namespace

std::span<const Translator> translators() { return kTable; }

const Translator* translator_of(std::string_view op) {
  const auto at =
      std::lower_bound(std::begin(kTable), std::end(kTable), op,
                       [](const Translator& row, std::string_view name) { return row.op < name; });
  return at != std::end(kTable) && at->op == op ? at : nullptr;
}

Status translate_pointwise(Translation& t, const Translator& row, const Node& node, NodeId id) {
  // `after` waits for its second operand, which is nothing to a graph without memory.
  const auto inputs = std::span(node.inputs).first(row.onnx == "Identity" ? 1 : node.inputs.size());
  Standing out{.picture = picture_of(t, inputs, t.axes({id}).size())};
  std::vector<std::string> names;
  for (const ValueId input : inputs) {
    const Standing s = t.standing(input);
    if (!out.channels_first() || s.channels_first()) {
      const bool turned = s.channels_first() && !out.channels_first();
      names.push_back(turned ? t.plain(input) : s.name);
      out.axes = broadcast(out.axes, turned ? t.axes(input) : s.axes);
    } else if (of_channels(s.axes)) {
      const bool one = s.axes.empty() || s.axes.back() == Axis{0, 1};
      names.push_back(one ? s.name : t.reshaped(s.name, {s.axes.back(), {0, 1}, {0, 1}}));
      out.axes = broadcast(out.axes, s.axes);
    } else if (s.axes.size() == 4 && s.axes != t.axes(input)) {  // not yet broadcast: the smaller transpose
      names.push_back(t.emit("Transpose", {s.name}, {{"perm", std::vector<int64_t>{0, 3, 1, 2}}}));
      out.axes = broadcast(out.axes, s.axes);
    } else {
      names.push_back(t.channels_first(input));
      out.axes = broadcast(out.axes, t.axes(input));
    }
  }
  out.name = row.pointwise ? row.pointwise(t, node, names) : t.emit(std::string(row.onnx), names);
  t.set(id, std::move(out));
  return {};
}

std::string activated(Translation& t, const Node& node, std::string name) {
  const std::string& activation = node.attrs.text("activation");
  if (activation == "none") return name;
  const Translator& row = *translator_of(activation);  // they have the operators' names
  return row.pointwise ? row.pointwise(t, node, std::span(&name, 1)) : t.emit(std::string(row.onnx), {name});
}

}  // namespace shoestring::deploy
