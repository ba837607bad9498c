// Hashes of texts, the same on every machine.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace shoestring::data {

// The CRC-32 of zlib: for what is written down, splits and buckets.
uint32_t crc32_of(std::string_view text);

// Whether two texts are the same. Short ones are compared by loads that overlap: a comparison of any size
// would be a call.
inline bool equal_texts(std::string_view a, std::string_view b) {
  const auto same = [&]<class Word>(Word, size_t at) {
    Word x, y;
    std::memcpy(&x, a.data() + at, sizeof x);
    std::memcpy(&y, b.data() + at, sizeof y);
    return x == y;
  };
  const size_t n = a.size();
  if (n != b.size()) return false;
  if (n > 16) return std::memcmp(a.data(), b.data(), n) == 0;
  if (n >= 8) return same(uint64_t{}, 0) && same(uint64_t{}, n - 8);
  if (n >= 4) return same(uint32_t{}, 0) && same(uint32_t{}, n - 4);
  for (size_t i = 0; i < n; ++i)
    if (a[i] != b[i]) return false;
  return true;
}

// A quick hash of short texts, for tables in memory; they are bounded, as it protects from no hostile keys.
// Folds the 128-bit product of the running value and eight bytes at a time.
inline uint64_t hash_text(std::string_view text) {
  const auto fold = [](uint64_t a, uint64_t b) {
    const unsigned __int128 product = static_cast<unsigned __int128>(a) * b;
    return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
  };
  constexpr uint64_t kOdd1 = 0x9E3779B97F4A7C15, kOdd2 = 0xC2B2AE3D27D4EB4F;
  uint64_t h = kOdd1 ^ text.size();
  const char* p = text.data();
  size_t left = text.size();
  for (; left >= 8; p += 8, left -= 8) {
    uint64_t word;
    std::memcpy(&word, p, 8);
    h = fold(h ^ word, kOdd2);
  }
  // Up to seven bytes, by loads that overlap: a copy of any size would be a call.
  uint64_t tail = 0;
  if (left >= 4) {
    uint32_t low, high;
    std::memcpy(&low, p, 4);
    std::memcpy(&high, p + left - 4, 4);
    tail = low | static_cast<uint64_t>(high) << ((left - 4) * 8);
  } else if (left > 0) {
    const auto byte = [&](size_t at) {
      return static_cast<uint64_t>(static_cast<unsigned char>(p[at])) << (at * 8);
    };
    tail = byte(0) | byte(left / 2) | byte(left - 1);
  }
  return fold(fold(h ^ tail, kOdd2), kOdd1);
}

}  // namespace shoestring::data
