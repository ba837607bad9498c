// Checked arithmetic for sizes that come from outside: a product or sum that does not fit is
// nullopt, never a wrapped number.
#pragma once

#include <cstdint>
#include <optional>

namespace shoestring {

inline std::optional<int64_t> checked_mul(int64_t a, int64_t b) {
  int64_t out;
  if (__builtin_mul_overflow(a, b, &out)) return std::nullopt;
  return out;
}

inline std::optional<int64_t> checked_add(int64_t a, int64_t b) {
  int64_t out;
  if (__builtin_add_overflow(a, b, &out)) return std::nullopt;
  return out;
}

// The smallest multiple of `alignment` (a power of two) that is >= n.
constexpr int64_t round_up(int64_t n, int64_t alignment) { return (n + alignment - 1) & ~(alignment - 1); }

}  // namespace shoestring
