#include "deploy/onnx_translation.h"

#include <algorithm>

#include "base/text.h"

namespace shoestring::deploy {
namespace {

std::string text_of(const Axes& axes) {
  std::string text;
  for (const Axis& axis : axes) text += fmt::format("{}r+{},", axis.per_row, axis.fixed);
  return text;
}

onnx::Port port_of(const std::string& name, DType dtype, const Axes& axes) {
  onnx::Port port{name, dtype, {}};
  for (const Axis& axis : axes)
    if (axis.per_row == 0)
      port.sizes.emplace_back(axis.fixed);
    else
      port.sizes.emplace_back(axis == Axis{1, 0} ? std::string("rows") : text_of({axis}));
  return port;
}

Axes channels_first_axes(const Axes& axes) { return {axes[0], axes[3], axes[1], axes[2]}; }

}  // namespace

Status no_translation(const Node& node, const std::string& why) {
  return fail(ErrorKind::usage,
              fmt::format("'{}' has no ONNX operator here{}{}", node.op->name, why.empty() ? "" : ": ", why),
              "export", "'shoestring serve' takes any model; or train one without it");
}

// ---- the graph ----

Result<onnx::Model> Translation::run() {
  const Graph& graph = sizes_.graph;
  std::vector<ValueId> waiting;
  for (const NamedValue& output : graph.outputs()) waiting.push_back(output.value);
  std::set<NodeId> wanted;
  while (!waiting.empty()) {
    const ValueId id = waiting.back();
    waiting.pop_back();
    used_.insert(id);
    if (!wanted.insert(id.node).second) continue;
    const Node& node = graph.node(id);
    waiting.insert(waiting.end(), node.inputs.begin(), node.inputs.end());
  }
  out_.graph_name = graph.name();
  // Ports first: shapes ask them for the rows. One that nothing reads is a port all the same.
  for (uint32_t i = 0; i < graph.nodes().size(); ++i)
    if (graph.nodes()[i].op == &input_op)
      if (auto ok = add_port(graph.nodes()[i], {i}); !ok) return fail(ok.error());
  for (uint32_t i = 0; i < graph.nodes().size(); ++i) {
    const Node& node = graph.nodes()[i];
    if (node.op == &input_op || !wanted.contains(NodeId{i})) continue;
    const auto ok = node.op == &read_op || node.literal ? source(node, {i}) : translate({i});
    if (!ok) return fail(ok.error());
  }
  for (const NamedValue& output : graph.outputs()) {
    out_.operations.push_back({"Identity", {plain(output.value)}, {output.name}, {}});
    out_.outputs.push_back(port_of(output.name, type(output.value).dtype, axes(output.value)));
  }
  if (rows_.empty() && rows_asked_)
    return fail(ErrorKind::usage, "no input tells how many rows there are", "export",
                "'shoestring serve' takes any model");
  return std::move(out_);
}

Status Translation::add_port(const Node& node, NodeId id) {
  const DType dtype = node.types[0].dtype;
  if (onnx::number_of(dtype) == 0)
    return no_translation(node, fmt::format("nor has the type {}", info(dtype).name));
  for (size_t axis = 0; rows_.empty() && axis < axes({id}).size(); ++axis)
    if (const auto at = static_cast<int64_t>(axis); axes({id})[axis] == Axis{1, 0})
      rows_ = emit("Shape", {node.name}, {{"start", at}, {"end", at + 1}});
  out_.inputs.push_back(port_of(node.name, dtype, axes({id})));
  set_plain(id, node.name);
  return {};
}

// A state or a constant is written once it is known in which order of axes it is read.
Status Translation::source(const Node& node, NodeId id) {
  const Type& type = node.types[0];
  if (onnx::number_of(type.dtype) == 0)
    return no_translation(node, fmt::format("nor has the type {}", info(type.dtype).name));
  onnx::Tensor tensor{.name = node.name, .type = type};
  if (node.literal) {
    tensor.name = fmt::format("c{}", id.index);
    tensor.owner = node.literal;
    tensor.bytes = *node.literal;
    // With rows in its shape it is one number all over (row_sizes.h).
    if (hangs_on_rows(axes({id}))) {
      tensor.type.dims = {};
      tensor.bytes = tensor.bytes.first(static_cast<size_t>(info(type.dtype).block_bytes));
      set(id, {.name = this->tensor(std::move(tensor))});
      return {};
    }
  } else {
    tensor.bytes = states_(node.name);
  }
  if (static_cast<int64_t>(tensor.bytes.size()) != type.bytes())
    return fail(ErrorKind::internal, fmt::format("no bytes for '{}' ({})", tensor.name, to_string(type)),
                "export");
  sources_.emplace(ValueId{id}, std::move(tensor));
  return {};
}

Status Translation::translate(NodeId id) {
  const Node& node = sizes_.graph.node(id);
  const Translator* row = translator_of(node.op->name);
  if (!row) return no_translation(node, {});
  for (const Type& type : node.types)
    if (onnx::number_of(type.dtype) == 0)
      return no_translation(node, fmt::format("it makes {}, a type that ONNX lacks", info(type.dtype).name));
  return row->node ? row->node(*this, node, id) : translate_pointwise(*this, *row, node, id);
}

// ---- how values stand ----

Standing Translation::standing(ValueId id) {
  if (const auto found = standing_.find(id); found != standing_.end()) return found->second;
  return standing_[id] = {.name = tensor(sources_.at(id)), .axes = axes(id)};
}

std::string Translation::plain(ValueId id) {
  if (const auto found = plain_.find(id); found != plain_.end()) return found->second;
  const Standing s = standing(id);
  std::string name = s.name;
  if (s.channels_first()) {
    name = expanded(name, channels_first_axes(s.axes), channels_first_axes(s.picture));
    name = emit("Transpose", {name}, {{"perm", std::vector<int64_t>{0, 2, 3, 1}}});
    if (axes(id) != s.picture) name = reshaped(name, axes(id));
  } else {
    name = expanded(name, s.axes, axes(id));
  }
  return plain_[id] = name;
}

std::string Translation::channels_first(ValueId id) {
  if (const auto found = channels_first_.find(id); found != channels_first_.end()) return found->second;
  const Standing s = standing(id);
  std::string name;
  if (s.channels_first() && s.picture == axes(id))
    name = expanded(s.name, channels_first_axes(s.axes), channels_first_axes(s.picture));
  else
    name = emit("Transpose", {plain(id)}, {{"perm", std::vector<int64_t>{0, 3, 1, 2}}});
  return channels_first_[id] = name;
}

std::string Translation::permuted(ValueId id, const std::vector<int64_t>& permutation) {
  if (const auto found = sources_.find(id); found != sources_.end()) {
    onnx::Tensor turned = found->second;
    turned.permutation = permutation;
    std::string text;
    for (int64_t axis : permutation) text += fmt::format(".{}", axis);
    turned.name += text;
    return tensor(std::move(turned));
  }
  return emit("Transpose", {plain(id)}, {{"perm", permutation}});
}

void Translation::set(NodeId node, Standing standing, uint32_t output) {
  standing_[{node, output}] = std::move(standing);
}
void Translation::set_plain(NodeId node, std::string name) {
  set(node, {.name = std::move(name), .axes = axes({node})});
}

// ---- records ----

std::string Translation::emit(std::string type, std::vector<std::string> inputs,
                              std::vector<onnx::Attribute> attributes) {
  std::string name = fmt::format("v{}", names_++);
  out_.operations.push_back({std::move(type), std::move(inputs), {name}, std::move(attributes)});
  return name;
}

std::string Translation::first_of_two(std::string type, std::vector<std::string> inputs,
                                      std::vector<onnx::Attribute> attributes) {
  const std::string name = emit(std::move(type), std::move(inputs), std::move(attributes));
  out_.operations.back().outputs.push_back(name + "_other");
  return name;
}

// Writes it, once.
std::string Translation::tensor(onnx::Tensor tensor) {
  std::string name = tensor.name;
  if (constants_.emplace("tensor " + name, name).second) out_.tensors.push_back(std::move(tensor));
  return name;
}

std::string Translation::numbers(const Type& type, std::span<const double> values) {
  std::string key = to_string(type);
  for (double value : values) key += fmt::format(" {}", value);
  const auto [at, fresh] = constants_.emplace(key, fmt::format("k{}", constants_.size()));
  if (fresh) {
    auto bytes = std::make_shared<std::vector<std::byte>>(static_cast<size_t>(type.bytes()));
    encode(type.dtype, values.data(), bytes->data(), type.elements());
    out_.tensors.push_back({.name = at->second, .type = type, .bytes = *bytes, .owner = bytes});
  }
  return at->second;
}

std::string Translation::scalar(DType dtype, double value) {
  return numbers({dtype, {}}, std::span(&value, 1));
}

std::string Translation::integers(const std::vector<int64_t>& values) {
  return numbers({DType::i64, {static_cast<int64_t>(values.size())}},
                 std::vector<double>(values.begin(), values.end()));
}

std::string Translation::shape(const Axes& axes) {
  if (const auto found = shapes_.find(text_of(axes)); found != shapes_.end()) return found->second;
  std::vector<std::string> parts;
  std::vector<int64_t> fixed;
  const auto close = [&] {
    if (!fixed.empty()) parts.push_back(integers(fixed));
    fixed.clear();
  };
  for (const Axis& axis : axes) {
    if (axis.per_row == 0) {
      fixed.push_back(axis.fixed);
      continue;
    }
    close();
    rows_asked_ = true;
    std::string size = rows_;
    if (axis.per_row != 1) size = emit("Mul", {size, integers({axis.per_row})});
    if (axis.fixed != 0) size = emit("Add", {size, integers({axis.fixed})});
    parts.push_back(size);
  }
  close();
  const std::string name = parts.empty()       ? integers({})
                           : parts.size() == 1 ? parts[0]
                                               : emit("Concat", parts, {{"axis", int64_t{0}}});
  return shapes_[text_of(axes)] = name;
}

std::string Translation::reshaped(const std::string& name, const Axes& axes) {
  // One axis may be left to the reshape itself, if no other one may be 0.
  std::vector<int64_t> sizes;
  for (const Axis& axis : axes) sizes.push_back(axis.per_row != 0 ? -1 : axis.fixed);
  const bool known =
      std::count(sizes.begin(), sizes.end(), -1) <= 1 && std::count(sizes.begin(), sizes.end(), 0) == 0;
  return emit(
      "Reshape", {name, known ? integers(sizes) : shape(axes)},
      known ? std::vector<onnx::Attribute>{} : std::vector<onnx::Attribute>{{"allowzero", int64_t{1}}});
}

std::string Translation::expanded(const std::string& name, const Axes& from, const Axes& to) {
  return from == to ? name : emit("Expand", {name, shape(to)});
}

}  // namespace shoestring::deploy
