// layout: in which order values lie that a kernel wants in another than row-major: the filters of
// convolutions. What is computed from such a value element by element lies as it does, so that weights, their
// moments and their gradients share one order; where two meet that differ, a `reorder` stands between them.
// How states lie is settled before, once for all plans of a model (lay_out_states), by what the reorders
// would move.
#include <algorithm>
#include <map>
#include <numeric>

#include "compile/passes.h"
#include "compile/rewrite.h"
#include "ops/ops.h"

namespace shoestring {
namespace {

const LaidOut* laid_out(const Node& node) {
  return node.op->laid_out.empty() || node.op->name == "reorder" ? nullptr : &node.op->laid_out[0];
}

// The value that may lie in another order: an input of the node or its output.
ValueId laid_out_value(const Node& node, uint32_t i) {
  const auto operand = static_cast<size_t>(laid_out(node)->operand);
  return operand < node.inputs.size() ? node.inputs[operand] : ValueId{NodeId{i}, 0};
}

// The order that the node's kernel wants: that of the first that takes it.
Layout wanted(const Graph& graph, const Node& node, const Target& target) {
  Types in;
  for (const ValueId& v : node.inputs) in.push_back(graph.type(v));
  Attrs attrs = node.attrs;
  attrs.set(laid_out(node)->attr, std::vector<int64_t>{});
  const KernelRequest request{in, node.types, attrs, node.body.get(), target};
  for (const Kernel& kernel : node.op->kernels) {
    if (!kernel.wants) return {};
    if (const auto layout = kernel.wants(request)) return *layout;
  }
  return {};
}

// What follows from the graph alone: which values lie alike, and which in any order.
class Alike {
 public:
  explicit Alike(const Graph& graph) : graph_(graph), free_(graph.nodes().size()) {
    for (const Node& node : graph.nodes()) {
      first_.push_back(static_cast<uint32_t>(parent_.size()));
      for (size_t k = 0; k < node.types.size(); ++k) parent_.push_back(static_cast<uint32_t>(parent_.size()));
    }
    for (uint32_t i = 0; i < first_.size(); ++i) {
      const Node& node = graph.nodes()[i];
      free_[i] = is_free(i);
      if (node.op == &write_op)
        join_state(node.name, node.inputs[0]);
      else if (node.op == &read_op)
        join_state(node.name, {NodeId{i}, 0});
      else
        for (const ValueId& v : carried(node))
          if (!free(v)) join({NodeId{i}, 0}, v);
    }
  }

  // A number for each set of values that lie alike.
  uint32_t of(ValueId v) const { return root(first_[v.node.index] + v.output); }
  // Whether every element is the same: it lies in any order.
  bool free(ValueId v) const { return free_[v.node.index]; }
  // The operands that an operator goes through element by element, in whatever order they and its result lie;
  // none for others.
  static std::span<const ValueId> carried(const Node& node) {
    const std::span<const ValueId> all = node.inputs;
    if (node.op->elementwise() && !(node.op->traits & kRandom)) return all;
    if (node.op->name == "cast" || node.op->name == "after") return all.first(1);
    return {};
  }
  // The operands that it reads row-major.
  static std::span<const ValueId> row_major(const Node& node) {
    if (takes_any_order(node) || node.op->name == "after") return {};  // `after` reads nothing of its second
    return std::span<const ValueId>(node.inputs).subspan(carried(node).size());
  }
  // Whether a node sums, or finds the largest of, all elements of its operand.
  static bool takes_any_order(const Node& node) {
    return node.op->name == "sum_squares" ||
           (node.op->name.starts_with("reduce_") && node.types[0].elements() == 1);
  }

 private:
  bool is_free(uint32_t i) const {
    const Node& node = graph_.nodes()[i];
    if (node.types.size() == 1 && node.types[0].elements() == 1) return true;
    if (node.op == &constant_op) return uniform_value(graph_, {NodeId{i}, 0}).has_value();
    if (node.op->name == "broadcast") return free_[node.inputs[0].node.index];
    const auto operands = carried(node);
    return !operands.empty() &&
           std::ranges::all_of(operands, [&](ValueId v) { return free_[v.node.index] != 0; });
  }
  void join_state(const std::string& name, ValueId v) {
    const auto [known, fresh] = states_.emplace(name, v);
    if (!fresh && !free(v)) join(known->second, v);
  }
  uint32_t root(uint32_t i) const {
    while (parent_[i] != i) i = parent_[i];
    return i;
  }
  void join(ValueId x, ValueId y) {
    const uint32_t a = of(x), b = of(y);
    parent_[std::max(a, b)] = std::min(a, b);
  }

  const Graph& graph_;
  std::vector<uint32_t> first_, parent_;  // the number of each node's first value; another of its set
  std::vector<char> free_;
  std::map<std::string, ValueId> states_;  // a value of each that is read or written
};

class Laying {
 public:
  Laying(const Graph& graph, const Target& target) : graph_(graph), target_(target), alike_(graph) {
    for (uint32_t i = 0; i < graph.nodes().size(); ++i) {
      const Node& node = graph.nodes()[i];
      if (node.op == &read_op || node.op == &write_op)
        of_set_[alike_.of(node.op == &read_op ? ValueId{NodeId{i}, 0} : node.inputs[0])] =
            graph.state(node.name)->layout;
    }
  }

  // The node in the new graph, and the reorders before it.
  std::vector<Value> operator()(Rewriter& r, NodeId id) {
    const Node& node = graph_.node(id);
    if (node.op->name == "reorder") return {r(node.inputs[0])};  // this pass says anew where
    if (node.op == &read_op) {
      const StateInfo& state = *graph_.state(node.name);
      const Value v = r.to().read(state);
      lies_[v.id()] = state.layout;
      return {v};
    }
    if (node.op == &write_op) {
      r.to().write(node.name, as(r, node.inputs[0], graph_.state(node.name)->layout));
      return {};
    }
    if (laid_out(node)) return with_layout(r, node);
    const size_t carried = Alike::carried(node).size(), rows = Alike::row_major(node).size();
    const auto set = of_set_.find(alike_.of({id, 0}));
    const Layout layout = carried == 0 || set == of_set_.end() ? Layout() : set->second;
    std::vector<Value> inputs;
    for (size_t k = 0; k < node.inputs.size(); ++k)
      inputs.push_back(k < carried                      ? as(r, node.inputs[k], layout)
                       : k >= node.inputs.size() - rows ? as(r, node.inputs[k], Layout())
                                                        : r(node.inputs[k]));
    const Value made = r.to().clone(node, inputs);
    if (!layout.row_major()) lies_[made.id()] = layout;
    return outputs_of(node, made);
  }

  // What leaves the graph is row-major: the nodes with outputs, and these.
  std::map<NodeId, std::vector<Value>> outputs(Rewriter& r) {
    std::map<NodeId, std::vector<Value>> all;
    for (const auto& o : graph_.outputs()) {
      std::vector<Value>& values = all[o.value.node];
      values.clear();
      for (uint32_t k = 0; k < graph_.node(o.value).types.size(); ++k)
        values.push_back(as(r, {o.value.node, k}, Layout()));
    }
    return all;
  }

 private:
  static std::vector<Value> outputs_of(const Node& node, Value made) {
    std::vector<Value> all;
    for (uint32_t k = 0; k < node.types.size(); ++k) all.push_back(made.output(k));
    return all;
  }

  std::vector<Value> with_layout(Rewriter& r, const Node& node) {
    const Layout layout = wanted(graph_, node, target_);
    const auto operand = static_cast<size_t>(laid_out(node)->operand);
    std::vector<Value> inputs;
    for (size_t k = 0; k < node.inputs.size(); ++k)
      inputs.push_back(as(r, node.inputs[k], k == operand ? layout : Layout()));
    Attrs attrs = node.attrs;
    attrs.set(laid_out(node)->attr, layout.attribute());
    const Value made = r.to().add(*node.op, inputs, attrs, node.body);
    if (operand >= inputs.size()) lies_[made.id()] = layout;
    return outputs_of(node, made);
  }

  // The value, lying like that. One reorder serves all that want it so.
  Value as(Rewriter& r, ValueId old, const Layout& layout) {
    const Value v = r(old);
    const Layout& from = lies_[v.id()];
    if (from == layout || alike_.free(old)) return v;
    Value& known = reordered_[{v.id(), layout.attribute()}];
    if (!known.valid()) {
      known = ops::reorder(v, from, layout);
      lies_[known.id()] = layout;
    }
    return known;
  }

  const Graph& graph_;
  Target target_;
  Alike alike_;
  std::map<uint32_t, Layout> of_set_;  // of the sets that hold a state
  std::map<ValueId, Layout> lies_;     // of the new graph; absent: row-major
  std::map<std::pair<ValueId, std::vector<int64_t>>, Value> reordered_;
};

// A set of values with states among them: what orders it might have, and what each would move.
struct Candidates {
  bool may = true;             // whether all of its states may lie otherwise
  std::vector<Layout> wishes;  // the forward part's first
  // Reorders between the set and others: the value, and the order that it has or is wanted in.
  std::map<std::pair<ValueId, std::vector<int64_t>>, int64_t> borders;

  int64_t moved(const Layout& layout) const {
    int64_t bytes = 0;
    for (const auto& [border, size] : borders)
      if (border.second != layout.attribute()) bytes += size;
    return bytes;
  }
};

class Choosing {
 public:
  Choosing(const Graph& graph, const Target& target) : graph_(graph), alike_(graph) {
    for (uint32_t i = 0; i < graph.nodes().size(); ++i) {
      const Node& node = graph.nodes()[i];
      if (const LaidOut* l = laid_out(node)) {
        const ValueId v = laid_out_value(node, i);
        const Layout layout = wanted(graph, node, target);
        border(v, layout);
        sets_[alike_.of(v)].wishes.push_back(layout);
        for (size_t k = 0; k < node.inputs.size(); ++k)
          if (static_cast<int>(k) != l->operand) border(node.inputs[k], Layout());
        continue;
      }
      if (node.op == &read_op || node.op == &write_op) {
        const ValueId v = node.op == &read_op ? ValueId{NodeId{i}, 0} : node.inputs[0];
        if (in_blocks(graph.type(v).dtype)) sets_[alike_.of(v)].may = false;
        continue;
      }
      const auto carried = Alike::carried(node);
      if (!carried.empty()) {
        for (uint32_t k = 0; k < node.types.size(); ++k)  // a cast may make blocks
          if (in_blocks(node.types[k].dtype)) sets_[alike_.of({NodeId{i}, 0})].may = false;
      } else {
        for (uint32_t k = 0; k < node.types.size(); ++k) border({NodeId{i}, k}, Layout());
      }
      for (const ValueId& v : Alike::row_major(node)) border(v, Layout());
    }
    for (const auto& o : graph.outputs()) border(o.value, Layout());
  }

  Layout of(const StateInfo& state) const {
    const NodeId read = graph_.reading(state.name), write = graph_.writing(state.name);
    if (read == NodeId{} && write == NodeId{}) return {};
    const auto set =
        sets_.find(alike_.of(read != NodeId{} ? ValueId{read, 0} : graph_.node(write).inputs[0]));
    if (set == sets_.end() || !set->second.may) return {};
    const Candidates& candidates = set->second;
    Layout best;
    int64_t least = candidates.wishes.empty() ? 0 : INT64_MAX;
    for (const Layout& wish : candidates.wishes)
      if (const int64_t moved = candidates.moved(wish); moved < least && wish.fits(state.type.dims))
        least = moved, best = wish;
    return candidates.moved({}) <= least ? Layout() : best;
  }

 private:
  void border(ValueId v, const Layout& layout) {
    if (!alike_.free(v)) sets_[alike_.of(v)].borders[{v, layout.attribute()}] = graph_.type(v).bytes();
  }

  const Graph& graph_;
  Alike alike_;
  std::map<uint32_t, Candidates> sets_;
};

}  // namespace

Graph choose_layouts(const Graph& graph, const Target& target) {
  const auto lies_otherwise = [](const StateInfo& s) { return !s.layout.row_major(); };
  if (std::ranges::none_of(graph.nodes(), [](const Node& n) { return !n.op->laid_out.empty(); }) &&
      std::ranges::none_of(graph.states(), lies_otherwise))
    return graph;
  Laying laying(graph, target);
  Rewriter r(graph);
  for (uint32_t i = 0; i < graph.nodes().size(); ++i)
    if (graph.nodes()[i].op != &write_op) r.place(NodeId{i}, laying(r, NodeId{i}));
  auto leaving = laying.outputs(r);  // of states the old values, so before these are written
  for (uint32_t i = 0; i < graph.nodes().size(); ++i)
    if (graph.nodes()[i].op == &write_op) r.place(NodeId{i}, laying(r, NodeId{i}));
  for (auto& [node, values] : leaving) r.place(node, std::move(values));
  return r.finish();
}

std::vector<Layout> state_layouts(const Graph& graph, const Target& target) {
  const Choosing choosing(graph, target);
  std::vector<Layout> layouts;
  for (const StateInfo& state : graph.states()) layouts.push_back(choosing.of(state));
  return layouts;
}

}  // namespace shoestring
