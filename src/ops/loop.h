// Loops, and slices at positions that are known only when running: the builders beside ops.h, and what the
// compiler needs of `scan`.
#pragma once

#include <functional>

#include "ir/graph.h"

namespace shoestring::ops {

// ---- loops (scan.cpp) ----
struct ScanOptions {
  int64_t steps = -1;    // where there is no sequence
  bool reverse = false;  // from the last slice to the first
  int64_t stream = 0;    // of random nodes in the body; 0 takes a fresh number if there are any
};
struct Scan {
  std::vector<Value> carries;  // after the last step
  std::vector<Value> stacked;  // [T, ..]
};
// Runs the body for each slice of the sequences [T, ..]. Its inputs: the carries, a slice of each sequence,
// the captures; its outputs: the next carries, and what is to be stacked.
Scan scan(std::span<const Value> carries, std::span<const Value> sequences, std::span<const Value> captures,
          Graph body, ScanOptions options = {});

// ---- slices at a position that is an operand ----
// i32[], or i32[b] with one for each index of the first axis; moved inside where rows would leave x.
// update_at replaces rows: of a state that is read, updated and written, in place.
Value slice_at(Value x, Value position, int64_t axis, int64_t size);
Value update_at(Value x, Value rows, Value position, int64_t axis);

// ---- for the compiler ----
inline bool is_loop(const Node& node) { return node.body && node.op->name == "scan"; }

// A body made ready to run many times: the steps of its plan. Its operands lie in scratch that the caller
// gives, in the plan's constants, or at a port: the body's inputs are the first ports, then come its outputs.
// A carried value's input and output are one port, whose old value the run replaces. What lies at a port is
// aligned to an element only.
struct PreparedBody {
  enum class Memory : uint8_t { scratch, port, constant };
  struct Operand {
    Memory memory;
    uint32_t port;  // of Memory::port
    int64_t offset;
  };
  struct Step {
    KernelFn run;
    const void* data;
    std::vector<Operand> operands;
  };
  std::vector<Step> steps;
  int64_t scratch_bytes = 0;
  const std::byte* constants = nullptr;
  std::shared_ptr<const void> plan;  // owns what the steps point to
};
// The first `carries` inputs and outputs are carried values. Or why there is no plan.
using PrepareBody = std::function<tl::expected<PreparedBody, std::string>(const Graph& body, size_t carries)>;
// The loop's kernel; only the compiler can make the steps of its body.
PrepareResult prepare_scan(const KernelRequest& request, const PrepareBody& prepare_body);

// How the gradient of a body is made: the gradients, in each of `wrt`, of the sum of each output times what
// comes back to it; zeros where there is none.
struct Returned {
  Value output, upstream;
};
using PullBack = std::vector<Value> (*)(Graph& graph, std::span<const Returned> returned,
                                        std::span<const Value> wrt);
// scan's gradient rule, which needs differentiation itself.
void scan_gradient(Backward& b, const std::shared_ptr<const Graph>& body, int outputs, PullBack pull_back);

}  // namespace shoestring::ops
