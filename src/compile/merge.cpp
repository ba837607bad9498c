// merge: nodes that compute the same thing from the same values become one.
#include <map>

#include "compile/passes.h"
#include "compile/rewrite.h"

namespace shoestring {

Graph merge_common(const Graph& graph, const Target&) {
  std::map<std::string, NodeId>
      seen;  // what a node says of itself in the new graph -> the first such old node
  Rewriter r(graph);
  for (uint32_t i = 0; i < graph.nodes().size(); ++i) {
    const NodeId id{i};
    const Node& node = graph.node(id);
    if (node.op == &write_op || node.op == &input_op || node.op == &read_op || node.body) {
      r.copy(id);
      continue;
    }
    std::string key(node.op->name);
    for (const ValueId& v : node.inputs) {
      const ValueId now = r(v).id();
      key += fmt::format(" %{}.{}", now.node.index, now.output);
    }
    for (const auto& [name, value] : node.attrs.pairs()) key += " " + name + "=" + to_string(value);
    for (const Type& t : node.types) key += " " + to_string(t);
    if (node.literal) key.append(reinterpret_cast<const char*>(node.literal->data()), node.literal->size());
    const auto [first, fresh] = seen.emplace(std::move(key), id);
    if (fresh) {
      r.copy(id);
      continue;
    }
    std::vector<Value> outputs;
    for (uint32_t k = 0; k < node.types.size(); ++k) outputs.push_back(r({first->second, k}));
    r.place(id, std::move(outputs));
  }
  return r.finish();
}

}  // namespace shoestring
