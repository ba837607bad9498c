// Means and variances down the columns of x [rows, n], as batch norm needs them, in one walk through memory:
// blocks of rows that stay in cache are summed twice, for their mean and for the squares around it, and
// joined to what came before (Chan, Golub, LeVeque 1979). So a mean far from zero costs no digits. Rows are
// shared out to the team; its parts are joined in order.
#if defined(SHOESTRING_OPS_COLUMNS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SHOESTRING_OPS_COLUMNS_INL_H_
#undef SHOESTRING_OPS_COLUMNS_INL_H_
#else
#define SHOESTRING_OPS_COLUMNS_INL_H_
#endif

#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "base/parallel.h"
#include "ops/shared/norm-inl.h"
#include "ops/shared/norm.h"

HWY_BEFORE_NAMESPACE();
namespace shoestring::ops::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// f(width, j, lanes) for each group of columns: `width` vectors from column j on, a constant; the last
// vectors of a row alone, with `lanes` columns.
inline constexpr int kGroup = 4;
inline constexpr int64_t kBlockRows = 64;
template <class D, class F>
HWY_INLINE void for_groups(D d, int64_t n, F&& f) {
  const auto lanes = static_cast<int64_t>(hn::MaxLanes(d));
  int64_t j = 0;
  for (; j + kGroup * lanes <= n; j += kGroup * lanes) f(std::integral_constant<int, kGroup>(), j, lanes);
  for (; j < n; j += lanes) f(std::integral_constant<int, 1>(), j, std::min(lanes, n - j));
}

// A group of vectors, side by side in memory.
template <class D, int kWidth>
struct Columns {
  using V = hn::Vec<D>;
  using T = hn::TFromD<D>;
  static constexpr int64_t kLanes = static_cast<int64_t>(hn::MaxLanes(D()));
  V v[kWidth];

  static HWY_INLINE Columns load(D d, const T* from, int64_t lanes) {
    Columns c;
#pragma GCC unroll 4
    for (int i = 0; i < kWidth; ++i)
      c.v[i] = kWidth > 1 ? hn::LoadU(d, from + i * kLanes) : load_some(d, from, lanes);
    return c;
  }
  HWY_INLINE void store(D d, T* to, int64_t lanes) const {
#pragma GCC unroll 4
    for (int i = 0; i < kWidth; ++i) {
      if constexpr (kWidth > 1)
        hn::StoreU(v[i], d, to + i * kLanes);
      else
        store_some(d, v[i], to, lanes);
    }
  }
  // f of each vector of this and the others.
  template <class F, class... Others>
  static HWY_INLINE Columns of(F&& f, const Others&... others) {
    Columns c;
#pragma GCC unroll 4
    for (int i = 0; i < kWidth; ++i) c.v[i] = f(others.v[i]...);
    return c;
  }
  static HWY_INLINE Columns all(D d, T x) {
    Columns c;
#pragma GCC unroll 4
    for (int i = 0; i < kWidth; ++i) c.v[i] = hn::Set(d, x);
    return c;
  }
};

// Of so many rows: the mean, the sum of squares around it, and with an upstream g the sums of g and of
// g (x - mean).
template <class D, int kWidth>
struct ColumnSums {
  using C = Columns<D, kWidth>;
  using V = hn::Vec<D>;
  using T = hn::TFromD<D>;
  int64_t rows = 0;
  C mean, squares, g, gx;

  static HWY_INLINE ColumnSums none(D d) {
    const C zero = C::all(d, 0);
    return {0, zero, zero, zero, zero};
  }

  template <bool kUpstream>
  HWY_INLINE void join(D d, const ColumnSums& more) {
    if (more.rows == 0) return;
    const T all = static_cast<T>(rows + more.rows), share = static_cast<T>(more.rows) / all;
    const V part = hn::Set(d, share), weight = hn::Set(d, share * static_cast<T>(rows));
#pragma GCC unroll 4
    for (int i = 0; i < kWidth; ++i) {
      const V apart = hn::Sub(more.mean.v[i], mean.v[i]), shift = hn::Mul(apart, part);
      squares.v[i] = hn::Add(squares.v[i], hn::MulAdd(hn::Mul(apart, apart), weight, more.squares.v[i]));
      if constexpr (kUpstream) {
        const V theirs = hn::MulAdd(hn::Sub(apart, shift), more.g.v[i], more.gx.v[i]);
        gx.v[i] = hn::Add(hn::NegMulAdd(shift, g.v[i], gx.v[i]), theirs);
        g.v[i] = hn::Add(g.v[i], more.g.v[i]);
      }
      mean.v[i] = hn::Add(mean.v[i], shift);
    }
    rows += more.rows;
  }

  // The same columns of the next block: parts of rows are nothing that the hardware foresees.
  static HWY_INLINE void prefetch(const T* at) {
#pragma GCC unroll 4
    for (int i = 0; i < kWidth; ++i) hwy::Prefetch(at + i * C::kLanes);
  }

  // Of a few rows, `width` elements apart.
  template <bool kUpstream>
  static HWY_INLINE ColumnSums of(D d, const T* x, const T* upstream, int64_t rows, int64_t width,
                                  int64_t lanes) {
    const C first = C::load(d, x, lanes);  // sums of differences keep their digits
    C sum = C::all(d, 0);
    for (int64_t r = 1; r < rows; ++r)
      sum = C::of([](V s, V v, V f) HWY_ATTR { return hn::Add(s, hn::Sub(v, f)); }, sum,
                  C::load(d, x + r * width, lanes), first);
    ColumnSums block = none(d);
    block.rows = rows;
    const V share = hn::Set(d, T{1} / static_cast<T>(rows));
    block.mean = C::of([&](V s, V f) HWY_ATTR { return hn::MulAdd(s, share, f); }, sum, first);
    for (int64_t r = 0; r < rows; ++r) {
      const C v = C::load(d, x + r * width, lanes);
      prefetch(x + (r + kBlockRows) * width);
      if constexpr (kUpstream) prefetch(upstream + (r + kBlockRows) * width);
      C up;
      if constexpr (kUpstream) up = C::load(d, upstream + r * width, lanes);
#pragma GCC unroll 4
      for (int i = 0; i < kWidth; ++i) {
        const V away = hn::Sub(v.v[i], block.mean.v[i]);
        block.squares.v[i] = hn::MulAdd(away, away, block.squares.v[i]);
        if constexpr (kUpstream) {
          block.gx.v[i] = hn::MulAdd(away, up.v[i], block.gx.v[i]);
          block.g.v[i] = hn::Add(block.g.v[i], up.v[i]);
        }
      }
    }
    return block;
  }

  // To and from a part's place: fields of n columns each.
  HWY_INLINE void store(D d, T* to, int64_t n, int64_t lanes) const {
    int field = 0;
    for (const C* c : {&mean, &squares, &g, &gx}) c->store(d, to + field++ * n, lanes);
  }
  static HWY_INLINE ColumnSums load(D d, const T* from, int64_t rows, int64_t n, int64_t lanes) {
    return {rows, C::load(d, from, lanes), C::load(d, from + n, lanes), C::load(d, from + 2 * n, lanes),
            C::load(d, from + 3 * n, lanes)};
  }
};

// f(part, parts) on the team, or alone.
template <class F>
HWY_INLINE void on_team(int threads, F&& f) {
  if (threads <= 1) return f(0, 1);
  parallel([&](int part, int parts) { f(part, parts); });
}

// f(begin, end) for blocks of the rows [begin, end).
template <class F>
HWY_INLINE void for_blocks(Share rows, F&& f) {
  for (int64_t begin = rows.begin; begin < rows.end; begin += kBlockRows)
    f(begin, std::min(rows.end, begin + kBlockRows));
}

// Where thread `part` keeps so many fields of n columns.
template <class T>
T* fields_of(T* scratch, int part, int64_t n) {
  return scratch + part * kColumnFields * n;
}

// Sums the columns of each part of the rows into `scratch`; returns how many parts there are.
template <bool kUpstream, class D, class T = hn::TFromD<D>>
HWY_INLINE int sum_parts(D d, const T* x, const T* upstream, int64_t rows, int64_t n, int threads,
                         T* scratch) {
  int team = 1;
  on_team(threads, [&](int part, int parts) HWY_ATTR {
    if (part == 0) team = parts;
    T* const fields = fields_of(scratch, part, n);
    const Share share = share_of(rows, part, parts);
    for_blocks(share, [&](int64_t begin, int64_t end) HWY_ATTR {
      for_groups(d, n, [&](auto width, int64_t j, int64_t lanes) HWY_ATTR {
        using Sums = ColumnSums<D, decltype(width)::value>;
        const int64_t at = begin * n + j;
        Sums sums = Sums::none(d);
        if (begin > share.begin) sums = Sums::load(d, fields + j, begin - share.begin, n, lanes);
        sums.template join<kUpstream>(
            d, Sums::template of<kUpstream>(d, x + at, kUpstream ? upstream + at : nullptr, end - begin, n,
                                            lanes));
        sums.store(d, fields + j, n, lanes);
      });
    });
  });
  return team;
}
template <int kWidth, bool kUpstream, class D, class T = hn::TFromD<D>>
HWY_INLINE ColumnSums<D, kWidth> joined_parts(D d, const T* scratch, int parts, int64_t rows, int64_t n,
                                              int64_t j, int64_t lanes) {
  using Sums = ColumnSums<D, kWidth>;
  Sums sums = Sums::none(d);
  for (int part = 0; part < parts; ++part) {
    const Share share = share_of(rows, part, parts);
    if (share.begin == share.end) continue;
    sums.template join<kUpstream>(
        d, Sums::load(d, fields_of(scratch, part, n) + j, share.end - share.begin, n, lanes));
  }
  return sums;
}

}  // namespace shoestring::ops::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
