#include "compile/turn.h"

#include <algorithm>
#include <utility>

#include "compile/buffers.h"
#include "ops/ops.h"

namespace shoestring {

bool is_view(const Graph& graph, const Node& node) { return view_offset(graph, node).has_value(); }

bool is_leaf(const Node& node) {
  return node.op == &input_op || node.op == &constant_op || node.op == &read_op;
}

Value after(Value x, Value when) { return x.graph().add(*ops::find("after"), {x, when}); }

Turn::Turn(const Graph& graph)
    : graph_(graph), users_(users_of(graph)), forward_(graph.nodes().size()), seen_(graph.nodes().size()) {
  std::vector<char> is_output(graph.nodes().size());
  for (const NamedValue& o : graph.outputs()) {
    is_output[o.value.node.index] = true;
    if (o.name == "loss") loss_ = o.value.node;
  }
  if (loss_ == NodeId{}) return;
  std::fill_n(forward_.begin(), loss_.index + 1, true);
  // Of each value whether a late node reads it; a view's reader reads what the view shows.
  std::vector<std::vector<char>> read_late(graph.nodes().size());
  for (uint32_t i = 0; i < graph.nodes().size(); ++i) read_late[i].resize(graph.nodes()[i].types.size());
  for (auto i = static_cast<uint32_t>(graph.nodes().size()); i-- > 0;) {
    const Node& node = graph.nodes()[i];
    const bool step = !is_leaf(node) && !is_view(graph, node);
    if (!forward_[i] && step) ++late_;
    for (size_t k = 0; k < node.inputs.size(); ++k) {
      const ValueId v = node.inputs[k];
      if (!forward_[i] || (!step && k == 0 && read_late[i][0])) read_late[v.node.index][v.output] = true;
    }
  }
  for (uint32_t i = 0; i < graph.nodes().size(); ++i) {
    const Node& node = graph.nodes()[i];
    if (!forward_[i] || is_output[i] || is_leaf(node) || is_view(graph, node)) continue;
    for (uint32_t k = 0; k < node.types.size(); ++k)
      if (read_late[i][k]) crossing_.push_back({NodeId{i}, k});
  }
}

// The last late step before `limit` that the node needs, through what may become one node with it.
NodeId Turn::last_step_above(NodeId node, NodeId limit) {
  ++round_;
  NodeId found;
  std::vector<NodeId> next{node};
  while (!next.empty()) {
    const Node& n = graph_.node(next.back());
    next.pop_back();
    for (const ValueId& v : n.inputs) {
      if (forward_[v.node.index] || std::exchange(seen_[v.node.index], round_) == round_) continue;
      const Node& maker = graph_.node(v);
      if (is_leaf(maker)) continue;
      if (maker.op->elementwise() || maker.op->name == "broadcast" || is_view(graph_, maker))
        next.push_back(v.node);
      else if (v.node < limit && (found == NodeId{} || found < v.node))
        found = v.node;
    }
  }
  return found;
}

ValueId Turn::before(NodeId late) {
  // A slope hangs on nothing late itself: whoever takes it does.
  constexpr int kHops = 8;
  NodeId node = late;
  for (int hop = 0; hop < kHops; ++hop) {
    if (const NodeId step = last_step_above(node, late); step != NodeId{}) return {step, 0};
    if (users_[node.index].empty()) break;
    node = users_[node.index].front();
  }
  return {loss_, 0};
}

}  // namespace shoestring
