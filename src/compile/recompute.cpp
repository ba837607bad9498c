// recompute: where the arena has a limit, values of the forward part are let go of and computed again when
// the late part needs them: those that cost the least time for the memory that they free
// (recompute_choice.h). Random nodes give the same numbers again, for they keep their streams; what is
// computed again is made of the old values of states, and no state is written twice.
#include <algorithm>
#include <map>

#include "base/arith.h"
#include "base/memory.h"
#include "compile/machine.h"
#include "compile/passes.h"
#include "compile/recompute_choice.h"
#include "compile/rewrite.h"
#include "compile/turn.h"
#include "ops/ops.h"

namespace shoestring {
namespace {

// Rough, and good enough to compare: its arithmetic, and its bytes from beyond the caches.
double seconds_of(const Graph& graph, const Node& node, const MachineProfile& machine) {
  if (!node.op->cost) return 0;
  Types in;
  for (const ValueId& v : node.inputs) in.push_back(graph.type(v));
  const Cost cost = node.op->cost({in, node.attrs, node.body.get()}, node.types);
  const double flops_a_second =
      node.op->elementwise() ? machine.arithmetic : product_rate(machine.f32_products, cost.flops);
  return cost.flops / flops_a_second + cost.bytes / machine.copy.back();
}

constexpr uint32_t kNone = ~0u;

// The graph as steps and pieces of memory: what will be fused is one step, what lies within takes none.
class Steps {
 public:
  Steps(const Graph& graph, Turn& turn, const MachineProfile& machine)
      : graph_(graph), turn_(turn), machine_(machine), users_(users_of(graph)) {
    const size_t n = graph.nodes().size();
    group_ = fusion_groups(graph);
    step_.assign(n, kNone);
    piece_.resize(n);
    is_output_.assign(n, 0);
    for (const NamedValue& o : graph.outputs()) is_output_[o.value.node.index] = true;
    for (uint32_t i = 0; i < n; ++i) members_[group_[i]].push_back(i);
    for (uint32_t i = 0; i < n; ++i) make_pieces(i);
    emitted_.assign(n, 0);
    for (uint32_t i = 0; i < n; ++i) emit(group_[i]);
    for (uint32_t p = 0; p < value_.size(); ++p) way_again(p);
  }

  const KeepingProblem& problem() const { return problem_; }
  uint32_t piece(ValueId v) const {
    const auto& own = piece_[v.node.index];
    return v.output < own.size() ? own[v.output] : kNone;
  }
  bool inside(const Node& node) const {  // costs no memory where elementwise nodes read it
    return node.op->name == "broadcast" || node.op == &constant_op;
  }

 private:
  bool is_step(uint32_t i) const {
    const Node& node = graph_.nodes()[i];
    return !is_leaf(node) && node.op != &write_op && !is_view(graph_, node);
  }
  // Of a broadcast: whether it will stand in the bodies of all that read it.
  bool dissolves(uint32_t i) const {
    if (graph_.nodes()[i].op->name != "broadcast" || is_output_[i]) return false;
    return std::ranges::all_of(users_[i], [&](NodeId u) { return graph_.node(u).op->elementwise(); });
  }

  void make_pieces(uint32_t i) {
    const Node& node = graph_.nodes()[i];
    if (node.op != &input_op && (!is_step(i) || dissolves(i))) return;
    bool outside = is_output_[i] || !node.op->elementwise(), written = false;
    for (NodeId u : users_[i]) {
      outside |= group_[u.index] != group_[i];
      written |= graph_.node(u).op == &write_op;
    }
    if (!outside) return;
    for (uint32_t k = 0; k < node.types.size(); ++k) {
      piece_[i].push_back(static_cast<uint32_t>(value_.size()));
      value_.push_back({NodeId{i}, k});
      // What becomes a state's value is computed in its place.
      problem_.pieces.push_back({.bytes = written ? 0 : round_up(node.types[k].bytes(), kAlignment),
                                 .stays = static_cast<bool>(is_output_[i])});
    }
  }

  // The pieces that reading a value reads.
  void sources(ValueId v, std::vector<uint32_t>& out) const {
    const Node& node = graph_.node(v);
    if (const uint32_t p = piece(v); p != kNone) {
      if (std::ranges::find(out, p) == out.end()) out.push_back(p);
    } else if (is_view(graph_, node) || dissolves(v.node.index)) {
      sources(node.inputs[0], out);
    }
  }

  // Steps come in the order in which fusion emits them: each after all that it needs.
  void emit(uint32_t wanted) {
    std::vector<std::pair<uint32_t, bool>> stack{{wanted, false}};
    while (!stack.empty()) {
      const auto [group, needs_done] = stack.back();
      stack.pop_back();
      if (needs_done) {
        add_step(group);
        continue;
      }
      if (std::exchange(emitted_[group], 1)) continue;
      stack.emplace_back(group, true);
      for (uint32_t m : members_.at(group))
        for (const ValueId& v : graph_.nodes()[m].inputs)
          if (!emitted_[group_[v.node.index]]) stack.emplace_back(group_[v.node.index], false);
    }
  }
  void add_step(uint32_t group) {
    const std::vector<uint32_t>& members = members_.at(group);
    if (!is_step(members.front()) || dissolves(members.front())) return;
    KeepingProblem::Step step;
    step.late = std::ranges::none_of(members, [&](uint32_t m) { return turn_.forward(NodeId{m}); });
    step.in_place = graph_.nodes()[members.front()].op->elementwise();
    for (uint32_t m : members) {
      step_[m] = static_cast<uint32_t>(problem_.steps.size());
      for (const ValueId& v : graph_.nodes()[m].inputs)
        if (group_[v.node.index] != group || piece(v) == kNone) {
          if (group_[v.node.index] != group) sources(v, step.reads);
        }
      for (uint32_t p : piece_[m]) step.makes.push_back(p);
    }
    problem_.steps.push_back(std::move(step));
  }

  // How a piece is computed again: the nodes of its step that it hangs on, down to pieces.
  void way_again(uint32_t p) {
    const ValueId v = value_[p];
    const Node& node = graph_.node(v);
    KeepingProblem::Piece& piece = problem_.pieces[p];
    if (node.op == &input_op || step_[v.node.index] == kNone || piece.bytes == 0 || piece.stays ||
        problem_.steps[step_[v.node.index]].late)
      return;
    piece.seconds = 0;
    std::vector<uint32_t> next{v.node.index}, seen = next;
    while (!next.empty()) {
      const Node& n = graph_.nodes()[next.back()];
      next.pop_back();
      piece.seconds += seconds_of(graph_, n, machine_);
      for (const ValueId& in : n.inputs) {
        if (group_[in.node.index] == group_[v.node.index] && this->piece(in) == kNone) {
          if (std::ranges::find(seen, in.node.index) == seen.end())
            seen.push_back(in.node.index), next.push_back(in.node.index);
        } else {
          sources(in, piece.from);
        }
      }
    }
    piece.again_bytes = inside_its_reader(v) ? 0 : piece.bytes;
  }
  // Whether one elementwise step of the same type is all that reads it late.
  bool inside_its_reader(ValueId v) const {
    if (!graph_.node(v).op->elementwise()) return false;
    uint32_t reader = kNone;
    for (NodeId u : users_[v.node.index]) {
      const uint32_t s = step_[u.index];
      if (s != kNone && !problem_.steps[s].late) continue;
      const Node& node = graph_.node(u);
      if (s == kNone || !node.op->elementwise() || node.types[0] != graph_.type(v)) return false;
      if (reader != kNone && reader != s) return false;
      reader = s;
    }
    return reader != kNone;
  }

  const Graph& graph_;
  Turn& turn_;
  const MachineProfile& machine_;
  std::vector<std::vector<NodeId>> users_;
  std::vector<uint32_t> group_, step_;                 // of nodes
  std::map<uint32_t, std::vector<uint32_t>> members_;  // of a group
  std::vector<std::vector<uint32_t>> piece_;           // [node][output], empty where it takes no memory
  std::vector<ValueId> value_;                         // of pieces
  std::vector<char> is_output_, emitted_;
  KeepingProblem problem_;

 public:
  bool late(NodeId node) const {
    const uint32_t s = step_[node.index];
    return s != kNone ? problem_.steps[s].late : !turn_.forward(node);
  }
};

// Writes the graph in which what was chosen is computed again.
class Again {
 public:
  Again(const Graph& graph, Turn& turn, const Steps& steps, const std::vector<char>& chosen)
      : graph_(graph), turn_(turn), steps_(steps), chosen_(chosen), again_(graph.nodes().size()) {}

  std::optional<std::vector<Value>> operator()(Rewriter& r, NodeId id) {
    if (!steps_.late(id)) return std::nullopt;
    const Node& node = graph_.node(id);
    return reading(r, node, [&](ValueId v) { return read_late(r, v, id); });
  }

 private:
  bool chosen(ValueId v) const {
    const uint32_t p = steps_.piece(v);
    return p != kNone && chosen_[p];
  }

  // What a late node reads for a value.
  Value read_late(Rewriter& r, ValueId v, NodeId reader) {
    const Node& node = graph_.node(v);
    if (chosen(v)) return again(r, v, turn_.before(reader));
    const bool shows = is_view(graph_, node) || node.op->name == "broadcast";
    if (!shows || steps_.late(v.node)) return r(v);
    const Value shown = read_late(r, node.inputs[0], reader);
    return shown.id() == r(node.inputs[0]).id() ? r(v) : r.to().clone(node, {&shown, 1});
  }

  Value again(Rewriter& r, ValueId v, ValueId when) {
    Value& known = again_[v.node.index];
    if (!known.valid()) {
      const Node& node = graph_.node(v);
      std::vector<Value> inputs;
      for (const ValueId& in : node.inputs) inputs.push_back(operand(r, in, when));
      known = r.to().clone(node, inputs);
    }
    return known.output(v.output);
  }

  // What a node that is computed again reads: what is kept, not before its time.
  Value operand(Rewriter& r, ValueId v, ValueId when) {
    const Node& node = graph_.node(v);
    if (node.op == &constant_op || steps_.late(v.node)) return r(v);
    if (chosen(v)) return again(r, v, when);
    if (is_leaf(node) || steps_.piece(v) != kNone) return held(r, v, when);
    return again(r, v, when);  // a view, a broadcast, or what lies inside a step
  }
  Value held(Rewriter& r, ValueId v, ValueId when) {
    Value& known = held_[v];
    if (!known.valid()) known = after(r(v), r(when));
    return known;
  }

  const Graph& graph_;
  Turn& turn_;
  const Steps& steps_;
  const std::vector<char>& chosen_;
  std::vector<Value> again_;  // of old nodes: computed again, in the new graph
  std::map<ValueId, Value> held_;
};

}  // namespace

Graph recompute(const Graph& graph, const CompileOptions& options) {
  if (options.arena_limit_bytes <= 0) return graph;
  Turn turn(graph);
  if (!turn.exists()) return graph;
  const MachineProfile machine = machine_of(options);
  const Steps steps(graph, turn, machine);
  const std::vector<char> chosen = choose_again(steps.problem(), options.arena_limit_bytes);
  if (std::ranges::none_of(chosen, [](char c) { return c; })) return graph;
  Again again(graph, turn, steps, chosen);
  return prune(rewrite(graph, [&](Rewriter& r, NodeId id) { return again(r, id); }), options.target);
}

}  // namespace shoestring
