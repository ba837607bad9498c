// Sums in vectors: along memory, and down the columns of a matrix. Pieces are short and added up in f64 or
// in their turn, so the error does not grow with the length.
#if defined(SHOESTRING_OPS_SUM_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SHOESTRING_OPS_SUM_INL_H_
#undef SHOESTRING_OPS_SUM_INL_H_
#else
#define SHOESTRING_OPS_SUM_INL_H_
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <cstdint>

#include "ops/shared/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace shoestring::ops::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

struct Plain {
  template <class V>
  HWY_INLINE V operator()(V x) const {
    return x;
  }
};
struct Squared {
  template <class V>
  HWY_INLINE V operator()(V x) const {
    return hn::Mul(x, x);
  }
};

// sum of f(x[i]), i < n; f(0) is 0
template <class T, class F = Plain>
HWY_INLINE double sum_of(const T* x, int64_t n, F f = {}) {
  using D = hn::ScalableTag<T>;
  const D d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  constexpr int64_t kPiece = 2048;
  double total = 0;
  for (int64_t begin = 0; begin < n; begin += kPiece) {
    const int64_t end = std::min(n, begin + kPiece);
    auto s0 = hn::Zero(d), s1 = s0, s2 = s0, s3 = s0;
    int64_t i = begin;
    for (; i + 4 * lanes <= end; i += 4 * lanes) {
      s0 = hn::Add(s0, f(hn::LoadU(d, x + i)));
      s1 = hn::Add(s1, f(hn::LoadU(d, x + i + lanes)));
      s2 = hn::Add(s2, f(hn::LoadU(d, x + i + 2 * lanes)));
      s3 = hn::Add(s3, f(hn::LoadU(d, x + i + 3 * lanes)));
    }
    for (; i + lanes <= end; i += lanes) s0 = hn::Add(s0, f(hn::LoadU(d, x + i)));
    if (i < end) {
      const FirstLanes<D> rest(d, static_cast<size_t>(end - i));
      s1 = hn::Add(s1, f(rest.load(d, x + i)));
    }
    const auto sum = hn::SumOfLanes(d, hn::Add(hn::Add(s0, s1), hn::Add(s2, s3)));
    total += static_cast<double>(hn::GetLane(sum));
  }
  return total;
}

// out[j] = sum over rows of x[row * width + j], for columns [begin, end). Every 64 rows a new sum begins.
template <class T>
HWY_INLINE void sum_columns(const T* x, int64_t rows, int64_t width, int64_t begin, int64_t end, T* out) {
  using D = hn::ScalableTag<T>;
  const D d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  constexpr int64_t kPiece = 64;
  int64_t j = begin;
  for (; j + 4 * lanes <= end; j += 4 * lanes) {
    auto t0 = hn::Zero(d), t1 = t0, t2 = t0, t3 = t0;
    for (int64_t first = 0; first < rows; first += kPiece) {
      auto s0 = hn::Zero(d), s1 = s0, s2 = s0, s3 = s0;
      const T* row = x + first * width + j;
      for (int64_t r = first; r < std::min(rows, first + kPiece); ++r, row += width) {
        s0 = hn::Add(s0, hn::LoadU(d, row));
        s1 = hn::Add(s1, hn::LoadU(d, row + lanes));
        s2 = hn::Add(s2, hn::LoadU(d, row + 2 * lanes));
        s3 = hn::Add(s3, hn::LoadU(d, row + 3 * lanes));
      }
      t0 = hn::Add(t0, s0);
      t1 = hn::Add(t1, s1);
      t2 = hn::Add(t2, s2);
      t3 = hn::Add(t3, s3);
    }
    hn::StoreU(t0, d, out + j);
    hn::StoreU(t1, d, out + j + lanes);
    hn::StoreU(t2, d, out + j + 2 * lanes);
    hn::StoreU(t3, d, out + j + 3 * lanes);
  }
  // One vector at a time; four rows at a time, so that additions do not wait for each other.
  for (; j < end; j += lanes) {
    const FirstLanes<D> some(d, static_cast<size_t>(std::min(lanes, end - j)));
    auto total = hn::Zero(d);
    for (int64_t first = 0; first < rows; first += kPiece) {
      const int64_t stop = std::min(rows, first + kPiece);
      auto s0 = hn::Zero(d), s1 = s0, s2 = s0, s3 = s0;
      const T* row = x + first * width + j;
      int64_t r = first;
      for (; r + 4 <= stop; r += 4, row += 4 * width) {
        s0 = hn::Add(s0, some.load(d, row));
        s1 = hn::Add(s1, some.load(d, row + width));
        s2 = hn::Add(s2, some.load(d, row + 2 * width));
        s3 = hn::Add(s3, some.load(d, row + 3 * width));
      }
      for (; r < stop; ++r, row += width) s0 = hn::Add(s0, some.load(d, row));
      total = hn::Add(total, hn::Add(hn::Add(s0, s1), hn::Add(s2, s3)));
    }
    some.store(d, total, out + j);
  }
}

}  // namespace shoestring::ops::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
