// What a plan's arena holds at its fullest step, by purpose.
#pragma once

#include "compile/plan.h"

namespace shoestring::budget {

struct ArenaParts {
  int64_t gradients = 0;    // of parameters: what the writes of parameters read, of their size and no state
  int64_t scratch = 0;      // of kernels
  int64_t activations = 0;  // all other values, and what lies between slots; the three are the whole arena

  int64_t bytes() const { return gradients + scratch + activations; }
};

ArenaParts parts_of(const Plan& plan);

// The same where the plan would be made on another machine: the library's kernels, whose scratch is what
// the library there asks for, are taken to need `scratch_bytes` each. Ours need the same everywhere.
ArenaParts parts_elsewhere(const Plan& plan, int64_t scratch_bytes);

}  // namespace shoestring::budget
