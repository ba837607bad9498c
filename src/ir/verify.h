// The spec of a graph, checked after every pass.
#pragma once

#include "ir/graph.h"

namespace shoestring {

// Ids in range and in topological order; every type is what the shape rule says; every declared
// attribute present; a state read and written with its type, written at most once, and neither read nor
// its old value (or a view of it) used after; every output exists. The error names the node by its line
// in the text form ("%12 = matmul").
Status verify(const Graph& graph);

}  // namespace shoestring
