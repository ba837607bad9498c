// A plan: a flat list of steps over known places. What it says is what a run uses, to the byte.
#pragma once

#include <string>
#include <vector>

#include "base/memory.h"
#include "compile/state_layout.h"
#include "ir/graph.h"

namespace shoestring {

enum class Memory : uint8_t { arena, state, constant };

struct Place {
  Memory memory = Memory::arena;
  int64_t offset = 0;
  bool operator==(const Place&) const = default;
};

struct Operand {
  Place place;
  int64_t bytes = 0;
  bool written = false;
};

struct Step {
  std::string name;               // "%12 matmul": the node in the plan's graph
  std::string kernel;             // which of the operator's kernels was chosen
  std::vector<Operand> operands;  // inputs, outputs, then scratch if any
  Prepared prepared;
  Cost cost;
  int node = -1;  // in the plan's graph; -1: a copy of an output
};

// A piece of the arena and the steps between which (inclusive) it is taken. -1 is before the first
// step (inputs), steps.size() after the last (outputs).
struct Slot {
  std::string name;
  int64_t offset = 0, bytes = 0;
  int first_step = 0, last_step = 0;
};

// Where the caller writes an input before every run, or reads an output after it.
struct Port {
  std::string name;
  Type type;
  Place place;
};

struct Plan {
  std::string name;
  Graph graph;  // after all passes, in step order
  std::vector<Step> steps;
  std::vector<Slot> slots;
  std::vector<Port> inputs, outputs;
  AlignedBytes constants;
  int64_t arena_bytes = 0;
  int64_t live_bytes = 0;   // the largest live set: no order-preserving placement needs less
  int64_t state_bytes = 0;  // of the layout it was compiled against

  const Port* input(std::string_view name) const;
  const Port* output(std::string_view name) const;
  Cost cost() const;
  // What a run moves from one order in memory into another (ir/layout.h): how many tensors, of how many
  // bytes.
  struct Reorders {
    int count = 0;
    int64_t bytes = 0;
  };
  Reorders reorders() const;
};

// No two slots that are live at once overlap, and the last one ends where the arena does; every operand and
// port in the arena lies wholly in a slot that is live when it is used, every other wholly in the states or
// the constants; constants are only read; within a step, what is written overlaps nothing else but an operand
// of the same place and size, which the kernel works on in place.
Status verify(const Plan& plan);

// For people and for golden tests: steps with kernels and places, slots, totals. Stable between runs
// and machines of one instruction set.
std::string to_text(const Plan& plan);

}  // namespace shoestring
