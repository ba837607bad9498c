// What happens to one row: the changes that its random numbers make of a list of steps. Magnitudes are final
// here; applying them (augment_pixels.h) knows no chance.
#pragma once

#include <array>
#include <span>
#include <variant>

#include "base/philox.h"
#include "ops/augmentation.h"

namespace shoestring::ops::augmentation {

struct PictureSize {
  int32_t height = 0, width = 0, channels = 0;
  int64_t line() const { return int64_t{width} * channels; }
  int64_t bytes() const { return height * line(); }
};

namespace change {

// Output pixel (x, y) is that of the input at (sx x + ox, sy y + oy), sx and sy being 1 or -1. What lies
// outside is mirrored at the edges, or 0.
struct Move {
  int32_t sx = 1, ox = 0, sy = 1, oy = 0;
  bool reflect = true;
};
// Output point (x, y), pixels having their centres at halves, is the input's at (a x + b y + c, d x + e y +
// f), read between the four pixels around; 0 where that is outside of the picture.
struct Warp {
  float a = 1, b = 0, c = 0, d = 0, e = 1, f = 0;
};
struct Brightness {  // factor p
  float factor = 1;
};
struct Contrast {  // m + factor (p - m), m the mean of the grey levels, rounded
  float factor = 1;
};
struct Saturation {  // g + factor (p - g), g the pixel's grey level
  float factor = 1;
};
struct Sharpness {  // s + factor (p - s), s the mean of the 3x3 around that counts the pixel 5 times; edges
                    // stay
  float factor = 1;
};
struct Blur {  // by weights, mirrored at the edges
  int32_t size = 3;
  float sigma = 0.8f;
};
struct Posterize {
  int32_t bits = 8;
};
struct Solarize {
  int32_t threshold = 256;
};
struct AutoContrast {};
struct Equalize {};
struct Invert {};
struct Erase {
  int32_t top = 0, left = 0, height = 0, width = 0, fill = 0;
};

}  // namespace change

using Change =
    std::variant<change::Move, change::Warp, change::Brightness, change::Contrast, change::Saturation,
                 change::Sharpness, change::Blur, change::Posterize, change::Solarize, change::AutoContrast,
                 change::Equalize, change::Invert, change::Erase>;

// A fixed list, so that drawing takes nothing from the heap.
inline constexpr int kMostChanges = 64;
struct Changes {
  std::array<Change, kMostChanges> list;
  int count = 0;
  std::span<const Change> all() const { return {list.data(), static_cast<size_t>(count)}; }
};
// How many changes the steps make at most.
int most_changes(std::span<const Step> steps);

// The changes of a row of the global batch. Neighbouring moves are one move, neighbouring warps one warp:
// what a picture loses by being read between its pixels, it loses once. `number` is of the row, for
// alternating flips.
void draw_changes(std::span<const Step> steps, const RandomStream& stream, uint32_t row, int32_t number,
                  const PictureSize& size, Changes& changes);

// The 14 operations of RandAugment and TrivialAugment, in their published order.
enum class Operation : uint8_t {
  identity,
  shear_x,
  shear_y,
  translate_x,
  translate_y,
  rotate,
  brightness,
  color,
  contrast,
  sharpness,
  posterize,
  solarize,
  autocontrast,
  equalize
};
inline constexpr uint32_t kOperations = 14;
// One of them at a magnitude in the operation's own unit: a slope, pixels, degrees, a factor less 1, bits, a
// level.
void add_operation(Changes& changes, Operation operation, double magnitude, const PictureSize& size);

}  // namespace shoestring::ops::augmentation
