// How a pass turns one graph into another: it walks the old nodes in order and says for each what
// stands in its place; whatever it leaves alone is copied.
#pragma once

#include <optional>

#include "ir/graph.h"

namespace shoestring {

class Rewriter {
 public:
  explicit Rewriter(const Graph& from);
  const Graph& from() const { return from_; }
  Graph& to() { return to_; }

  // The new value of an old one; its node must have been placed already.
  Value operator()(ValueId old) const { return map_[old.node.index][old.output]; }
  bool placed(NodeId old) const { return done_[old.index]; }
  void place(NodeId old, std::vector<Value> outputs);
  void copy(NodeId old);
  // Copies what is not placed yet, in order, and the outputs.
  Graph finish();

 private:
  const Graph& from_;
  Graph to_;
  std::vector<std::vector<Value>> map_;
  std::vector<char> done_;
};

// replace(rewriter, node) gives the new outputs, or nothing to copy the node as it is.
template <class F>
Graph rewrite(const Graph& from, F&& replace) {
  Rewriter r(from);
  for (uint32_t i = 0; i < from.nodes().size(); ++i)
    if (std::optional<std::vector<Value>> outputs = replace(r, NodeId{i}))
      r.place(NodeId{i}, std::move(*outputs));
    else
      r.copy(NodeId{i});
  return r.finish();
}

// For rewrite(): the node as it is, but that it reads read(v), a value of the new graph, for each v. Nothing
// where that is what it reads anyway.
template <class F>
std::optional<std::vector<Value>> reading(Rewriter& r, const Node& node, F&& read) {
  std::vector<Value> inputs, outputs;
  bool changed = false;
  for (const ValueId& v : node.inputs) {
    inputs.push_back(read(v));
    changed |= inputs.back().id() != r(v).id();
  }
  if (!changed) return std::nullopt;
  const Value copy = r.to().clone(node, inputs);
  for (uint32_t k = 0; k < node.types.size(); ++k) outputs.push_back(copy.output(k));
  return outputs;
}

// The one value that every element of a constant (or of a broadcast of one) has.
std::optional<double> uniform_value(const Graph& graph, ValueId id);

}  // namespace shoestring
