// Means and variances of rows, and vector access to the end of a row. Sums are of differences
// to the first element, so that a mean far from zero costs no digits.
#if defined(SHOESTRING_OPS_NORM_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SHOESTRING_OPS_NORM_INL_H_
#undef SHOESTRING_OPS_NORM_INL_H_
#else
#define SHOESTRING_OPS_NORM_INL_H_
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

HWY_BEFORE_NAMESPACE();
namespace shoestring::ops::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// `count` elements from memory or to it, at most a vector; the lanes beyond are 0 or not written.
template <class D, class T = hn::TFromD<D>>
HWY_INLINE hn::Vec<D> load_some(D d, const T* from, int64_t count) {
  if (HWY_LIKELY(count >= static_cast<int64_t>(hn::MaxLanes(d)))) return hn::LoadU(d, from);
  return hn::MaskedLoad(hn::FirstN(d, static_cast<size_t>(count)), d, from);
}
template <class D, class T = hn::TFromD<D>>
HWY_INLINE void store_some(D d, hn::Vec<D> v, T* to, int64_t count) {
  if (HWY_LIKELY(count >= static_cast<int64_t>(hn::MaxLanes(d)))) return hn::StoreU(v, d, to);
  hn::BlendedStore(v, hn::FirstN(d, static_cast<size_t>(count)), d, to);
}

// f(offset, lanes) for each vector of n elements; the last may have fewer lanes.
template <class D, class F>
HWY_INLINE void for_vectors(D d, int64_t n, F&& f) {
  const auto lanes = static_cast<int64_t>(hn::MaxLanes(d));
  int64_t j = 0;
  for (; j + lanes <= n; j += lanes) f(j, lanes);
  if (j < n) f(j, n - j);
}

// Sum of f(offset, lanes), lanes beyond the end left out.
template <class D, class F>
HWY_INLINE hn::TFromD<D> sum_vectors(D d, int64_t n, F&& f) {
  const auto lanes = static_cast<int64_t>(hn::MaxLanes(d));
  auto s0 = hn::Zero(d), s1 = s0;
  int64_t j = 0;
  for (; j + 2 * lanes <= n; j += 2 * lanes) {
    s0 = hn::Add(s0, f(j, lanes));
    s1 = hn::Add(s1, f(j + lanes, lanes));
  }
  for (; j < n; j += lanes) {
    const int64_t left = std::min(lanes, n - j);
    s0 = hn::Add(s0, hn::IfThenElseZero(hn::FirstN(d, static_cast<size_t>(left)), f(j, left)));
  }
  return hn::GetLane(hn::SumOfLanes(d, hn::Add(s0, s1)));
}

template <class T>
struct Moments {
  T mean, scale;  // scale: 1 / sqrt(variance + epsilon)
};

// Of n consecutive elements.
template <class D, class T = hn::TFromD<D>>
HWY_INLINE Moments<T> row_moments(D d, const T* x, int64_t n, T epsilon) {
  const auto first = hn::Set(d, x[0]);
  const T share = T{1} / static_cast<T>(n);
  const T mean = x[0] + share * sum_vectors(d, n, [&](int64_t j, int64_t lanes) HWY_ATTR {
                          return hn::Sub(load_some(d, x + j, lanes), first);
                        });
  const auto middle = hn::Set(d, mean);
  const T variance = share * sum_vectors(d, n, [&](int64_t j, int64_t lanes) HWY_ATTR {
                       const auto away = hn::Sub(load_some(d, x + j, lanes), middle);
                       return hn::Mul(away, away);
                     });
  return {mean, T{1} / std::sqrt(variance + epsilon)};
}

// 1 / sqrt(mean x² + epsilon) of n consecutive elements.
template <class D, class T = hn::TFromD<D>>
HWY_INLINE T row_rms_inverse(D d, const T* x, int64_t n, T epsilon) {
  const T square = sum_vectors(d, n, [&](int64_t j, int64_t lanes) HWY_ATTR {
    const auto v = load_some(d, x + j, lanes);
    return hn::Mul(v, v);
  });
  return T{1} / std::sqrt(square / static_cast<T>(n) + epsilon);
}

}  // namespace shoestring::ops::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
