// fuse: connected elementwise nodes of one type become one `fused` node, whose body runs tile by tile
// in cache. Broadcasts and small constants that feed a group are copied into it: they cost nothing
// there and a whole tensor outside.
#include <algorithm>
#include <unordered_map>
#include <utility>

#include "compile/passes.h"
#include "compile/rewrite.h"
#include "ops/ops.h"

namespace shoestring {
namespace {

constexpr int kMostUses = 4096;  // that a merge looks at; beyond, it does without

// Groups of nodes that are to become one, as a contracted graph: a group is entered in the new graph
// once all it needs is there, so no path may leave a group and come back.
class Groups {
 public:
  Groups(const Graph& graph, std::span<const std::vector<NodeId>> users)
      : users_(users), group_(graph.nodes().size()), members_(group_.size()), seen_(group_.size()) {
    for (uint32_t i = 0; i < group_.size(); ++i) {
      group_[i] = i;
      members_[i] = {i};
    }
  }

  uint32_t of(NodeId node) const { return group_[node.index]; }
  const std::vector<uint32_t>& members(uint32_t group) const { return members_[group]; }

  // Merges the groups of two nodes unless that would close a cycle through other groups. `newest` is the last
  // node that has been merged: all after it are alone, and no path comes back from them.
  void merge(NodeId x, NodeId y, NodeId newest) {
    uint32_t a = of(x), b = of(y);
    if (a == b || comes_back(a, b, newest)) return;
    if (members_[a].size() < members_[b].size()) std::swap(a, b);
    for (uint32_t m : members_[b]) group_[m] = a;
    members_[a].insert(members_[a].end(), members_[b].begin(), members_[b].end());
    members_[b].clear();
  }
  void sort_members() {
    for (auto& members : members_) std::sort(members.begin(), members.end());
  }

 private:
  // Whether a path leaves groups a and b and enters one of them again, or might for all that is looked at.
  bool comes_back(uint32_t a, uint32_t b, NodeId newest) {
    ++round_;
    int uses = 0;
    std::vector<uint32_t> next{a, b};  // groups that depend on a or b
    while (!next.empty()) {
      const uint32_t group = next.back();
      next.pop_back();
      for (uint32_t m : members_[group])
        for (const NodeId user : users_[m]) {
          if (newest < user) break;  // they ascend
          if (++uses > kMostUses) return true;
          const uint32_t g = of(user);
          if (g == group) continue;
          if (g == a || g == b) {
            if (group == a || group == b) continue;
            return true;
          }
          if (std::exchange(seen_[g], round_) != round_) next.push_back(g);
        }
    }
    return false;
  }

  std::span<const std::vector<NodeId>> users_;
  std::vector<uint32_t> group_;
  std::vector<std::vector<uint32_t>> members_;
  std::vector<uint32_t> seen_;  // the round in which a group was looked at last
  uint32_t round_ = 0;
};

bool fusible(const Node& node) { return node.op->elementwise() && node.types[0].elements() > 0; }

// What is copied into a body instead of being an operand: a broadcast, and a constant of one value.
bool copied_inside(const Graph& graph, ValueId v) {
  const Node& node = graph.node(v);
  if (node.op->name == "broadcast") return true;
  return node.op == &constant_op && uniform_value(graph, v).has_value();
}

class Builder {
 public:
  Builder(Rewriter& r, const Groups& groups, std::span<const std::vector<NodeId>> users)
      : r_(r), groups_(groups), users_(users) {}

  // Places the group's values in the new graph, as one fused node.
  void build(uint32_t group) {
    for (uint32_t m : groups_.members(group)) inside_[m] = clone(m);
    std::vector<ValueId> outputs;  // values that somebody outside needs
    for (uint32_t m : groups_.members(group))
      if (needed_outside(m, group)) outputs.push_back({NodeId{m}, 0});
    for (const ValueId& v : outputs) body_.output("", inside_[v.node.index]);
    const Value fused =
        r_.to().add(*ops::find("fused"), operands_, {}, std::make_shared<const Graph>(std::move(body_)));
    for (uint32_t m : groups_.members(group)) r_.place(NodeId{m}, {Value()});
    for (uint32_t k = 0; k < outputs.size(); ++k) r_.place(outputs[k].node, {fused.output(k)});
  }

 private:
  Value clone(uint32_t m) {
    const Node& node = r_.from().nodes()[m];
    std::vector<Value> inputs;
    for (const ValueId& v : node.inputs) inputs.push_back(inner(v));
    return body_.clone(node, inputs);
  }
  Value inner(ValueId v) {
    Value& known = inside_[v.node.index];
    if (known.valid()) return known;
    const Graph& from = r_.from();
    const Node& node = from.node(v);
    if (copied_inside(from, v)) {
      if (node.op == &constant_op) return known = body_.literal(node.types[0], node.literal);
      return known = body_.clone(node, std::vector{operand(node.inputs[0])});
    }
    return operand(v);
  }
  // An operand of the fused node, or a small constant inside the body.
  Value operand(ValueId v) {
    const Graph& from = r_.from();
    if (from.node(v).op == &constant_op && from.type(v).elements() == 1)
      return body_.literal(from.type(v), from.node(v).literal);
    const Value outer = r_(v);
    for (size_t k = 0; k < operands_.size(); ++k)
      if (operands_[k].id() == outer.id()) return parameters_[k];
    operands_.push_back(outer);
    parameters_.push_back(body_.input(std::to_string(parameters_.size()), outer.type()));
    return parameters_.back();
  }
  bool needed_outside(uint32_t m, uint32_t group) const {
    for (const auto& o : r_.from().outputs())
      if (o.value.node.index == m) return true;
    for (NodeId user : users_[m])
      if (groups_.of(user) != group) return true;
    return false;
  }

  Rewriter& r_;
  const Groups& groups_;
  std::span<const std::vector<NodeId>> users_;
  std::unordered_map<uint32_t, Value> inside_;  // by old node
  Graph body_{"body"};
  std::vector<Value> operands_, parameters_;
};

// Places a group after all it needs, depth first.
class Emitter {
 public:
  Emitter(const Graph& graph, const Groups& groups, std::span<const std::vector<NodeId>> users)
      : graph_(graph), groups_(groups), users_(users), r_(graph), state_(graph.nodes().size()) {}

  Graph run() {
    // Leaves first: a state's read must stand before its write, wherever the groups end up.
    for (uint32_t i = 0; i < graph_.nodes().size(); ++i)
      if (graph_.nodes()[i].op == &input_op || graph_.nodes()[i].op == &read_op) emit(groups_.of(NodeId{i}));
    for (uint32_t i = 0; i < graph_.nodes().size() && !cycle_; ++i) emit(groups_.of(NodeId{i}));
    if (!cycle_) return r_.finish();
    Graph broken(graph_.name());
    broken.error({ErrorKind::internal, "fused nodes would need each other's results", {}, {}});
    return broken;
  }

 private:
  enum class State : uint8_t { untouched, begun, placed };

  // A stack of its own: what a group needs may be as deep as the graph.
  void emit(uint32_t wanted) {
    if (state_[wanted] != State::untouched) return;
    std::vector<Pending> stack{begin(wanted)};
    while (!stack.empty() && !cycle_) {
      Pending& top = stack.back();
      if (top.next == top.needs.size()) {
        place(top.group);
        stack.pop_back();
      } else if (const uint32_t need = top.needs[top.next++]; state_[need] == State::untouched) {
        stack.push_back(begin(need));
      } else {
        cycle_ = state_[need] == State::begun;
      }
    }
  }

  struct Pending {
    uint32_t group;
    std::vector<uint32_t> needs;
    size_t next = 0;
  };
  Pending begin(uint32_t group) {
    state_[group] = State::begun;
    Pending out{group, {}};
    for (uint32_t m : groups_.members(group))
      for (const ValueId& v : graph_.nodes()[m].inputs)
        if (groups_.of(v.node) != group) out.needs.push_back(groups_.of(v.node));
    return out;
  }
  void place(uint32_t group) {
    state_[group] = State::placed;
    const Node& first = graph_.nodes()[groups_.members(group).front()];
    if (groups_.members(group).size() > 1 || (fusible(first) && reads_a_broadcast(first)))
      Builder(r_, groups_, users_).build(group);
    else
      r_.copy(NodeId{groups_.members(group).front()});
  }
  bool reads_a_broadcast(const Node& node) const {
    return std::any_of(node.inputs.begin(), node.inputs.end(),
                       [&](ValueId v) { return copied_inside(graph_, v); });
  }

  const Graph& graph_;
  const Groups& groups_;
  std::span<const std::vector<NodeId>> users_;
  Rewriter r_;
  std::vector<State> state_;  // by group
  bool cycle_ = false;
};

}  // namespace

namespace {

Groups grouped(const Graph& graph, std::span<const std::vector<NodeId>> users) {
  Groups groups(graph, users);
  for (uint32_t i = 0; i < graph.nodes().size(); ++i) {
    const Node& node = graph.nodes()[i];
    if (!fusible(node)) continue;
    for (const ValueId& v : node.inputs) {
      const Node& maker = graph.node(v);
      if (fusible(maker) && maker.types[0] == node.types[0]) groups.merge(v.node, NodeId{i}, NodeId{i});
    }
  }
  groups.sort_members();
  return groups;
}

}  // namespace

std::vector<uint32_t> fusion_groups(const Graph& graph) {
  const std::vector<std::vector<NodeId>> users = users_of(graph);
  const Groups groups = grouped(graph, users);
  std::vector<uint32_t> out;
  for (uint32_t i = 0; i < graph.nodes().size(); ++i) out.push_back(groups.of(NodeId{i}));
  return out;
}

Graph fuse_elementwise(const Graph& graph, const Target& target) {
  const std::vector<std::vector<NodeId>> users = users_of(graph);
  const Groups groups = grouped(graph, users);
  Graph fused = Emitter(graph, groups, users).run();
  return fused.status() ? prune(fused, target) : fused;
}

}  // namespace shoestring
