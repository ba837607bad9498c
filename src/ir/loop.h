// What a step of a loop is told of its run.
#pragma once

#include "ir/op.h"

namespace shoestring {

// The seed is drawn itself, at a step that no run has, from the number of the slice that the loop is at: so
// the random nodes of a body draw anew in each step, and the same again when a step is computed again,
// whichever way the loop runs. `stream` is the loop's: two loops with equal bodies draw apart.
inline RunContext iteration_context(const RunContext& run, uint32_t stream, uint32_t slice) {
  const PhiloxBlock bits = philox4x32(
      {slice, 0, ~0u, stream}, {static_cast<uint32_t>(run.seed), static_cast<uint32_t>(run.seed >> 32)});
  return {bits[0] | uint64_t{bits[1]} << 32, run.step, run.row_offset};
}

}  // namespace shoestring
