// Missing values filled in, the same way for numbers and for codes. Used by the sources of preprocess.h.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "task/preprocess.h"

namespace shoestring::task {

// Flags the rows without a value that have no flag yet.
template <class IsHole>
MissingRows mark_rows(IsHole is_hole, std::vector<uint8_t>& drop) {
  MissingRows missing;
  for (int64_t row = 0; row < static_cast<int64_t>(drop.size()); ++row) {
    uint8_t& flag = drop[static_cast<size_t>(row)];
    if (flag || !is_hole(row)) continue;
    flag = 1;
    if (missing.count++ == 0) missing.first_row = row;
  }
  return missing;
}

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

// Where the values of rows come from that cannot be copied one by one: row numbers, or these.
inline constexpr int64_t kFromFill = -2, kFromUsual = -3,
                         kFromAbove = -4;  // kFromAbove - group: of earlier rows

// For each row the row that its list comes from, by the same rules. `state` (null: none) holds the lists of
// earlier rows and gets the last of these, as numbers.
template <class IsHole, class ListOf>
std::vector<int64_t> list_sources(int64_t rows, IsHole is_hole, ListOf list_of, MissingValues strategy,
                                  std::vector<uint8_t>* drop, const Neighbours& near) {
  constexpr int64_t kHole = -1;
  std::vector<int64_t> from(static_cast<size_t>(rows));
  for (int64_t row = 0; row < rows; ++row) from[static_cast<size_t>(row)] = is_hole(row) ? kHole : row;
  LastValues last;
  for (size_t g = 0; near.state && g < last.size(); ++g)
    if (near.state->lists[g]) last[g] = static_cast<double>(kFromAbove - static_cast<int64_t>(g));
  fill_holes(
      rows, [&](int64_t row) -> int64_t& { return from[static_cast<size_t>(row)]; },
      [](int64_t v) { return v == kHole; }, strategy, kFromFill, kFromUsual, drop, near.groups, &last);
  for (size_t g = 0; near.state && g < last.size(); ++g) {
    if (!last[g] || *last[g] < 0) continue;
    const auto list = list_of(static_cast<int64_t>(*last[g]));
    near.state->lists[g].emplace(list.begin(), list.end());
  }
  return from;
}

}  // namespace shoestring::task
