// precision: large products, of matrices and of filters and pictures, take bf16 operands and sum in f32,
// where the caller asked for it; convolutions where the machine is faster by it, too. A product's bias and
// activation are applied in f32; its result is kept in bf16 where another such product reads it, so that it
// is rounded once and takes half the memory until then. Parameters stay as they are (f32): what a product
// reads is a copy, made in every step. Everything else (losses, norms, reductions, updates) stays in f32.
//
// It comes after `epilogue`, for a rounding between a product and its bias would lose what the f32 sum has
// gained.
#include <algorithm>
#include <map>

#include "compile/machine.h"
#include "compile/passes.h"
#include "compile/rewrite.h"
#include "ops/ops.h"

namespace shoestring {
namespace {

// Below, the copies cost more than the product gains.
constexpr int64_t kLeastSide = 64;

// Multiplications of a product, and its smallest side.
struct Work {
  int64_t products, side;
};

// As a product of matrices: each place of the results by its taps and channels by the filters of a group.
Work work_of_convolution(const Graph& graph, const Node& node, Convolving what) {
  const Shape& filters = what == Convolving::filters ? node.types[0].dims : graph.type(node.inputs[1]).dims;
  const Shape& results = what == Convolving::forward    ? node.types[0].dims
                         : what == Convolving::pictures ? graph.type(node.inputs[0]).dims
                                                        : graph.type(node.inputs[1]).dims;
  const int64_t taps = filters[0] * filters[1] * filters[2];
  return {results.elements() * taps, std::min(taps, filters[3] / node.attrs.integer("groups"))};
}

Work work_of(const Graph& graph, const Node& matmul) {
  const Shape &a = graph.type(matmul.inputs[0]).dims, &out = matmul.types[0].dims;
  const int64_t k = a[a.rank() - (matmul.attrs.flag("transpose_a") ? 2 : 1)];
  return {out.elements() * k, std::min({k, out.back(), out[out.rank() - 2]})};
}

class Rounding {
 public:
  Rounding(const Graph& graph, const Precision& precision, const MachineProfile& machine)
      : graph_(graph), chosen_(graph.nodes().size()) {
    const bool all = precision.least_products == 0;
    for (uint32_t i = 0; i < graph.nodes().size(); ++i) {
      const Node& node = graph.nodes()[i];
      const auto what = convolving(node.op->name);
      if ((!what && node.op->name != "matmul") || node.types[0].dtype != DType::f32) continue;
      const Work work = what ? work_of_convolution(graph, node, *what) : work_of(graph, node);
      chosen_[i] = work.products >= precision.least_products && (work.side >= kLeastSide || all) &&
                   (!what || all || bf16_gain(machine, *what) > 1);
    }
    read_by_product_.resize(graph.nodes().size());
    for (uint32_t i = 0; i < graph.nodes().size(); ++i)
      if (chosen_[i])
        for (size_t k : {0, 1}) read_by_product_[graph.nodes()[i].inputs[k].node.index] = true;
    // A pool only chooses: what the largest is and the rounding may come in either order.
    const auto users = users_of(graph);
    for (uint32_t i = 0; i < graph.nodes().size(); ++i)
      if (chosen_[i] && !users[i].empty() &&
          std::ranges::all_of(users[i], [&](NodeId u) { return graph.node(u).op->name == "max_pool"; }))
        read_by_product_[i] = true;
    // What leaves the graph stays as it is.
    for (const auto& o : graph.outputs()) read_by_product_[o.value.node.index] = false;
    for (const Node& node : graph.nodes())
      if (node.op == &write_op) read_by_product_[node.inputs[0].node.index] = false;
  }

  std::optional<std::vector<Value>> operator()(Rewriter& r, NodeId id) {
    const Node& node = graph_.node(id);
    if (!chosen_[id.index]) {
      if (node.op->name == "max_pool") return std::nullopt;  // takes either
      if (auto halves = made_in_half(r, node, id)) return halves;
      return with_wide_inputs(r, node);
    }
    std::vector<Value> inputs{half(r(node.inputs[0])), half(r(node.inputs[1]))};
    for (size_t k = 2; k < node.inputs.size(); ++k) inputs.push_back(wide(r(node.inputs[k])));
    Attrs attrs = node.attrs;
    if (!read_by_product_[id.index]) attrs.set("dtype", std::string("f32"));
    return std::vector{r.to().add(*node.op, inputs, attrs)};
  }

 private:
  // Each reader widens for itself, so that only the half lives from one to the next.
  std::optional<std::vector<Value>> with_wide_inputs(Rewriter& r, const Node& node) {
    return reading(r, node, [&](ValueId v) { return wide(r(v), graph_.type(v).dtype); });
  }
  // A pool's gradient is moved, not computed: for products it is rounded as it is moved.
  std::optional<std::vector<Value>> made_in_half(Rewriter& r, const Node& node, NodeId id) {
    if (node.op->name != "max_pool_grad" || !read_by_product_[id.index]) return std::nullopt;
    const std::vector<Value> inputs{wide(r(node.inputs[0])), r(node.inputs[1])};
    Attrs attrs = node.attrs;
    attrs.set("dtype", std::string("bf16"));
    const Types types{inputs[0].type(), inputs[1].type()};
    if (!node.op->infer({types, attrs})) return std::nullopt;  // windows that share places
    return std::vector{r.to().add(*node.op, inputs, attrs)};
  }
  static Value wide(Value v, DType to = DType::f32) { return v.type().dtype == to ? v : ops::cast(v, to); }
  // One copy serves all products.
  Value half(Value v) {
    if (v.type().dtype == DType::bf16) return v;
    Value& known = halves_[v.id()];
    if (!known.valid()) known = ops::cast(v, DType::bf16);
    return known;
  }

  const Graph& graph_;
  std::vector<char> chosen_, read_by_product_;  // the latter may be made in bf16
  std::map<ValueId, Value> halves_;             // of values of the new graph
};

}  // namespace

Graph choose_precision(const Graph& graph, const CompileOptions& options) {
  if (options.precision.products != DType::bf16) return graph;
  Rounding rounding(graph, options.precision, machine_of(options));
  return prune(rewrite(graph, [&](Rewriter& r, NodeId id) { return rounding(r, id); }), options.target);
}

}  // namespace shoestring
