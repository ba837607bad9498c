// expand: composites become what they are made of, until every node has a kernel or tiles for the target.
#include "compile/passes.h"
#include "compile/rewrite.h"

namespace shoestring {
namespace {

bool has_kernel(const Graph& graph, const Node& node, const Target& target) {
  if (node.op->elementwise()) return node.op->tiles != nullptr;
  Types in;
  for (const ValueId& v : node.inputs) in.push_back(graph.type(v));
  for (const Kernel& kernel : node.op->kernels)
    if (kernel.prepare({in, node.types, node.attrs, node.body.get(), target})) return true;
  return false;
}

}  // namespace

Graph expand_composites(const Graph& graph, const Target& target) {
  bool again = false;
  Graph out = rewrite(graph, [&](Rewriter& r, NodeId id) -> std::optional<std::vector<Value>> {
    const Node& node = graph.node(id);
    if (!node.op->expand || has_kernel(graph, node, target)) return std::nullopt;
    std::vector<Value> inputs;
    for (const ValueId& v : node.inputs) inputs.push_back(r(v));
    Expansion expansion(r.to(), inputs, node.attrs);
    again = true;
    return node.op->expand(expansion);
  });
  return again ? expand_composites(out, target) : out;
}

}  // namespace shoestring
