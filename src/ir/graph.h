// A computation: an append-only, hence topologically ordered, list of nodes with strong ids. A value
// is an input, a constant, a node's output, or the reading of a state: a named tensor that outlives a
// run (parameter, moment, running statistic, accumulator). States are matched by name between graphs.
//
//   Graph g("forward");
//   Value x = g.input("x", {DType::f32, {70, 5}});
//   Value w = g.read({.name = "w", .type = {DType::f32, {5, 10}}, .role = StateRole::parameter});
//   g.output("logits", ops::matmul(x, w));
//   if (auto s = g.status(); !s) ...            // the first shape error, if any
#pragma once

#include <compare>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "ir/op.h"

namespace shoestring {

struct NodeId {
  uint32_t index = ~0u;
  auto operator<=>(const NodeId&) const = default;
};
struct ValueId {
  NodeId node;
  uint32_t output = 0;
  auto operator<=>(const ValueId&) const = default;
};

// A handle to build with: a value and its graph. Building on an invalid value gives an invalid value,
// so a builder reads straight through and asks Graph::status() once.
class Value {
 public:
  Value() = default;
  Value(Graph* graph, ValueId id) : graph_(graph), id_(id) {}
  bool valid() const { return graph_ != nullptr; }
  Graph& graph() const { return *graph_; }
  ValueId id() const { return id_; }
  const Type& type() const;
  const Shape& dims() const { return type().dims; }
  Value output(uint32_t i) const { return graph_ ? Value(graph_, {id_.node, i}) : Value(); }

 private:
  Graph* graph_ = nullptr;
  ValueId id_;
};

enum class StateRole : uint8_t { parameter, moment, statistic, accumulator, counter };
std::string_view to_string(StateRole role);

struct StateInfo {
  std::string name;
  Type type;
  StateRole role = StateRole::parameter;
  Layout layout = {};  // how it lies in the block of states; in files it is row-major
  bool operator==(const StateInfo&) const = default;
};

struct Node {
  const OpDef* op = nullptr;
  std::vector<ValueId> inputs;
  Attrs attrs;                                            // one value for each declared attribute, in order
  Types types;                                            // of the outputs
  std::string name;                                       // of an input or a state; else empty
  std::shared_ptr<const std::vector<std::byte>> literal;  // a constant's bytes, row-major
  std::shared_ptr<const Graph> body;
};

struct NamedValue {
  std::string name;
  ValueId value;
};

// The most that the values and states of one graph may hold together: far beyond any machine, and so far
// below what an int64_t holds that sums, alignment and scratch need no checks of their own.
inline constexpr int64_t kMostBytes = int64_t{1} << 50;

class Graph {
 public:
  explicit Graph(std::string name = "graph") : name_(std::move(name)) {}
  Graph(const Graph&) = default;
  Graph(Graph&&) = default;
  Graph& operator=(const Graph&) = default;
  Graph& operator=(Graph&&) = default;

  // ---- building ----
  Value input(std::string name, Type type);
  Value constant(Type type, std::span<const double> values);  // row-major; one value fills all
  Value scalar(DType dtype, double value) { return constant({dtype, {}}, std::span(&value, 1)); }
  Value literal(Type type, std::shared_ptr<const std::vector<std::byte>> bytes);
  void declare(const StateInfo& state);
  // How a declared state lies in the block of states.
  void lay_out(std::string_view state, const Layout& layout);
  // The state's value before this run. The first call declares it; later calls must agree on the type.
  Value read(const StateInfo& state);
  // The state's value after this run; at most once a state, after every use of its old value is built.
  void write(const std::string& state, Value value);
  void output(std::string name, Value value);
  // Runs the shape rule and appends. Missing attributes take their defaults; unknown ones are an error.
  Value add(const OpDef& op, std::span<const Value> inputs, const Attrs& attrs = {},
            std::shared_ptr<const Graph> body = nullptr);
  Value add(const OpDef& op, std::initializer_list<Value> inputs, const Attrs& attrs = {}) {
    return add(op, std::span(inputs.begin(), inputs.size()), attrs);
  }
  // Records the first error; used by builders for conditions that no shape rule sees.
  Value error(std::string what);
  Value error(Error what);  // `where` begins with the graph
  Status status() const { return failed_ ? Status(fail(first_error_)) : Status(); }
  // A fresh number for a random node; kept through every pass.
  int64_t next_stream() { return next_stream_++; }

  // ---- reading ----
  const std::string& name() const { return name_; }
  std::span<const Node> nodes() const { return nodes_; }
  const Node& node(NodeId id) const { return nodes_[id.index]; }
  const Node& node(ValueId id) const { return nodes_[id.node.index]; }
  const Type& type(ValueId id) const { return nodes_[id.node.index].types[id.output]; }
  std::span<const StateInfo> states() const { return states_; }
  const StateInfo* state(std::string_view name) const;
  // The node that reads a state, or writes it; ~0 where none does.
  NodeId reading(std::string_view state) const;
  NodeId writing(std::string_view state) const;
  std::span<const NamedValue> outputs() const { return outputs_; }
  Value value(ValueId id) { return Value(this, id); }
  Value output_named(std::string_view name);  // invalid if there is none

  // Copies a node (its inputs given in this graph) from another graph; passes rewrite with it.
  Value clone(const Node& node, std::span<const Value> inputs);
  void rename(std::string name) { name_ = std::move(name); }

 private:
  Value append(Node node);
  // Whether there is room for one more value; if not, that is the graph's error.
  bool holds(std::string_view what, const Type& type);
  // Where a name stands; ~0 where it does not. States and inputs may have equal names.
  struct Named {
    uint32_t state = ~0u;  // in states_
    NodeId input, read, write;
  };
  Named named(std::string_view name) const;

  std::string name_;
  std::vector<Node> nodes_;
  std::vector<StateInfo> states_;
  std::map<std::string, Named, std::less<>> names_;
  std::vector<NamedValue> outputs_;
  int64_t next_stream_ = 1;
  int64_t bytes_ = 0;  // of all values and states
  bool failed_ = false;
  Error first_error_;
};

// Who uses each value: for every node, the nodes that take one of its outputs, in order.
std::vector<std::vector<NodeId>> users_of(const Graph& graph);

// What a gradient rule sees. Missing upstream gradients (of outputs that do not reach the loss) are
// invalid Values; add() ignores invalid gradients. What is added to one input is summed by the pass.
class Backward {
 public:
  Backward(Graph& graph, NodeId node, std::span<const Value> upstream, std::span<const bool> wanted)
      : graph_(graph), node_(node), upstream_(upstream), wanted_(wanted), gradients_(wanted.size()) {}
  Graph& graph() const { return graph_; }
  const Attrs& attrs() const { return graph_.node(node_).attrs; }
  int inputs() const { return static_cast<int>(wanted_.size()); }
  Value input(int i) const { return {&graph_, graph_.node(node_).inputs[static_cast<size_t>(i)]}; }
  Value output(int i = 0) const { return {&graph_, {node_, static_cast<uint32_t>(i)}}; }
  Value upstream(int i = 0) const { return upstream_[static_cast<size_t>(i)]; }
  bool wants(int i) const { return wanted_[static_cast<size_t>(i)]; }
  void add(int i, Value gradient) {
    if (gradient.valid()) gradients_[static_cast<size_t>(i)].push_back(gradient);
  }
  std::span<const Value> gradients(int i) const { return gradients_[static_cast<size_t>(i)]; }

 private:
  Graph& graph_;
  NodeId node_;
  std::span<const Value> upstream_;
  std::span<const bool> wanted_;
  std::vector<std::vector<Value>> gradients_;
};

// What an expansion sees: its inputs as values of the graph that is being built.
class Expansion {
 public:
  Expansion(Graph& graph, std::span<const Value> inputs, const Attrs& attrs)
      : graph_(graph), inputs_(inputs), attrs_(attrs) {}
  Graph& graph() const { return graph_; }
  int inputs() const { return static_cast<int>(inputs_.size()); }
  Value input(int i) const { return inputs_[static_cast<size_t>(i)]; }
  const Attrs& attrs() const { return attrs_; }

 private:
  Graph& graph_;
  std::span<const Value> inputs_;
  const Attrs& attrs_;
};

}  // namespace shoestring
