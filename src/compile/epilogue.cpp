// epilogue: a product (matmul, conv2d) + bias, and a product + activation, become one node where nobody else
// reads what lies between; so does a convolution times a scale for each channel, as batch norm is in
// prediction. Reshapes that keep the channels may stand between.
#include "compile/passes.h"
#include "compile/rewrite.h"
#include "ops/ops.h"

namespace shoestring {
namespace {

// Whether it has a bias as its third input, and an activation.
bool is_product(const OpDef& op) { return op.name == "matmul" || op.name == "conv2d"; }
bool has_scale(const OpDef& op) { return op.name == "conv2d"; }  // as its fourth input

// The vector [n] that a [.., n] value is a broadcast of, if it is one.
std::optional<ValueId> vector_of(const Graph& graph, ValueId v) {
  const Node& node = graph.node(v);
  if (node.op->name != "broadcast") return std::nullopt;
  const Shape& from = graph.type(node.inputs[0]).dims;
  if (from.rank() != 1 || from[0] != graph.type(v).dims.back()) return std::nullopt;
  return node.inputs[0];
}

class Epilogues {
 public:
  explicit Epilogues(const Graph& graph)
      : graph_(graph), users_(users_of(graph)), is_output_(graph.nodes().size()) {
    for (const auto& o : graph.outputs()) is_output_[o.value.node.index] = true;
  }

  std::optional<std::vector<Value>> operator()(Rewriter& r, NodeId id) const {
    const Node& node = graph_.node(id);
    const std::string_view op = node.op->name;
    if (op == "add" || op == "mul") {
      for (size_t side : {0u, 1u}) {
        const auto vector = vector_of(graph_, node.inputs[1 - side]);
        const Value product = vector ? product_behind(r, node.inputs[side]) : Value();
        if (!product.valid()) continue;
        const Value all = op == "add" ? with_bias(r, product, r(*vector)) : scaled(r, product, r(*vector));
        if (all.valid()) return std::vector{ops::reshape(all, node.types[0].dims)};
      }
    } else if (op == "relu" || op == "tanh" || op == "sigmoid" || op == "gelu") {
      if (const Value product = product_behind(r, node.inputs[0]); product.valid())
        return std::vector{ops::reshape(with(r, product, {}, op), node.types[0].dims)};
    }
    return std::nullopt;
  }

 private:
  bool alone(ValueId v) const { return users_[v.node.index].size() == 1 && !is_output_[v.node.index]; }

  // The product that stands for an old value in the new graph, perhaps reshaped, if no other reads it and no
  // activation ends it. It may have become one with a bias just now.
  Value product_behind(Rewriter& r, ValueId old) const {
    if (!alone(old)) return {};
    const Node& was = graph_.node(old);
    if (was.op->name == "reshape" && !product_behind(r, was.inputs[0]).valid()) return {};
    Value v = r(old);
    while (r.to().node(v.id()).op->name == "reshape") v = r.to().value(r.to().node(v.id()).inputs[0]);
    const Node& product = r.to().node(v.id());
    const bool fits = is_product(*product.op) && product.attrs.text("activation") == "none" &&
                      v.dims().back() == graph_.type(old).dims.back();
    return fits ? v : Value();
  }

  // The product again, with more inputs behind its first two and an activation.
  static Value with(Rewriter& r, Value product, std::vector<Value> more,
                    std::string_view activation = "none") {
    const Node& node = r.to().node(product.id());
    const OpDef& op = *node.op;
    std::vector<Value> inputs;
    const size_t kept = more.empty() ? node.inputs.size() : 2;
    for (size_t i = 0; i < kept; ++i) inputs.push_back(r.to().value(node.inputs[i]));
    inputs.insert(inputs.end(), more.begin(), more.end());
    Attrs attrs = node.attrs;
    attrs.set("activation", std::string(activation));
    return r.to().add(op, inputs, attrs);
  }

  static Value with_bias(Rewriter& r, Value product, Value bias) {
    const Node& node = r.to().node(product.id());
    if (node.inputs.size() == 2) return with(r, product, {bias});
    if (node.inputs.size() < 4) return {};
    const Value before = r.to().value(node.inputs[2]), scale = r.to().value(node.inputs[3]);
    return with(r, product, {uniform_value(r.to(), before.id()) == 0 ? bias : ops::add(before, bias), scale});
  }

  // (sum + bias) scale = sum scale + bias scale
  static Value scaled(Rewriter& r, Value product, Value scale) {
    const Node& node = r.to().node(product.id());
    if (!has_scale(*node.op) || node.inputs.size() > 3) return {};
    const double zero = 0;
    const Value bias = node.inputs.size() == 3 ? ops::mul(r.to().value(node.inputs[2]), scale)
                                               : r.to().constant(scale.type(), std::span(&zero, 1));
    return with(r, product, {bias, scale});
  }

  const Graph& graph_;
  const std::vector<std::vector<NodeId>> users_;
  std::vector<char> is_output_;
};

}  // namespace

Graph fuse_epilogues(const Graph& graph, const Target& target) {
  const Epilogues epilogues(graph);
  return prune(rewrite(graph, [&](Rewriter& r, NodeId id) { return epilogues(r, id); }), target);
}

}  // namespace shoestring
