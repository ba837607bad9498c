// Where the elements of a broadcast value lie in what it was made from, and copying runs of them. The
// operator itself and fused steps, which broadcast tile by tile, share it.
#pragma once

#include <array>
#include <cstdint>

#include "ir/op.h"

namespace shoestring::ops {

// Element (i, j, ...) of the result is source element i * stride[0] + j * stride[1] + ...; a stride is 0
// along a repeated axis. Axes that can be one are one and axes of size 1 are gone, so copied and
// repeated axes alternate: a row over [b,n] is {b,n} with strides {0,1}, a scalar {b*n} with {0}.
struct BroadcastMap {
  int rank = 0;
  std::array<int64_t, Shape::kMaxRank> size{}, stride{};
  int64_t elements = 0, source_elements = 0;
  int64_t pattern = 0;  // a multiple of the period and of 16 elements
  // The values repeat after so many elements; `elements` if they never do.
  int64_t period() const { return rank > 0 && stride[0] == 0 ? elements / size[0] : elements; }
};
BroadcastMap broadcast_map(const Shape& from, const Shape& to);

// Writes elements [begin, begin + n) of the result to `to`, and nothing beyond.
using BroadcastFn = void (*)(const BroadcastMap& map, const void* from, void* to, int64_t begin,
                             int64_t n) noexcept;
BroadcastFn broadcast_function(Isa isa, int element_bytes);  // 1, 2, 4 or 8

}  // namespace shoestring::ops
