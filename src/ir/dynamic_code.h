// Numbers in [-1, 1] (or [0, 1]) as 8 bits, by the dynamic code of Dettmers and others, "8-bit Optimizers via
// Block-wise Quantization" (arXiv 2110.02861): the value's decade by the number of leading zeros, the bits
// that are left as a fraction of it. So small numbers keep a relative precision and large ones a fine one.
//
// The dtypes dyn8 and udyn8 are blocks of 256 elements: one f32 scale, which is the element of the largest
// size with its sign, so that it is 1 in the code and comes back exactly; then a byte for each element. A
// last block that is not full is filled with zero bytes. Coding what has been decoded gives the same bytes
// again.
//
// Without a sign only 0 is coded as 0, and the next number stands for all that are smaller: these are what
// steps are divided by the root of, and one by a root of 0 is far too large (the zero point of Li and others,
// "Memory Efficient Optimizers with 4-bit States", arXiv 2309.01507).
#pragma once

#include <cstddef>
#include <cstdint>

namespace shoestring {

inline constexpr int64_t kDynamicElements = 256, kDynamicBytes = 4 + kDynamicElements;

struct DynamicCode {
  float values[256];  // ascending
  // The least number that is coded as i + 1: nearer to values[i + 1] than to values[i], and see above; the
  // last is out of reach.
  float bounds[256];
  // Of the numbers whose first 16 bits are the index: the code of the least. No such range holds two bounds.
  uint8_t first[1 << 16];

  uint8_t encode(float x) const;  // the nearest; a NaN is coded as 0
};
const DynamicCode& dynamic_code(bool is_signed);

// n elements to so many whole blocks as hold them, and back. T is float or double.
template <class T>
void encode_blocks(const DynamicCode& code, const T* x, void* blocks, int64_t n);
template <class T>
void decode_blocks(const DynamicCode& code, const void* blocks, T* x, int64_t n);

}  // namespace shoestring
