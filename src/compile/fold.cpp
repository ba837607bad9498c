// fold: a node of constants becomes a constant, computed in f64 by the reference. Large results are
// left alone: a broadcast is smaller as a node than as bytes in the plan.
#include "compile/passes.h"
#include "compile/rewrite.h"
#include "ir/interpret.h"

namespace shoestring {
namespace {

constexpr int64_t kLargestResult = 256;  // elements

bool foldable(const Graph& graph, const Node& node) {
  if (node.inputs.empty() || node.types.size() != 1 || (node.op->traits & (kNoFold | kRandom)) || node.body)
    return false;
  if (node.types[0].elements() > kLargestResult || node.op == &write_op) return false;
  if (node.op->name == "broadcast" && node.types[0].elements() > 1) return false;
  for (const ValueId& v : node.inputs)
    if (graph.node(v).op != &constant_op) return false;
  return true;
}

Tensor64 widen(const Node& constant) {
  Tensor64 values(static_cast<size_t>(constant.types[0].elements()));
  decode(constant.types[0].dtype, constant.literal->data(), values.data(), constant.types[0].elements());
  return values;
}

}  // namespace

Graph fold_constants(const Graph& graph, const Target&) {
  Rewriter r(graph);
  for (uint32_t i = 0; i < graph.nodes().size(); ++i) {
    const NodeId id{i};
    r.copy(id);
    // Look at the new graph, where the inputs may have become constants just now.
    if (graph.node(id).types.size() != 1) continue;
    const Value v = r({id, 0});
    if (!v.valid()) continue;
    const Node& node = r.to().node(v.id());
    if (!foldable(r.to(), node)) continue;
    std::vector<Tensor64> inputs;
    Types types;
    for (const ValueId& in : node.inputs) {
      inputs.push_back(widen(r.to().node(in)));
      types.push_back(r.to().type(in));
    }
    std::vector<const Tensor64*> pointers;
    for (const auto& t : inputs) pointers.push_back(&t);
    const Tensor64 result = interpret_node(node, types, pointers, {})[0];
    r.place(id, {r.to().constant(Type(node.types[0]), result)});
  }
  return r.finish();
}

}  // namespace shoestring
