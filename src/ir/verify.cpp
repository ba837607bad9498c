#include "ir/verify.h"

#include <set>

namespace shoestring {
namespace {

Status broken(const Graph& graph, uint32_t node, std::string what) {
  const Node& n = graph.nodes()[node];
  return fail(ErrorKind::internal, std::move(what),
              fmt::format("graph {}, %{} = {}", graph.name(), node, n.op ? n.op->name : "?"));
}

Status check_inputs(const Graph& graph, uint32_t i) {
  const Node& node = graph.nodes()[i];
  for (const ValueId& v : node.inputs) {
    if (v.node.index >= i)
      return broken(graph, i, fmt::format("uses %{} before it is computed", v.node.index));
    if (v.output >= graph.node(v).types.size())
      return broken(graph, i, fmt::format("uses %{}.{}, which does not exist", v.node.index, v.output));
  }
  const int n = static_cast<int>(node.inputs.size());
  if (n < node.op->min_inputs || n > node.op->max_inputs)
    return broken(graph, i, fmt::format("has {} inputs", n));
  return {};
}

Status check_types(const Graph& graph, uint32_t i) {
  const Node& node = graph.nodes()[i];
  for (const auto& def : node.op->attrs) {
    const AttrValue* value = node.attrs.find(def.name);
    if (!value || value->index() != def.fallback.index())
      return broken(graph, i, fmt::format("attribute '{}' is missing or of another type", def.name));
  }
  if (node.attrs.pairs().size() != node.op->attrs.size())
    return broken(graph, i, "has attributes that are not declared");
  if (node.op == &constant_op) {
    if (!node.literal || static_cast<int64_t>(node.literal->size()) != node.types[0].bytes())
      return broken(graph, i, "the constant's bytes do not fill its type");
    return {};
  }
  if (!node.op->infer) return {};
  Types in;
  for (const ValueId& v : node.inputs) in.push_back(graph.type(v));
  const Result<Types> types = node.op->infer({in, node.attrs, node.body.get()});
  if (!types) return broken(graph, i, types.error().what);
  if (*types != node.types) return broken(graph, i, "its type is not what the shape rule says");
  return {};
}

// Whether the node's value lies in its first operand's memory.
bool is_view(const Graph& graph, const Node& node) {
  if (!node.op->view) return false;
  Types in;
  for (const ValueId& v : node.inputs) in.push_back(graph.type(v));
  return node.op->view({in, node.attrs, node.body.get()}, node.types[0]).has_value();
}

}  // namespace

Status verify(const Graph& graph) {
  if (auto s = graph.status(); !s) return s;
  std::set<std::string> written, inputs;
  std::vector<const Node*> shows(graph.nodes().size());  // the read whose memory the value is, if any
  for (uint32_t i = 0; i < graph.nodes().size(); ++i) {
    const Node& node = graph.nodes()[i];
    if (!node.op) return broken(graph, i, "has no operator");
    if (auto s = check_inputs(graph, i); !s) return s;
    if (auto s = check_types(graph, i); !s) return s;
    for (const ValueId& v : node.inputs)
      if (const Node* read = shows[v.node.index]; read && written.contains(read->name))
        return broken(graph, i,
                      fmt::format("uses the old value of state '{}' after it is written", read->name));
    shows[i] = node.op == &read_op    ? &node
               : is_view(graph, node) ? shows[node.inputs[0].node.index]
                                      : nullptr;
    if (node.op == &input_op && !inputs.insert(node.name).second)
      return broken(graph, i, fmt::format("input '{}' stands twice", node.name));
    if (node.op == &read_op || node.op == &write_op) {
      const StateInfo* state = graph.state(node.name);
      if (!state) return broken(graph, i, fmt::format("state '{}' is not declared", node.name));
      const Type& type = node.op == &read_op ? node.types[0] : graph.type(node.inputs[0]);
      if (type != state->type)
        return broken(
            graph, i,
            fmt::format("state '{}' is {}, not {}", node.name, to_string(state->type), to_string(type)));
      if (node.op == &read_op && written.contains(node.name))
        return broken(graph, i, fmt::format("state '{}' is read after it is written", node.name));
      if (node.op == &write_op && !written.insert(node.name).second)
        return broken(graph, i, fmt::format("state '{}' is written twice", node.name));
    }
    if (node.body)
      if (auto s = verify(*node.body); !s) return s;
  }
  for (const auto& o : graph.outputs())
    if (o.value.node.index >= graph.nodes().size() || o.value.output >= graph.node(o.value).types.size())
      return fail(ErrorKind::internal, fmt::format("output '{}' does not exist", o.name),
                  "graph " + graph.name());
  return {};
}

}  // namespace shoestring
