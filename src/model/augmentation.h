// Pictures changed at random while a network is trained: what a recipe says, and the node that does it.
#pragma once

#include <vector>

#include "model/layers.h"
#include "ops/augment.h"

namespace shoestring::model {

using Augmentation = std::vector<ops::augmentation::Step>;

// u8[b,h,w,c] -> u8[b,h,w,c]: the steps in training, else the pictures as they are. `numbers` i32[b] of the
// rows is needed where ops::augmentation::needs_numbers says so.
inline Value augmented(const Forward& forward, Value pictures, const Augmentation& steps,
                       Value numbers = {}) {
  return forward.training() && !steps.empty() ? ops::augment(pictures, steps, numbers) : pictures;
}

}  // namespace shoestring::model
