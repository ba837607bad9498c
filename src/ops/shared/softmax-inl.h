// The largest logit and the sum of exponentials of rows [rows, c]: for few classes one row in each lane,
// for many one row at a time.
#if defined(SHOESTRING_OPS_SOFTMAX_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SHOESTRING_OPS_SOFTMAX_INL_H_
#undef SHOESTRING_OPS_SOFTMAX_INL_H_
#else
#define SHOESTRING_OPS_SOFTMAX_INL_H_
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <cstdint>

HWY_BEFORE_NAMESPACE();
namespace shoestring::ops::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using F32 = hn::ScalableTag<float>;
using I32 = hn::RebindToSigned<F32>;

// Up to this many classes, a block of rows is read across, one row in each lane.
inline constexpr int64_t kAcross = 24;

// By Horner's rule, from the highest power down.
template <size_t N>
HWY_INLINE hn::Vec<F32> polynomial(F32 d, hn::Vec<F32> x, const float (&c)[N]) {
  auto y = hn::Set(d, c[0]);
#pragma GCC unroll 16
  for (size_t i = 1; i < N; ++i) y = hn::MulAdd(y, x, hn::Set(d, c[i]));
  return y;
}

// e^x for x <= 0, as differences to the maximum are; 2 ulp. -inf and what would be denormal give 0, NaN
// stays. The polynomials are those of Cephes' expf and logf (Moshier, netlib.org/cephes).
HWY_INLINE hn::Vec<F32> exp_of(F32 d, hn::Vec<F32> x) {
  const I32 di;
  const auto lowest = hn::Set(d, -88.0f);
  x = hn::IfThenElse(hn::Lt(x, lowest), lowest, x);
  // x = n log 2 + r. The sum rounds to a whole number, whose last bits are those of n + 127.
  const auto magic = hn::Set(d, 12582912.0f + 127.0f);
  const auto shifted = hn::MulAdd(x, hn::Set(d, 1.44269504088896341f), magic);
  const auto n = hn::Sub(shifted, magic);
  const auto r = hn::NegMulAdd(n, hn::Set(d, -2.12194440e-4f), hn::NegMulAdd(n, hn::Set(d, 0.693359375f), x));
  constexpr float kTaylor[] = {1.9875691500e-4f, 1.3981999507e-3f, 8.3334519073e-3f,
                               4.1665795894e-2f, 1.6666665459e-1f, 5.0000001201e-1f};
  auto y = polynomial(d, r, kTaylor);
  y = hn::Add(hn::MulAdd(y, hn::Mul(r, r), r), hn::Set(d, 1.0f));
  return hn::Mul(y, hn::BitCast(d, hn::ShiftLeft<23>(hn::BitCast(di, shifted))));
}

// log x for finite x >= 1, as sums of such exponentials are; 2 ulp. NaN stays.
HWY_INLINE hn::Vec<F32> log_of(F32 d, hn::Vec<F32> x) {
  const I32 di;
  // x = 2^e (1 + f), f in [sqrt(1/2) - 1, sqrt(2) - 1)
  const auto bits = hn::BitCast(di, x);
  const auto exponent = hn::ShiftRight<23>(hn::Sub(bits, hn::Set(di, 0x3F3504F3)));
  const auto e = hn::ConvertTo(d, exponent);
  const auto f = hn::Sub(hn::BitCast(d, hn::Sub(bits, hn::ShiftLeft<23>(exponent))), hn::Set(d, 1.0f));
  constexpr float kTaylor[] = {7.0376836292e-2f,  -1.1514610310e-1f, 1.1676998740e-1f,
                               -1.2420140846e-1f, 1.4249322787e-1f,  -1.6668057665e-1f,
                               2.0000714765e-1f,  -2.4999993993e-1f, 3.3333331174e-1f};
  auto y = polynomial(d, f, kTaylor);
  const auto square = hn::Mul(f, f);
  y = hn::MulAdd(e, hn::Set(d, -2.12194440e-4f), hn::Mul(y, hn::Mul(f, square)));
  y = hn::Add(hn::NegMulAdd(square, hn::Set(d, 0.5f), y), f);
  return hn::IfThenElse(hn::Eq(x, x), hn::MulAdd(e, hn::Set(d, 0.693359375f), y), x);
}

// Rows r0 .. r0 + count - 1 of [rows, c]: lane l reads row r0 + l; lanes beyond count repeat the last row.
struct Across {
  const float* base;
  hn::Vec<I32> row;  // element offset of each lane's row
  int64_t c;

  static HWY_INLINE Across block(const float* logits, int64_t r0, int64_t count, int64_t c) {
    const I32 di;
    const auto lane = hn::Min(hn::Iota(di, 0), hn::Set(di, static_cast<int32_t>(count - 1)));
    return {logits + r0 * c, hn::Mul(lane, hn::Set(di, static_cast<int32_t>(c))), c};
  }
  HWY_INLINE hn::Vec<F32> at(int64_t j) const { return hn::GatherIndex(F32(), base + j, row); }
  HWY_INLINE hn::Vec<F32> at(hn::Vec<I32> j) const { return hn::GatherIndex(F32(), base, hn::Add(row, j)); }

  HWY_INLINE hn::Vec<F32> max() const {
    auto m = at(0);
    for (int64_t j = 1; j < c; ++j) m = hn::Max(m, at(j));
    return m;
  }
  HWY_INLINE hn::Vec<F32> sum_exp(hn::Vec<F32> max) const {
    const F32 d;
    auto s = hn::Zero(d);
    for (int64_t j = 0; j < c; ++j) s = hn::Add(s, exp_of(d, hn::Sub(at(j), max)));
    return s;
  }
};

// The first `count` lanes from memory; the others are 0.
HWY_INLINE hn::Vec<F32> load_first(F32 d, const float* from, int64_t count) {
  if (count >= static_cast<int64_t>(hn::Lanes(d))) return hn::LoadU(d, from);
  return hn::MaskedLoad(hn::FirstN(d, static_cast<size_t>(count)), d, from);
}
HWY_INLINE void store_first(F32 d, hn::Vec<F32> v, float* to, int64_t count) {
  if (count >= static_cast<int64_t>(hn::Lanes(d))) return hn::StoreU(v, d, to);
  hn::BlendedStore(v, hn::FirstN(d, static_cast<size_t>(count)), d, to);
}

// Rows of two, three or four classes, the commonest: their columns in registers, one row in each lane.
template <int C>
HWY_INLINE void load_columns(const float* x, int64_t count, hn::Vec<F32>* v) {
  const F32 d;
  HWY_ALIGN float padded[C * hn::MaxLanes(d)] = {};
  if (count < static_cast<int64_t>(hn::Lanes(d))) {
    std::copy_n(x, count * C, padded);
    x = padded;
  }
  if constexpr (C == 2) hn::LoadInterleaved2(d, x, v[0], v[1]);
  if constexpr (C == 3) hn::LoadInterleaved3(d, x, v[0], v[1], v[2]);
  if constexpr (C == 4) hn::LoadInterleaved4(d, x, v[0], v[1], v[2], v[3]);
}
template <int C>
HWY_INLINE void store_columns(const hn::Vec<F32>* v, float* out, int64_t count) {
  const F32 d;
  HWY_ALIGN float padded[C * hn::MaxLanes(d)];
  const bool whole = count >= static_cast<int64_t>(hn::Lanes(d));
  float* to = whole ? out : padded;
  if constexpr (C == 2) hn::StoreInterleaved2(v[0], v[1], d, to);
  if constexpr (C == 3) hn::StoreInterleaved3(v[0], v[1], v[2], d, to);
  if constexpr (C == 4) hn::StoreInterleaved4(v[0], v[1], v[2], v[3], d, to);
  if (!whole) std::copy_n(padded, count * C, out);
}
template <int C>
HWY_INLINE hn::Vec<F32> max_of(const hn::Vec<F32>* v) {
  auto m = v[0];
  for (int j = 1; j < C; ++j) m = hn::Max(m, v[j]);
  return m;
}
// Class numbers of rows r .. r + count - 1; lanes beyond are 0.
HWY_INLINE hn::Vec<I32> load_classes(const int32_t* classes, int64_t count) {
  const I32 d;
  if (count >= static_cast<int64_t>(hn::Lanes(d))) return hn::LoadU(d, classes);
  return hn::MaskedLoad(hn::FirstN(d, static_cast<size_t>(count)), d, classes);
}

// f(j, vector of x[j ..], count of its lanes that belong to the row)
template <class Visit>
HWY_INLINE void for_row(const float* x, int64_t c, Visit&& visit) {
  const F32 d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t j = 0;
  for (; j + lanes <= c; j += lanes) visit(j, hn::LoadU(d, x + j), lanes);
  if (j < c) visit(j, load_first(d, x + j, c - j), c - j);
}

struct RowStats {
  float max, sum;  // of the row; of e^(x - max)
};
HWY_INLINE RowStats row_stats(const float* x, int64_t c) {
  const F32 d;
  auto m = hn::Set(d, x[0]);
  for_row(x, c, [&](int64_t, hn::Vec<F32> v, int64_t count) HWY_ATTR {
    m = hn::Max(m, hn::IfThenElse(hn::FirstN(d, static_cast<size_t>(count)), v, m));
  });
  const float max = hn::GetLane(hn::MaxOfLanes(d, m));
  auto s = hn::Zero(d);
  for_row(x, c, [&](int64_t, hn::Vec<F32> v, int64_t count) HWY_ATTR {
    const auto e = exp_of(d, hn::Sub(v, hn::Set(d, max)));
    s = hn::Add(s, hn::IfThenElseZero(hn::FirstN(d, static_cast<size_t>(count)), e));
  });
  return {max, hn::GetLane(hn::SumOfLanes(d, s))};
}

}  // namespace shoestring::ops::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
