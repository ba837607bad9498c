// Tile functions of products that go straight into a sum, used inside fused steps.
#pragma once

#include "ir/op.h"

namespace shoestring::ops {

enum class MultiplyAdd : uint8_t {
  plus,   // a b + c
  minus,  // a b - c
  from    // c - a b
};
TileSet multiply_add_tiles(Isa isa, MultiplyAdd kind);

}  // namespace shoestring::ops
