// A row's operator under a loss: the sum over its results of upstream * result, and its gradients.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ops/check.h"

namespace shoestring::optest {

struct Differentiated {
  Graph graph;                                        // inputs: the operands, and upstreamK for result K
  std::vector<size_t> wrt;                            // operands with a gradient: floating, not `const`
  std::vector<std::pair<size_t, Tensor64>> upstream;  // by result, for floating ones that are not `aux`
};

// Nothing if the operator says that it has no gradient, or nothing is differentiable.
std::optional<Differentiated> differentiated(const Case& c);
std::string gradient_name(const Case& c, size_t operand);  // of the graph's output
std::map<std::string, Tensor64> inputs_of(const Case& c, const Differentiated& d, std::span<const Data> data);

}  // namespace shoestring::optest
