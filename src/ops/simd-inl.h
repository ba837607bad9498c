// How an operator's file chooses among the instruction sets that Highway's foreach_target compiles it for.
// It exports a function with HWY_EXPORT and calls the one that the plan names:
//
//   HWY_EXPORT(kernel_for);                                          // KernelFn kernel_for(DType)
//   KernelFn run = HWY_DISPATCH_TABLE(kernel_for)[target_index(isa)](dtype);
//
// The choice is the plan's, never Highway's detection at run time: tests force a set by naming it.
#pragma once

#include <hwy/highway.h>

#include "ir/op.h"

namespace shoestring::ops {

// The place in a HWY_EXPORT table of what was compiled for `isa`.
inline size_t target_index(Isa isa) {
  if constexpr ((HWY_TARGETS & (HWY_TARGETS - 1)) == 0) {
    return 0;  // compiled for one set (NEON): tables of one entry
  } else {
    if (isa == Isa::scalar) return HWY_MAX_DYNAMIC_TARGETS + 1;
    const int64_t target = isa == Isa::avx512 ? HWY_AVX3 : isa == Isa::avx2 ? HWY_AVX2 : HWY_NEON;
    return hwy::Num0BitsBelowLS1Bit_Nonzero64(static_cast<uint64_t>(HWY_CHOSEN_TARGET_SHIFT(target)));
  }
}

}  // namespace shoestring::ops
