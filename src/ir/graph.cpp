#include "ir/graph.h"

#include <algorithm>
#include <cstring>

#include "base/arith.h"

namespace shoestring {
namespace {

// The graph's own operators are appended by Graph, never through a shape rule.
constexpr OpDef own(std::string_view name, std::string_view doc, int inputs, uint32_t traits = kNoFold) {
  return {.name = name,
          .doc = doc,
          .min_inputs = inputs,
          .max_inputs = inputs,
          .traits = traits,
          .no_grad = "a leaf"};
}

}  // namespace

const OpDef input_op = own("input", "A tensor given from outside at every run.", 0);
const OpDef constant_op = own("constant", "A tensor that never changes.", 0, 0);
const OpDef read_op = own("read", "The value of a state before the run.", 0);
const OpDef write_op = own("write", "The value of a state after the run.", 1);

const Type& Value::type() const {
  static const Type none;
  return graph_ ? graph_->type(id_) : none;
}

std::string_view to_string(StateRole role) {
  constexpr std::string_view names[] = {"parameter", "moment", "statistic", "accumulator", "counter"};
  return names[static_cast<size_t>(role)];
}

bool Graph::holds(std::string_view what, const Type& type) {
  const std::optional<int64_t> more = checked_extent(type);
  if (more && *more <= kMostBytes - bytes_) {
    bytes_ += *more;
    return true;
  }
  error({ErrorKind::budget,
         fmt::format("{} is {}: more than any machine holds", what, to_string(type)),
         {},
         "make the layers or the batch smaller"});
  return false;
}

Value Graph::append(Node node) {
  for (const Type& type : node.types)
    if (!holds(node.name.empty() ? fmt::format("%{} = {}", nodes_.size(), node.op->name)
                                 : fmt::format("{} '{}'", node.op->name, node.name),
               type))
      return {};
  nodes_.push_back(std::move(node));
  return {this, {NodeId{static_cast<uint32_t>(nodes_.size() - 1)}, 0}};
}

Value Graph::error(std::string what) {
  return error({ErrorKind::usage, std::move(what), {}, "check the shapes of its inputs"});
}

Value Graph::error(Error e) {
  e.where = "graph " + name_ + (e.where.empty() ? "" : ", " + e.where);
  if (!failed_) first_error_ = std::move(e);
  failed_ = true;
  return {};
}

Value Graph::input(std::string name, Type type) {
  if (named(name).input != NodeId{}) return error(fmt::format("input '{}' is declared twice", name));
  const Value v = append({.op = &input_op, .types = {type}, .name = name});
  if (v.valid()) names_[std::move(name)].input = v.id().node;
  return v;
}

Value Graph::literal(Type type, std::shared_ptr<const std::vector<std::byte>> bytes) {
  if (static_cast<int64_t>(bytes->size()) != type.bytes())
    return error(fmt::format("constant: {} bytes given for {}", bytes->size(), to_string(type)));
  return append({.op = &constant_op, .types = {type}, .literal = std::move(bytes)});
}

Value Graph::constant(Type type, std::span<const double> values) {
  if (!holds("a constant", type)) return {};
  const auto n = static_cast<size_t>(type.elements());
  if (values.size() != n && values.size() != 1)
    return error(fmt::format("constant: {} values given for {}", values.size(), to_string(type)));
  std::vector<double> filled;
  if (values.size() != n) {
    filled.assign(n, values[0]);
    values = filled;
  }
  auto bytes = std::make_shared<std::vector<std::byte>>(static_cast<size_t>(type.bytes()));
  encode(type.dtype, values.data(), bytes->data(), type.elements());
  return literal(type, std::move(bytes));
}

Graph::Named Graph::named(std::string_view name) const {
  const auto found = names_.find(name);
  return found == names_.end() ? Named{} : found->second;
}

const StateInfo* Graph::state(std::string_view name) const {
  const uint32_t index = named(name).state;
  return index < states_.size() ? &states_[index] : nullptr;
}
NodeId Graph::reading(std::string_view state) const { return named(state).read; }
NodeId Graph::writing(std::string_view state) const { return named(state).write; }

void Graph::declare(const StateInfo& info) {
  if (const StateInfo* known = state(info.name); !known) {
    if (!holds(fmt::format("state '{}'", info.name), info.type)) return;
    names_[info.name].state = static_cast<uint32_t>(states_.size());
    states_.push_back(info);
  } else if (known->type != info.type) {
    error(fmt::format("state '{}' is declared as {} and as {}", info.name, to_string(known->type),
                      to_string(info.type)));
  }
}

void Graph::lay_out(std::string_view name, const Layout& layout) {
  if (const uint32_t index = named(name).state; index < states_.size()) states_[index].layout = layout;
}

Value Graph::read(const StateInfo& info) {
  declare(info);
  if (failed_) return {};
  const Named known = named(info.name);
  if (known.read != NodeId{}) return {this, {known.read, 0}};
  if (known.write != NodeId{}) return error(fmt::format("state '{}' is read after it is written", info.name));
  const Value v = append({.op = &read_op, .types = {info.type}, .name = info.name});
  if (v.valid()) names_[info.name].read = v.id().node;
  return v;
}

void Graph::write(const std::string& name, Value value) {
  if (!value.valid()) return;
  const StateInfo* info = state(name);
  if (!info) {  // a state that is only written (an initializer) takes the type of its value
    names_[name].state = static_cast<uint32_t>(states_.size());
    states_.push_back({name, value.type()});
  } else if (info->type != value.type()) {
    error(fmt::format("state '{}' is {} and cannot be written with {}", name, to_string(info->type),
                      to_string(value.type())));
    return;
  }
  if (writing(name) != NodeId{}) {
    error(fmt::format("state '{}' is written twice", name));
    return;
  }
  append({.op = &write_op, .inputs = {value.id()}, .name = name});
  names_[name].write = NodeId{static_cast<uint32_t>(nodes_.size() - 1)};
}

void Graph::output(std::string name, Value value) {
  if (value.valid()) outputs_.push_back({std::move(name), value.id()});
}

Value Graph::output_named(std::string_view name) {
  for (const auto& o : outputs_)
    if (o.name == name) return {this, o.value};
  return {};
}

Value Graph::add(const OpDef& op, std::span<const Value> inputs, const Attrs& attrs,
                 std::shared_ptr<const Graph> body) {
  Node node{.op = &op};
  node.body = std::move(body);
  Types in;
  for (const Value& v : inputs) {
    if (!v.valid()) {
      // Whoever made it invalid has said why; an untold one is a builder's slip.
      return failed_ ? Value() : error(fmt::format("{}: an input is missing", op.name));
    }
    node.inputs.push_back(v.id());
    in.push_back(v.type());
    if (in_blocks(in.back().dtype) && !(op.traits & kBlocks))
      return error(
          fmt::format("{}: {} has no single elements: cast it first", op.name, to_string(in.back())));
  }
  const int n = static_cast<int>(inputs.size());
  if (n < op.min_inputs || n > op.max_inputs)
    return error(fmt::format("{}: takes {} to {} inputs, not {}", op.name, op.min_inputs, op.max_inputs, n));
  for (const auto& def : op.attrs) {
    const AttrValue* given = attrs.find(def.name);
    if (given && given->index() != def.fallback.index())
      return error(fmt::format("{}: attribute '{}' cannot be {}", op.name, def.name, to_string(*given)));
    node.attrs.set(def.name, given ? *given : def.fallback);
  }
  for (const auto& [name, value] : attrs.pairs())
    if (!node.attrs.find(name)) return error(fmt::format("{}: no attribute '{}'", op.name, name));
  if ((op.traits & kRandom) && node.attrs.integer("stream") >= next_stream_)
    next_stream_ = node.attrs.integer("stream") + 1;
  Result<Types> types = op.infer({in, node.attrs, node.body.get()});
  if (!types) return error(types.error().what);
  node.types = std::move(*types);
  return append(std::move(node));
}

Value Graph::clone(const Node& node, std::span<const Value> inputs) {
  if (node.op == &input_op) return input(node.name, node.types[0]);
  if (node.op == &constant_op) return literal(node.types[0], node.literal);
  if (node.op == &write_op) {
    write(node.name, inputs[0]);
    return {};
  }
  if (node.op == &read_op) {
    const StateInfo* known = state(node.name);
    return read(known ? *known : StateInfo{node.name, node.types[0]});
  }
  return add(*node.op, inputs, node.attrs, node.body);
}

std::vector<std::vector<NodeId>> users_of(const Graph& graph) {
  std::vector<std::vector<NodeId>> users(graph.nodes().size());
  for (uint32_t i = 0; i < graph.nodes().size(); ++i)
    for (const ValueId& v : graph.nodes()[i].inputs) {
      auto& list = users[v.node.index];
      if (list.empty() || list.back() != NodeId{i}) list.push_back(NodeId{i});
    }
  return users;
}

}  // namespace shoestring
