// Tile functions that fused steps use beside those of the operators.
#pragma once

#include "ir/op.h"

namespace shoestring::ops {

enum class InnerTile : uint8_t {
  copy,            // a
  multiply_plus,   // a b + c: a product that only a sum needs
  multiply_minus,  // a b - c
  minus_multiply,  // c - a b
  lerp_square,     // a + c (b b - a): a running mean of squares
  root_step        // a - b c / (sqrt d + e): the step of optimizers that divide by a root mean square
};
TileSet inner_tiles(Isa isa, InnerTile kind);

}  // namespace shoestring::ops
