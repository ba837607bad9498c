// Changes applied to pictures of 8-bit levels, [height, width, channels].
#pragma once

#include "ops/shared/augment_draw.h"

namespace shoestring::ops::augmentation {

// What a thread needs beside the pictures, in bytes.
int64_t scratch_bytes(const PictureSize& size);
// The changes one after the other; `to` is not `from`. Without any, a copy.
void apply(std::span<const Change> changes, const PictureSize& size, const uint8_t* from, uint8_t* to,
           std::byte* scratch) noexcept;

// How many of the channels are colours; the last of two or four says how much the others cover.
inline int32_t colours(const PictureSize& size) {
  return size.channels == 2 || size.channels == 4 ? size.channels - 1 : size.channels;
}
// ITU-R 601's grey level in whole numbers, as Pillow has it.
inline int32_t grey_level(int32_t red, int32_t green, int32_t blue) {
  return (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16;
}
// A result between levels, cut to the one below.
inline uint8_t cut(float level) {
  return static_cast<uint8_t>(level <= 0 ? 0.0f : level >= 255 ? 255.0f : level);
}
// Mirrored at the first and last of n, neither repeated; i lies within n - 1 of them.
inline int32_t mirrored(int32_t i, int32_t n) { return i < 0 ? -i : i >= n ? 2 * (n - 1) - i : i; }
// The weights of a blur, size of them, which sum to 1.
void blur_weights(const change::Blur& blur, float* weights);
inline constexpr int kMostBlur = 63;

}  // namespace shoestring::ops::augmentation
