// Reverse-mode differentiation, as ordinary nodes appended to the same graph.
#pragma once

#include "ir/graph.h"

namespace shoestring {

// d loss / d wrt[i], each with the type of wrt[i] (zeros where the loss does not depend on it). The loss
// is a scalar of f32 or f64. An operator without a gradient rule is differentiated through what it
// expands to; through one that says why it has none (comparisons, integers) no gradient flows; with
// neither, the graph fails (Graph::status).
std::vector<Value> differentiate(Graph& graph, Value loss, std::span<const Value> wrt);

}  // namespace shoestring
