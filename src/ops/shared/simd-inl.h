// How an operator's file chooses among the instruction sets that Highway's foreach_target compiles it for.
// Behind HWY_ONCE it exports a function, and calls the one that the plan names:
//
//   SHOESTRING_EXPORT(kernel);                 // KernelFn kernel(DType), once for every set
//   KernelFn run = kernel_on(isa)(dtype);
//
// The choice is the plan's, never made at run time: tests force a set by naming it. (HWY_EXPORT would link
// libhwy, which measures the clock for 2.5 ms whenever a process starts.)
#pragma once

#include <hwy/highway.h>

#include "ir/op.h"

// Defines NAME_on(isa): a pointer to NAME as it was compiled for `isa`.
#define SHOESTRING_EXPORT(NAME)                                                                         \
  [[maybe_unused]] auto NAME##_on(::shoestring::Isa isa)->decltype(&HWY_STATIC_DISPATCH(NAME)) {        \
    using Function = decltype(&HWY_STATIC_DISPATCH(NAME));                                              \
    if constexpr ((HWY_TARGETS & (HWY_TARGETS - 1)) == 0) { /* compiled for one */                      \
      return &HWY_STATIC_DISPATCH(NAME);                                                                \
    }                                                                                                   \
    const Function of_isa[] = {HWY_CHOOSE_FALLBACK(NAME), HWY_CHOOSE_AVX2(NAME), HWY_CHOOSE_AVX3(NAME), \
                               HWY_CHOOSE_NEON(NAME)};                                                  \
    return of_isa[static_cast<size_t>(isa)]; /* in the order of Isa */                                  \
  }

namespace shoestring::ops {

// Elements between what is computed and what is fetched meanwhile, where arrays are walked from end to end
// with much arithmetic: what the hardware fetches by itself comes too late.
inline constexpr int64_t kFetchedAhead = 256;

}  // namespace shoestring::ops
