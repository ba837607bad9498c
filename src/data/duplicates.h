// Pictures of one split that are in another too, exactly or nearly: what a model has seen is no test of it.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "data/picture.h"
#include "data/pixel_rows.h"

namespace shoestring::data {

// What is compared before pixels are: the picture in grey, shrunk to 8 x 9, has a bit for each of 8 x 8
// places: whether it grows lighter to the right there (a difference hash); and shrunk to 9 x 8, downwards.
// Scaling, compressing and brightening change few of them.
struct PictureLook {
  uint64_t exact = 0;  // a hash of the pixels
  uint64_t across = 0, down = 0;
};
PictureLook look_of(std::span<const uint8_t> pixels, const PictureForm& form, PictureRoom& room);

// Those of pictures that look the same differ in so few bits at most, each way, and their pixels are
// correlated so well: which light and contrast leave as they are.
inline constexpr int kNearBits = 4;
inline constexpr double kNearCorrelation = 0.99;

struct Duplicate {
  uint32_t row = 0, of = 0;  // in the other split, and in the training split
  bool exact = false;        // every pixel, else nearly
};

// Pictures of one colour are none.
struct Duplicates {
  std::vector<Duplicate> pairs;  // in the order of the rows; one of each
  int64_t exact = 0, near = 0;   // how many
  bool complete = true;          // false: too many pictures look alike for all to have been compared
};

// `same(row, of)` looks at the pixels of two that look alike. The work grows with the rows, not with their
// square: looks are compared where one of five parts of `across` is equal, and at most kMostComparisons times
// (a look at pixels counts as many).
Duplicates find_duplicates(std::span<const PictureLook> looks, std::span<const uint32_t> training,
                           std::span<const uint32_t> others,
                           const std::function<bool(uint32_t, uint32_t)>& same);
inline constexpr int64_t kMostComparisons = 100'000'000;

// Of a column in memory, by all threads of the team.
Duplicates find_duplicates(const PixelRows& pictures, const PictureForm& form,
                           std::span<const uint32_t> training, std::span<const uint32_t> others);

}  // namespace shoestring::data
