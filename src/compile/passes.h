// The passes, one file each. Every one takes a verified graph and returns a verified graph that
// computes the same outputs and states.
#pragma once

#include <optional>

#include "compile/compile.h"

namespace shoestring {

Graph expand_composites(const Graph& graph, const Target& target);          // expand.cpp
Graph fold_constants(const Graph& graph, const Target& target);             // fold.cpp
Graph simplify(const Graph& graph, const Target& target);                   // simplify.cpp
Graph merge_common(const Graph& graph, const Target& target);               // merge.cpp
Graph prune(const Graph& graph, const Target& target);                      // prune.cpp
Graph fuse_epilogues(const Graph& graph, const Target& target);             // epilogue.cpp
Graph choose_precision(const Graph& graph, const CompileOptions& options);  // precision.cpp
Graph store_narrow(const Graph& graph, const CompileOptions& options);      // store.cpp
Graph recompute(const Graph& graph, const CompileOptions& options);         // recompute.cpp
Graph choose_layouts(const Graph& graph, const Target& target);             // layout.cpp
Graph fuse_elementwise(const Graph& graph, const Target& target);           // fuse.cpp
Graph schedule(const Graph& graph, const Target& target);                   // schedule.cpp

// Without what no output or state needs of the graph's loops, if it has any; a part of prune.
std::optional<Graph> trim_loops(const Graph& graph);  // trim_loops.cpp

// For each state of a graph, the order in which it should lie: that for which reorders move the fewest bytes,
// and of equals row-major, then what the forward part wants. The graph is as choose_layouts gets it.
std::vector<Layout> state_layouts(const Graph& graph, const Target& target);  // layout.cpp

// Which nodes fuse_elementwise would make one: equal numbers, each that of one of them.
std::vector<uint32_t> fusion_groups(const Graph& graph);  // fuse.cpp

// The largest number of bytes that values of the graph (not states, constants or views of them) hold
// at once when nodes run in their order.
int64_t peak_live_bytes(const Graph& graph);  // schedule.cpp

}  // namespace shoestring
