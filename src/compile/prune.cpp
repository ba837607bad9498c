// prune: nodes, and parts of loops, that no output and no written state needs go. Inputs stay, so that a
// plan's ports do not depend on what the passes found out.
#include "compile/passes.h"
#include "compile/rewrite.h"

namespace shoestring {

Graph prune(const Graph& whole, const Target&) {
  const std::optional<Graph> trimmed = trim_loops(whole);
  const Graph& graph = trimmed ? *trimmed : whole;
  std::vector<char> needed(graph.nodes().size());
  for (const auto& o : graph.outputs()) needed[o.value.node.index] = true;
  for (auto i = static_cast<uint32_t>(graph.nodes().size()); i-- > 0;) {
    const Node& node = graph.nodes()[i];
    if (node.op == &write_op || node.op == &input_op) needed[i] = true;
    if (needed[i])
      for (const ValueId& v : node.inputs) needed[v.node.index] = true;
  }
  return rewrite(graph, [&](Rewriter&, NodeId id) -> std::optional<std::vector<Value>> {
    if (needed[id.index]) return std::nullopt;
    return std::vector<Value>(graph.node(id).types.size());
  });
}

}  // namespace shoestring
