// Missing values filled in, the same way for numbers and for codes. Used by the sources of preprocess.h.
#pragma once

#include <cstdint>
#include <vector>

#include "task/recipe.h"

namespace shoestring::task {

// Fills the rows of [0, rows) for which is_hole(at(row)): `fill` for the strategies that have a value,
// the neighbour above or below for ffill and bfill, and `usual` where there is no neighbour and where a
// row cannot be dropped. With drop_row and a `drop`, its flag is set.
template <class At, class IsHole, class T>
void fill_holes(int64_t rows, At at, IsHole is_hole, MissingValues strategy, T fill, T usual,
                std::vector<uint8_t>* drop) {
  switch (strategy) {
    case MissingValues::ffill: {
      T last = usual;
      for (int64_t row = 0; row < rows; ++row) {
        if (is_hole(at(row))) at(row) = last;
        last = at(row);
      }
      return;
    }
    case MissingValues::bfill: {
      T next = usual;
      for (int64_t row = rows - 1; row >= 0; --row) {
        if (is_hole(at(row))) at(row) = next;
        next = at(row);
      }
      return;
    }
    case MissingValues::drop_row:
      for (int64_t row = 0; row < rows; ++row) {
        if (!is_hole(at(row))) continue;
        at(row) = usual;
        if (drop) (*drop)[static_cast<size_t>(row)] = 1;
      }
      return;
    default:
      for (int64_t row = 0; row < rows; ++row)
        if (is_hole(at(row))) at(row) = fill;
  }
}

}  // namespace shoestring::task
