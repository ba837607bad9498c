#include "ir/dynamic_code.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <vector>

namespace shoestring {
namespace {

constexpr int kDecades = 7;

// In decade i the fraction has i bits with a sign, i + 1 without: the middles of so many parts of [0.1, 1].
std::vector<float> ascending_values(bool is_signed) {
  std::vector<float> values{0, 1};
  for (int i = 0; i < kDecades; ++i) {
    const int parts = 1 << (is_signed ? i : i + 1);
    const double decade = std::pow(10.0, i - (kDecades - 1));
    for (int k = 0; k < parts; ++k) {
      const auto value = static_cast<float>(decade * (0.1 + 0.9 * (k + 0.5) / parts));
      values.push_back(value);
      if (is_signed) values.push_back(-value);
    }
  }
  std::sort(values.begin(), values.end());
  return values;
}

std::unique_ptr<const DynamicCode> make(bool is_signed) {
  auto code = std::make_unique<DynamicCode>();
  const std::vector<float> values = ascending_values(is_signed);
  std::copy(values.begin(), values.end(), code->values);
  for (size_t i = 0; i + 1 < values.size(); ++i) code->bounds[i] = (values[i] + values[i + 1]) / 2;
  if (!is_signed) code->bounds[0] = std::numeric_limits<float>::min();  // normal: a subnormal may count as 0
  code->bounds[255] = std::numeric_limits<float>::infinity();
  for (uint32_t high = 0; high < 1 << 16; ++high) {
    // Of negative numbers, the least of a range has all bits set.
    const float least = std::bit_cast<float>(high >> 15 ? high << 16 | 0xFFFF : high << 16);
    const float* at = std::upper_bound(code->bounds, code->bounds + 255, std::isnan(least) ? 0 : least);
    code->first[high] = static_cast<uint8_t>(at - code->bounds);
  }
  return code;
}

}  // namespace

uint8_t DynamicCode::encode(float x) const {
  const uint8_t low = first[std::bit_cast<uint32_t>(x) >> 16];
  return static_cast<uint8_t>(low + (x >= bounds[low]));
}

const DynamicCode& dynamic_code(bool is_signed) {
  static const std::unique_ptr<const DynamicCode> codes[] = {make(false), make(true)};
  return *codes[is_signed];
}

template <class T>
void encode_blocks(const DynamicCode& code, const T* x, void* blocks, int64_t n) {
  auto* to = static_cast<std::byte*>(blocks);
  for (; n > 0; n -= kDynamicElements, x += kDynamicElements, to += kDynamicBytes) {
    const int64_t here = std::min(n, kDynamicElements);
    float scale = 0;
    for (int64_t i = 0; i < here; ++i)
      if (const auto value = static_cast<float>(x[i]); std::abs(value) > std::abs(scale)) scale = value;
    std::memcpy(to, &scale, sizeof scale);
    uint8_t codes[kDynamicElements] = {};
    for (int64_t i = 0; i < here; ++i)
      codes[i] = code.encode(scale == 0 ? 0 : static_cast<float>(x[i]) / scale);
    std::memcpy(to + sizeof scale, codes, sizeof codes);
  }
}

template <class T>
void decode_blocks(const DynamicCode& code, const void* blocks, T* x, int64_t n) {
  const auto* from = static_cast<const uint8_t*>(blocks);
  for (; n > 0; n -= kDynamicElements, x += kDynamicElements, from += kDynamicBytes) {
    float scale;
    std::memcpy(&scale, from, sizeof scale);
    const uint8_t* codes = from + sizeof scale;
    for (int64_t i = 0; i < std::min(n, kDynamicElements); ++i)
      x[i] = static_cast<T>(code.values[codes[i]] * scale);
  }
}

template void encode_blocks(const DynamicCode&, const float*, void*, int64_t);
template void encode_blocks(const DynamicCode&, const double*, void*, int64_t);
template void decode_blocks(const DynamicCode&, const void*, float*, int64_t);
template void decode_blocks(const DynamicCode&, const void*, double*, int64_t);

}  // namespace shoestring
