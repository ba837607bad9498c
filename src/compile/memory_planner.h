// Offsets for pieces of memory whose lifetimes are known: the planner behind every arena.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace shoestring {

// Bytes needed in steps [first, last]. Sizes are multiples of the slot alignment.
struct Lifetime {
  int64_t bytes = 0;
  int first = 0, last = 0;
};

struct Placement {
  std::vector<int64_t> offsets;
  int64_t bytes = 0;
};

// The largest sum of sizes that are live at one step: no placement is smaller.
int64_t largest_live_set(std::span<const Lifetime> lifetimes);

// Each piece goes to the lowest offset that is free for its whole life (greedy by size, as Pisarchyk
// and Lee, "Efficient memory management for deep neural net inference", 2020), in several orders of
// the pieces; where none meets the largest live set, orders near the best one are tried. Same input,
// same placement.
Placement place(std::span<const Lifetime> lifetimes);

}  // namespace shoestring
