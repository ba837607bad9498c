// fuse: connected elementwise nodes of one type become one `fused` node, whose body runs tile by tile
// in cache. Broadcasts and small constants that feed a group are copied into it: they cost nothing
// there and a whole tensor outside.
#include <algorithm>

#include "compile/passes.h"
#include "compile/rewrite.h"
#include "ops/ops.h"

namespace shoestring {
namespace {

// Groups of nodes that are to become one, as a contracted graph: a group is entered in the new graph
// once all it needs is there, so no path may leave a group and come back.
class Groups {
 public:
  explicit Groups(const Graph& graph)
      : graph_(graph), group_(graph.nodes().size()), members_(graph.nodes().size()) {
    for (uint32_t i = 0; i < group_.size(); ++i) {
      group_[i] = i;
      members_[i] = {i};
    }
  }

  uint32_t of(NodeId node) const { return group_[node.index]; }
  const std::vector<uint32_t>& members(uint32_t group) const { return members_[group]; }  // ascending

  // Merges group b into a unless that would close a cycle through other groups.
  bool merge(uint32_t a, uint32_t b) {
    if (a == b) return true;
    std::vector<char> seen(group_.size());
    for (uint32_t from : {a, b})
      for (uint32_t m : members_[from])
        for (const ValueId& v : graph_.nodes()[m].inputs) {
          const uint32_t g = group_[v.node.index];
          if (g != a && g != b && reaches(g, a, b, seen)) return false;
        }
    for (uint32_t m : members_[b]) group_[m] = a;
    auto& into = members_[a];
    into.insert(into.end(), members_[b].begin(), members_[b].end());
    std::sort(into.begin(), into.end());
    members_[b].clear();
    return true;
  }

 private:
  // Whether the group depends, however indirectly, on a or b.
  bool reaches(uint32_t group, uint32_t a, uint32_t b, std::vector<char>& seen) const {
    if (seen[group]) return false;  // looked at already, and it did not
    seen[group] = true;
    const uint32_t earliest = std::min(members_[a].front(), members_[b].front());
    if (members_[group].back() < earliest && members_[group].size() == 1) return false;
    for (uint32_t m : members_[group])
      for (const ValueId& v : graph_.nodes()[m].inputs) {
        const uint32_t g = group_[v.node.index];
        if (g == group) continue;
        if (g == a || g == b || reaches(g, a, b, seen)) return true;
      }
    return false;
  }

  const Graph& graph_;
  std::vector<uint32_t> group_;
  std::vector<std::vector<uint32_t>> members_;
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
  Builder(Rewriter& r, const Groups& groups, const std::vector<std::vector<NodeId>>& users)
      : r_(r), groups_(groups), users_(users), inside_(r.from().nodes().size()) {}

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
  const std::vector<std::vector<NodeId>>& users_;
  std::vector<Value> inside_;  // by old node
  Graph body_{"body"};
  std::vector<Value> operands_, parameters_;
};

// Places a group after all it needs, depth first.
class Emitter {
 public:
  Emitter(const Graph& graph, const Groups& groups)
      : graph_(graph), groups_(groups), users_(users_of(graph)), r_(graph), done_(graph.nodes().size()) {}

  Graph run() {
    // Leaves first: a state's read must stand before its write, wherever the groups end up.
    for (uint32_t i = 0; i < graph_.nodes().size(); ++i)
      if (graph_.nodes()[i].inputs.empty() && graph_.nodes()[i].op != &constant_op)
        emit(groups_.of(NodeId{i}));
    for (uint32_t i = 0; i < graph_.nodes().size(); ++i) emit(groups_.of(NodeId{i}));
    return r_.finish();
  }

 private:
  void emit(uint32_t group) {
    if (done_[group]) return;
    done_[group] = true;
    for (uint32_t m : groups_.members(group))
      for (const ValueId& v : graph_.nodes()[m].inputs)
        if (groups_.of(v.node) != group) emit(groups_.of(v.node));
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
  std::vector<std::vector<NodeId>> users_;
  Rewriter r_;
  std::vector<char> done_;
};

}  // namespace

Graph fuse_elementwise(const Graph& graph, const Target& target) {
  Groups groups(graph);
  for (uint32_t i = 0; i < graph.nodes().size(); ++i) {
    const Node& node = graph.nodes()[i];
    if (!fusible(node)) continue;
    for (const ValueId& v : node.inputs) {
      const Node& maker = graph.node(v);
      if (fusible(maker) && maker.types[0] == node.types[0])
        groups.merge(groups.of(v.node), groups.of(NodeId{i}));
    }
  }
  return prune(Emitter(graph, groups).run(), target);
}

}  // namespace shoestring
