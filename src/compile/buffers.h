// Which memory each value of an ordered graph lives in, and for how long: aliases (views, results that
// take over an operand's memory, results computed right into their state), before any offset is known.
#pragma once

#include <string>
#include <vector>

#include "compile/plan.h"

namespace shoestring {

struct Buffer {
  Memory memory = Memory::arena;
  int64_t bytes = 0;        // rounded to kAlignment
  int first = 0, last = 0;  // nodes of the graph; -1: before the run, nodes().size(): after it
  std::string state;        // Memory::state: whose
  NodeId constant;          // Memory::constant: whose
};

struct Location {
  int buffer = -1;
  int64_t offset = 0;  // of a view, in bytes
};

struct Buffers {
  std::vector<Buffer> buffers;
  std::vector<std::vector<Location>> of;  // [node][output]
  std::vector<char> needs_copy;           // write nodes whose value is not computed in the state's memory
  std::vector<size_t> saved_outputs;      // outputs that read a state's old value which the run replaces:
                                      // copied before the first step, to the buffer at the same index below
  std::vector<int> saved_to;

  const Location& at(ValueId v) const { return of[v.node.index][v.output]; }
};

// Nodes run in their order. With `reuse` false no operand's memory is taken over.
Buffers assign_buffers(const Graph& graph, bool reuse = true);

// The bytes a node's output starts at within its first input, if it is a view of it.
std::optional<int64_t> view_offset(const Graph& graph, const Node& node);

// The inputs whose memory a node looks at: of a view the first, of others all.
std::span<const ValueId> memory_read(const Graph& graph, const Node& node);

// For every node, the nodes that read the value of a state, through views of it too: [read node] -> readers.
std::vector<std::vector<NodeId>> state_readers(const Graph& graph);

}  // namespace shoestring
