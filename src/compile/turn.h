// Where a training graph turns: the nodes up to the one that makes its output "loss" are the forward part,
// those behind it are late (gradients, updates, statistics). Passes that spare memory between the two ask
// here.
//
// What a pass makes anew for a late node must not be made early: in the order of a plan it would then lie
// about for as long as what it stands for, and fusion would compute both at once. So it reads what it is made
// from through `after`, a view that waits for a value of the late part.
#pragma once

#include "ir/graph.h"

namespace shoestring {

class Turn {
 public:
  explicit Turn(const Graph& graph);

  // Whether there is a loss and something after it.
  bool exists() const { return loss_ != NodeId{} && late_ > 0; }
  bool forward(NodeId node) const { return forward_[node.index]; }
  bool forward(ValueId value) const { return forward(value.node); }

  // The values that a step of the forward part makes and late nodes read, themselves or through views; not
  // the graph's outputs, which stay anyhow.
  const std::vector<ValueId>& crossing() const { return crossing_; }

  // What is there when a late node's turn has come: the last step before it on the way of the gradient, or
  // the loss.
  ValueId before(NodeId late);

 private:
  NodeId last_step_above(NodeId node, NodeId limit);

  const Graph& graph_;
  std::vector<std::vector<NodeId>> users_;
  std::vector<char> forward_;
  std::vector<ValueId> crossing_;
  std::vector<uint32_t> seen_;  // the round in which a node was looked at last
  uint32_t round_ = 0;
  size_t late_ = 0;
  NodeId loss_;
};

// Whether the node's value lies in its first input's memory.
bool is_view(const Graph& graph, const Node& node);
// Inputs, constants and states: what no step makes.
bool is_leaf(const Node& node);
// x, not before `when` is there.
Value after(Value x, Value when);

}  // namespace shoestring
