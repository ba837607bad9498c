#include "ir/interpret.h"

#include <algorithm>
#include <stdexcept>

#include "ir/loop.h"

namespace shoestring {
namespace {

Tensor64 widened(const Node& constant) {
  Tensor64 values(static_cast<size_t>(constant.types[0].elements()));
  decode(constant.types[0].dtype, constant.literal->data(), values.data(), constant.types[0].elements());
  return values;
}

// The values of all nodes of a graph whose inputs, reads and constants have been filled in.
class Run {
 public:
  Run(const Graph& graph, const RunContext& context)
      : graph_(graph), context_(context), values_(graph.nodes().size()) {}

  template <class Leaf>
  void all(Leaf&& leaf) {
    for (uint32_t i = 0; i < graph_.nodes().size(); ++i) {
      const Node& node = graph_.nodes()[i];
      if (node.op == &write_op) continue;
      if (node.op == &constant_op) {
        values_[i] = {widened(node)};
      } else if (node.op == &input_op || node.op == &read_op) {
        values_[i] = {leaf(node)};
      } else {
        Types types;
        std::vector<const Tensor64*> in;
        for (const ValueId& v : node.inputs) {
          types.push_back(graph_.type(v));
          in.push_back(&at(v));
        }
        values_[i] = interpret_node(node, types, in, context_);
      }
    }
  }
  const Tensor64& at(ValueId v) const { return values_[v.node.index][v.output]; }

 private:
  const Graph& graph_;
  const RunContext& context_;
  std::vector<std::vector<Tensor64>> values_;  // [node][output]
};

std::vector<Tensor64> outputs_of(const Graph& graph, const Run& run) {
  std::vector<Tensor64> out;
  for (const auto& o : graph.outputs()) out.push_back(run.at(o.value));
  return out;
}

std::vector<Tensor64> interpret_expansion(const Node& node, std::span<const Type> in_types,
                                          std::span<const Tensor64* const> in, const RunContext& context) {
  Graph graph("expansion");
  std::vector<Value> inputs;
  for (size_t i = 0; i < in_types.size(); ++i) inputs.push_back(graph.input(std::to_string(i), in_types[i]));
  Expansion expansion(graph, inputs, node.attrs);
  for (const Value& v : node.op->expand(expansion)) graph.output("", v);
  if (const Status s = graph.status(); !s) throw std::logic_error(s.error().message());  // a fault of ours
  return interpret_body(graph, in, context);
}

// ops/scan.cpp says what a loop is.
std::vector<Tensor64> interpret_loop(const Node& node, std::span<const Type> in_types,
                                     std::span<const Tensor64* const> in, const RunContext& context) {
  const auto carries = static_cast<size_t>(node.attrs.integer("carries"));
  const auto sequences = static_cast<size_t>(node.attrs.integer("sequences"));
  const auto stream = static_cast<uint32_t>(node.attrs.integer("stream"));
  const int64_t steps = sequences > 0 ? in_types[carries].dims[0] : node.attrs.integer("steps");
  std::vector<Tensor64> given, out(node.types.size());  // given: to the body
  std::vector<const Tensor64*> pointers;
  for (const Tensor64* t : in) given.push_back(*t);
  for (const Tensor64& t : given) pointers.push_back(&t);
  for (size_t k = carries; k < out.size(); ++k) out[k].resize(static_cast<size_t>(node.types[k].elements()));
  for (int64_t step = 0; step < steps; ++step) {
    const int64_t t = node.attrs.flag("reverse") ? steps - 1 - step : step;
    for (size_t i = carries; i < carries + sequences; ++i) {
      const int64_t n = in_types[i].elements() / steps;
      given[i].assign(in[i]->begin() + t * n, in[i]->begin() + (t + 1) * n);
    }
    std::vector<Tensor64> results =
        interpret_body(*node.body, pointers, iteration_context(context, stream, static_cast<uint32_t>(t)));
    for (size_t k = carries; k < out.size(); ++k)
      std::copy(results[k].begin(), results[k].end(), out[k].begin() + t * std::ssize(results[k]));
    for (size_t i = 0; i < carries; ++i) given[i] = std::move(results[i]);
  }
  for (size_t i = 0; i < carries; ++i) out[i] = std::move(given[i]);
  return out;
}

}  // namespace

std::vector<Tensor64> interpret_body(const Graph& body, std::span<const Tensor64* const> in,
                                     const RunContext& context) {
  Run run(body, context);
  size_t next = 0;
  run.all([&](const Node&) { return *in[next++]; });
  return outputs_of(body, run);
}

std::vector<Tensor64> interpret_node(const Node& node, std::span<const Type> in_types,
                                     std::span<const Tensor64* const> in, const RunContext& context) {
  if (node.body && node.op->name == "scan") return interpret_loop(node, in_types, in, context);
  if (node.body) return interpret_body(*node.body, in, context);
  std::vector<Tensor64> out;
  for (const Type& t : node.types) out.emplace_back(static_cast<size_t>(t.elements()));
  if (node.op->scalar) {
    const std::vector<double> params = node.attrs.parameters();
    std::vector<double> x(in.size());
    for (size_t e = 0; e < out[0].size(); ++e) {
      for (size_t i = 0; i < in.size(); ++i) x[i] = (*in[i])[e];
      out[0][e] = node.op->scalar(x.data(), params.data());
    }
    return out;
  }
  if (node.op->reference) {
    std::vector<const double*> sources;
    std::vector<double*> targets;
    for (const Tensor64* t : in) sources.push_back(t->data());
    for (Tensor64& t : out) targets.push_back(t.data());
    node.op->reference({in_types, node.types, node.attrs, sources, targets, context});
    return out;
  }
  if (node.op->expand) return interpret_expansion(node, in_types, in, context);
  throw std::logic_error(fmt::format("{}: has neither a reference nor an expansion", node.op->name));
}

Interpretation interpret(const Graph& graph, const std::map<std::string, Tensor64>& inputs,
                         const std::map<std::string, Tensor64>& states, const RunContext& context) {
  Run run(graph, context);
  run.all([&](const Node& leaf) { return (leaf.op == &input_op ? inputs : states).at(leaf.name); });
  Interpretation result{.outputs = {}, .states = states};
  for (const auto& o : graph.outputs()) result.outputs[o.name] = run.at(o.value);
  for (const Node& node : graph.nodes())
    if (node.op == &write_op) result.states[node.name] = run.at(node.inputs[0]);
  return result;
}

}  // namespace shoestring
