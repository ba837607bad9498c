// Runs a graph node by node through the operators' references in f64: slow, obvious, the oracle that
// passes and plans are compared with, and what folds constants.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "ir/graph.h"

namespace shoestring {

using Tensor64 = std::vector<double>;  // row-major; every dtype widened

// One node: the references of its operator, of its scalar function, or of what it expands to.
std::vector<Tensor64> interpret_node(const Node& node, std::span<const Type> in_types,
                                     std::span<const Tensor64* const> in, const RunContext& context);

// A graph whose inputs are given in order: a body. Its outputs, in order.
std::vector<Tensor64> interpret_body(const Graph& body, std::span<const Tensor64* const> in,
                                     const RunContext& context);

struct Interpretation {
  std::map<std::string, Tensor64> outputs;
  std::map<std::string, Tensor64> states;  // after the run
};
// `inputs` by input name, `states` by state name (all that the graph reads must be there).
Interpretation interpret(const Graph& graph, const std::map<std::string, Tensor64>& inputs,
                         const std::map<std::string, Tensor64>& states, const RunContext& context = {});

}  // namespace shoestring
