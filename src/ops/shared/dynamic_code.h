// Numbers in [-1, 1] (or [0, 1]) as 8 bits, by the dynamic code of Dettmers and others, "8-bit Optimizers via
// Block-wise Quantization" (arXiv 2110.02861): the value's decade by the number of leading zeros, the bits
// that are left as a fraction of it. So small numbers keep a relative precision and large ones a fine one.
//
// A tensor is coded in blocks of 256 elements, each with one f32 scale: the element of the largest size, with
// its sign, so that it is 1 in the code and comes back exactly. Coding what has been decoded gives the same
// bytes again.
#pragma once

#include <cstdint>

namespace shoestring::ops {

inline constexpr int64_t kCodeBlock = 256;
inline int64_t code_blocks(int64_t elements) { return (elements + kCodeBlock - 1) / kCodeBlock; }

struct DynamicCode {
  float values[256];  // ascending
  // The least number that is nearer to values[i + 1] than to values[i]; the last is out of reach.
  float bounds[256];
  // Of the numbers whose first 16 bits are the index: the code of the least. No such range holds two bounds.
  uint8_t first[1 << 16];

  uint8_t encode(float x) const;  // the nearest; a NaN is coded as 0
};
const DynamicCode& dynamic_code(bool is_signed);

// n elements to as many bytes and code_blocks(n) scales, and back.
void encode_blocks(const DynamicCode& code, const float* x, uint8_t* bytes, float* scales, int64_t n);
void decode_blocks(const DynamicCode& code, const uint8_t* bytes, const float* scales, float* x, int64_t n);

}  // namespace shoestring::ops
