#include <hwy/targets.h>

#include "ops/ops.h"

namespace shoestring::ops {

Isa best_isa() {
  const int64_t have = hwy::SupportedTargets();
  return have & HWY_AVX3   ? Isa::avx512
         : have & HWY_AVX2 ? Isa::avx2
         : have & HWY_NEON ? Isa::neon
                           : Isa::scalar;
}

}  // namespace shoestring::ops
