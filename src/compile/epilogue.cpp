// epilogue: a product (matmul, conv2d) + bias, and a product + activation, become one node where nobody else
// reads what lies between.
#include "compile/passes.h"
#include "compile/rewrite.h"
#include "ops/ops.h"

namespace shoestring {
namespace {

bool is(const Graph& graph, ValueId v, std::string_view op) { return graph.node(v).op->name == op; }

// Whether it has a bias as its third input, and an activation.
bool is_product(const OpDef& op) { return op.name == "matmul" || op.name == "conv2d"; }

// The bias [n] that is added to a [.., n] value, if it is a broadcast of one.
std::optional<ValueId> bias_of(const Graph& graph, ValueId v) {
  if (!is(graph, v, "broadcast")) return std::nullopt;
  const ValueId source = graph.node(v).inputs[0];
  const Shape& from = graph.type(source).dims;
  if (from.rank() != 1 || from[0] != graph.type(v).dims.back()) return std::nullopt;
  return source;
}

}  // namespace

Graph fuse_epilogues(const Graph& graph, const Target& target) {
  const auto users = users_of(graph);
  std::vector<char> is_output(graph.nodes().size());
  for (const auto& o : graph.outputs()) is_output[o.value.node.index] = true;
  const auto alone = [&](ValueId v) { return users[v.node.index].size() == 1 && !is_output[v.node.index]; };

  Graph out = rewrite(graph, [&](Rewriter& r, NodeId id) -> std::optional<std::vector<Value>> {
    const Node& node = graph.node(id);
    if (node.op->name == "add") {
      for (int side : {0, 1}) {
        const ValueId sum = node.inputs[static_cast<size_t>(side)];
        const Node& product = graph.node(sum);
        if (!is_product(*product.op) || !alone(sum)) continue;
        const auto bias = bias_of(graph, node.inputs[static_cast<size_t>(1 - side)]);
        if (!bias || product.inputs.size() != 2 || product.attrs.text("activation") != "none") continue;
        return std::vector{
            r.to().add(*product.op, {r(product.inputs[0]), r(product.inputs[1]), r(*bias)}, product.attrs)};
      }
    }
    if (node.op->name == "relu" || node.op->name == "tanh" || node.op->name == "sigmoid" ||
        node.op->name == "gelu") {
      // The input may have become a product with a bias just now: look at what stands for it.
      const Value v = r(node.inputs[0]);
      const Node& made = r.to().node(v.id());
      if (!is_product(*made.op) || !alone(node.inputs[0]) || made.attrs.text("activation") != "none")
        return std::nullopt;
      const OpDef& op = *made.op;
      std::vector<Value> inputs;
      for (const ValueId& in : made.inputs) inputs.push_back(r.to().value(in));
      Attrs attrs = made.attrs;
      attrs.set("activation", std::string(node.op->name));
      return std::vector{r.to().add(op, inputs, attrs)};
    }
    return std::nullopt;
  });
  return prune(out, target);
}

}  // namespace shoestring
