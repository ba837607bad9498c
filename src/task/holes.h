// Missing values filled in, the same way for numbers and for codes. Used by the sources of preprocess.h.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "task/preprocess.h"

namespace shoestring::task {

// The last value of each group.
using LastValues = std::array<std::optional<double>, FillState::kGroups>;

// Fills the rows of [0, rows) for which is_hole(at(row)): `fill` for the strategies that have a value,
// the neighbour above or below for ffill and bfill, and `usual` where there is no neighbour and where a
// row cannot be dropped. With drop_row and a `drop`, its flag is set. `above` (null: none) holds what
// ffill found in earlier rows, and gets what it finds in these.
template <class At, class IsHole, class T>
void fill_holes(int64_t rows, At at, IsHole is_hole, MissingValues strategy, T fill, T usual,
                std::vector<uint8_t>* drop, std::span<const uint8_t> groups, LastValues* above) {
  LastValues none;
  const auto fill_from = [&](int64_t row, LastValues& last) {
    const size_t group = groups.empty() ? 0 : groups[static_cast<size_t>(row)];
    auto& value = last[std::min(group, last.size() - 1)];
    if (is_hole(at(row)))
      at(row) = value ? static_cast<T>(*value) : usual;
    else
      value = static_cast<double>(at(row));
  };
  switch (strategy) {
    case MissingValues::ffill:
      for (int64_t row = 0; row < rows; ++row) fill_from(row, above ? *above : none);
      return;
    case MissingValues::bfill:
      for (int64_t row = rows - 1; row >= 0; --row) fill_from(row, none);
      return;
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
