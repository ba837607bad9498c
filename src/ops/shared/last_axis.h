// What operators share that look entries of the last axis up by number: x [.., c] and i32[.., k].
#pragma once

#include <algorithm>

#include "ops/shared/shapes.h"

namespace shoestring::ops {

// Both seen as rows; `wide` is c, `narrow` k.
struct LastAxis {
  int64_t rows = 0, wide = 0, narrow = 0;
  int threads = 1;
};
inline LastAxis last_axis(const Type& of_wide, const Type& of_narrow, int threads) {
  const int64_t c = of_wide.dims.back(), k = of_narrow.dims.back();
  const int64_t rows = k ? of_narrow.elements() / k : c ? of_wide.elements() / c : 0;
  const bool large = of_wide.bytes() + of_narrow.bytes() >= kBytesWorthThreads;
  return {rows, c, k, large ? threads : 1};
}

// The shape rule of a tensor beside its numbers: the same rows.
inline Status same_rows(std::string_view op, const Type& x, const Type& indices) {
  if (x.dtype != DType::f32 && x.dtype != DType::f64)
    return wrong(fmt::format("{}: {} is not computed with; cast it to f32", op, to_string(x)));
  if (indices.dtype != DType::i32)
    return wrong(fmt::format("{}: entry numbers are i32, not {}", op, to_string(indices)));
  const int last = x.dims.rank() - 1;
  if (last < 0 || indices.dims.rank() - 1 != last || x.dims.with(last, 0) != indices.dims.with(last, 0))
    return wrong(
        fmt::format("{}: {} and {} differ before the last axis", op, to_string(x), to_string(indices)));
  return {};
}

// A number outside is clamped to the first or last entry, as in gather.
template <class I>
int64_t entry(I index, int64_t wide) {
  return std::clamp<int64_t>(static_cast<int64_t>(index), 0, wide - 1);
}

}  // namespace shoestring::ops
