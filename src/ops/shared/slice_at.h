// What slice_at and update_at share: rows [position, position + size) along an axis, where the position is an
// operand: one for all (i32[]) or one for each leading index (i32[b], with an axis behind the first). Where
// the rows would leave the tensor they are moved back inside, so no number is out of range.
#pragma once

#include <algorithm>

#include "ops/shared/shapes.h"

namespace shoestring::ops {

struct SliceAt {
  int64_t outer = 0, per_position = 0;  // index tuples before the axis; so many of them share a position
  int64_t size = 0, rows = 0;           // of the axis: in the tensor, in the slice
  int64_t inner = 0;                    // elements, or bytes for kernels, of one row
  int threads = 1;

  // Calls each(offset in the tensor, offset in the slice, count): both in units of `inner`'s.
  template <class Position, class Each>
  void each_piece(const Position* positions, int64_t begin, int64_t end, Each&& each) const {
    for (int64_t o = begin; o < end; ++o) {
      const auto wanted = static_cast<int64_t>(positions[o / per_position]);
      const int64_t at = std::clamp<int64_t>(wanted, 0, size - rows);
      each((o * size + at) * inner, o * rows * inner, rows * inner);
    }
  }
};

// What is wrong with slicing `rows` of x along the axis at `position`, or nothing.
inline std::string slice_at_mismatch(const Type& x, const Type& position, int64_t axis, int64_t rows) {
  const auto a = axis_in(axis, x.dims.rank());
  if (!a) return fmt::format("{} has no axis {}", to_string(x), axis);
  if (rows < 0 || rows > x.dims[*a]) return fmt::format("{} rows of axis {} of {}", rows, axis, to_string(x));
  const bool one = position == Type{DType::i32, {}};
  const bool each = *a > 0 && position == Type{DType::i32, {x.dims[0]}};
  if (!one && !each)
    return fmt::format("a position in {} is i32[]{}, not {}", to_string(x),
                       *a > 0 ? fmt::format(" or i32[{}]", x.dims[0]) : "", to_string(position));
  return {};
}

inline SliceAt slice_at_sizes(const Type& x, const Type& position, int64_t axis, int64_t rows,
                              int64_t unit = 1) {
  const AxisView v = view_of(x.dims, *axis_in(axis, x.dims.rank()));
  const int64_t positions = std::max<int64_t>(position.elements(), 1);
  return {.outer = v.outer,
          .per_position = std::max<int64_t>(v.outer / positions, 1),
          .size = v.size,
          .rows = rows,
          .inner = v.inner * unit};
}

}  // namespace shoestring::ops
