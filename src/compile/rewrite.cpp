#include "compile/rewrite.h"

#include <algorithm>
#include <cmath>

namespace shoestring {

Rewriter::Rewriter(const Graph& from)
    : from_(from), to_(from.name()), map_(from.nodes().size()), done_(from.nodes().size()) {
  for (const auto& s : from.states()) to_.declare(s);
}

void Rewriter::place(NodeId old, std::vector<Value> outputs) {
  map_[old.index] = std::move(outputs);
  done_[old.index] = true;
}

void Rewriter::copy(NodeId old) {
  const Node& node = from_.node(old);
  std::vector<Value> inputs;
  for (const ValueId& v : node.inputs) inputs.push_back((*this)(v));
  const Value v = to_.clone(node, inputs);
  std::vector<Value> outputs;
  for (uint32_t k = 0; k < node.types.size(); ++k) outputs.push_back(v.output(k));
  place(old, std::move(outputs));
}

Graph Rewriter::finish() {
  for (uint32_t i = 0; i < from_.nodes().size(); ++i)
    if (!done_[i]) copy(NodeId{i});
  for (const auto& o : from_.outputs()) to_.output(o.name, (*this)(o.value));
  return std::move(to_);
}

std::optional<double> uniform_value(const Graph& graph, ValueId id) {
  const Node* node = &graph.node(id);
  while (node->op->name == "broadcast" || node->op->name == "reshape") node = &graph.node(node->inputs[0]);
  if (node->op != &constant_op || node->types[0].elements() == 0) return std::nullopt;
  std::vector<double> values(static_cast<size_t>(node->types[0].elements()));
  decode(node->types[0].dtype, node->literal->data(), values.data(), node->types[0].elements());
  if (std::any_of(values.begin(), values.end(), [&](double v) { return v != values[0]; }))
    return std::nullopt;
  return values[0];
}

}  // namespace shoestring
