// Reverse-mode differentiation, as ordinary nodes appended to the same graph.
#pragma once

#include "ir/graph.h"

namespace shoestring {

// d loss / d wrt[i], each with the type of wrt[i] (zeros where the loss does not depend on it). The loss
// is a scalar of f32 or f64. An operator without a gradient rule is differentiated through what it
// expands to; one that says why it has none makes the graph fail (Graph::status) with that reason.
std::vector<Value> differentiate(Graph& graph, Value loss, std::span<const Value> wrt);

}  // namespace shoestring
