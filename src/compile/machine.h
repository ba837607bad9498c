// What is known of a machine's speed, as a plain record: choices between ways to compute are made from it
// when compiling, never by timing inside a run and never by a CPU's name.
#pragma once

#include "ir/op.h"

namespace shoestring {

struct MachineProfile {
  double bf16_products = 0;  // rate of large matrix products of bf16 operands, that of f32 being 1; 0: none
};

// Until a machine is calibrated: from the instructions that it has and a plan may use.
MachineProfile built_in_profile(const Target& target);

}  // namespace shoestring
