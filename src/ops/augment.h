// The vocabulary, continued (ops.h): pictures changed at random.
#pragma once

#include "ir/graph.h"
#include "ops/augmentation.h"

namespace shoestring::ops {

// u8[b,h,w,c] -> u8[b,h,w,c]: the steps, in order, on each row. `numbers` i32[b] is asked for by an
// alternating flip. Channels: grey; grey and alpha; colour; colour and alpha, whose levels stay.
Value augment(Value pictures, std::span<const augmentation::Step> steps, Value numbers = {},
              int64_t stream = 0);

}  // namespace shoestring::ops
