// The register tiles of gemm.cpp, once per instruction set.
#if defined(SHOESTRING_OPS_GEMM_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SHOESTRING_OPS_GEMM_INL_H_
#undef SHOESTRING_OPS_GEMM_INL_H_
#else
#define SHOESTRING_OPS_GEMM_INL_H_
#endif

#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include <algorithm>
#include <cstdint>

HWY_BEFORE_NAMESPACE();
namespace shoestring::ops::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// A tile keeps its sums in registers: rows by vectors. Wide tiles load least for each multiplication, and
// loads from the second-level cache are what holds a tile up; narrow ones take more rows to have sums enough
// in flight.
#if HWY_TARGET == HWY_SCALAR
inline constexpr int kTileVectors = 2;
constexpr int tile_rows(int) { return 4; }
#elif HWY_TARGET == HWY_AVX2
inline constexpr int kTileVectors = 2;  // 16 registers
constexpr int tile_rows(int vectors) { return vectors == 1 ? 8 : 6; }
#else
inline constexpr int kTileVectors = 4;  // 32 registers
constexpr int tile_rows(int vectors) { return vectors == 4 ? 6 : 8; }
#endif

template <class D>
constexpr int64_t lanes_of(D) {
  return static_cast<int64_t>(hn::MaxLanes(D()));
}
template <class T>
constexpr int64_t kLanes = lanes_of(hn::ScalableTag<T>());

// A run of rows of C over at most kTileVectors vectors of columns.
template <class T>
struct Panel {
  int64_t rows, columns, k;
  const T* a;
  int64_t a_row, a_col;
  const T* b;  // k rows of vectors, b_row apart
  int64_t b_row;
  T* c;
  int64_t c_row, c_col;
  const T* bias;    // of these columns, or null
  bool accumulate;  // C holds the sum over earlier blocks of k
  bool relu;
};

// Sums along k in `kSplit` chains each, so that a small tile does not wait for its own additions.
constexpr int chains(int tiles) { return tiles >= 6 ? 1 : tiles >= 3 ? 2 : 4; }

// Stores `count` lanes of v at c[0], c[stride], ...
template <class D, class T = hn::TFromD<D>>
HWY_NOINLINE void store_strided(D d, hn::Vec<D> v, T* c, int64_t stride, int64_t count) {
  HWY_ALIGN T lanes[lanes_of(d)];
  hn::Store(v, d, lanes);
  for (int64_t j = 0; j < count; ++j) c[j * stride] = lanes[j];
}

// `count` times kRows rows of kVectors vectors, from row `first_row` on. kPrefetch: A's rows lie side by
// side, so that each step along k touches another cache line, too far from the last for the hardware to
// foresee.
template <int kRows, int kVectors, bool kPrefetch, class D, class T = hn::TFromD<D>>
HWY_NOINLINE void tile(D d, const Panel<T>& p, int64_t first_row, int64_t count) {
  using V = hn::Vec<D>;
  constexpr int64_t L = lanes_of(D());
  constexpr int kSplit = chains(kRows * kVectors);
  constexpr int kLast = kVectors - 1;
  const auto mask = hn::FirstN(d, static_cast<size_t>(p.columns - kLast * L));
  const bool partial = p.columns < kVectors * L;
  const auto load = [&](int v, const T* from) HWY_ATTR {
    return L > 1 && v == kLast ? hn::MaskedLoad(mask, d, from) : hn::LoadU(d, from);
  };
  const int64_t a_row = p.a_row, a_col = p.a_col, b_row = p.b_row, c_row = p.c_row;
  const T* HWY_RESTRICT a = p.a + first_row * a_row;
  T* HWY_RESTRICT c = p.c + first_row * c_row;

  for (; count > 0; --count, a += kRows * a_row, c += kRows * c_row) {
    V sum[kSplit][kRows][kVectors];
    const auto each = [&](auto f) HWY_ATTR {
      T* to = c;
#pragma GCC unroll 32
      for (int r = 0; r < kRows; ++r, to += c_row) {
#pragma GCC unroll 32
        for (int v = 0; v < kVectors; ++v) f(sum[0][r][v], to + v * L, r, v);
      }
    };
    each([&](V&, T*, int r, int v) HWY_ATTR {
#pragma GCC unroll 32
      for (int s = 0; s < kSplit; ++s) sum[s][r][v] = hn::Zero(d);
    });

    const T* HWY_RESTRICT row[kRows];
#pragma GCC unroll 32
    for (int r = 0; r < kRows; ++r) row[r] = a + r * a_row;
    const T* HWY_RESTRICT b = p.b;
    int64_t at = 0;
    const auto step = [&](V(&into)[kRows][kVectors]) HWY_ATTR {
      V bv[kVectors];
#pragma GCC unroll 32
      for (int v = 0; v < kVectors; ++v) bv[v] = load(v, b + v * L);
#pragma GCC unroll 32
      for (int r = 0; r < kRows; ++r) {
        const V av = hn::Set(d, row[r][at]);
#pragma GCC unroll 32
        for (int v = 0; v < kVectors; ++v) into[r][v] = hn::MulAdd(av, bv[v], into[r][v]);
      }
      if constexpr (kPrefetch) hwy::Prefetch(row[0] + at + 12 * a_col);
      at += a_col;
      b += b_row;
    };
    int64_t left = p.k;
    if constexpr (kSplit > 1) {
      for (; left >= kSplit; left -= kSplit) {
#pragma GCC unroll 32
        for (int s = 0; s < kSplit; ++s) step(sum[s]);
      }
    }
    for (; left > 0; --left) step(sum[0]);
    if constexpr (kSplit == 2) each([&](V& x, T*, int r, int v) HWY_ATTR { x = hn::Add(x, sum[1][r][v]); });
    if constexpr (kSplit == 4) {
      each([&](V& x, T*, int r, int v)
               HWY_ATTR { x = hn::Add(hn::Add(x, sum[1][r][v]), hn::Add(sum[2][r][v], sum[3][r][v])); });
    }

    // The conditions stand outside the unrolled loops: the same for all of the tile.
    if (p.accumulate) {
      each([&](V& x, T* to, int, int v) HWY_ATTR { x = hn::Add(x, load(v, to)); });
    }
    if (p.bias) {
      each([&](V& x, T*, int, int v) HWY_ATTR { x = hn::Add(x, load(v, p.bias + v * L)); });
    }
    if (p.relu)
      each([&](V& x, T*, int, int)
               HWY_ATTR { x = hn::IfThenZeroElse(hn::Lt(x, hn::Zero(d)), x); });  // NaN stays
    if (HWY_UNLIKELY(p.c_col != 1)) {
      each([&](V x, T*, int r, int v) HWY_ATTR {
        store_strided(d, x, c + r * c_row + v * L * p.c_col, p.c_col, std::min(L, p.columns - v * L));
      });
    } else if (partial) {
      each([&](V x, T* to, int, int v) HWY_ATTR {
        if (v == kLast) {
          hn::BlendedStore(x, mask, d, to);
        } else {
          hn::StoreU(x, d, to);
        }
      });
    } else {
      each([&](V x, T* to, int, int) HWY_ATTR { hn::StoreU(x, d, to); });
    }
  }
}

// All rows of a panel: full tiles, then the rest as one tile or two of about equal height.
template <int kVectors, bool kPrefetch, class D, class T>
void panel(D d, const Panel<T>& p) {
  constexpr int kFull = tile_rows(kVectors);
  int64_t row = 0, left = p.rows;
  while (left > 0) {
    const int64_t rest = left % kFull;
    const bool even_out = rest > 0 && 2 * rest < kFull;
    int64_t height = std::min<int64_t>(left, kFull), count = left / height;
    if (even_out && count == 1 && left > kFull) {
      height = (left + 1) / 2;
    } else if (even_out && left > kFull) {
      --count;
    }
    switch (height) {
      case 1:
        tile<1, kVectors, kPrefetch>(d, p, row, count);
        break;
      case 2:
        tile<2, kVectors, kPrefetch>(d, p, row, count);
        break;
      case 3:
        tile<3, kVectors, kPrefetch>(d, p, row, count);
        break;
      case 4:
        tile<4, kVectors, kPrefetch>(d, p, row, count);
        break;
      case 5:
        tile<std::min(5, kFull), kVectors, kPrefetch>(d, p, row, count);
        break;
      case 6:
        tile<std::min(6, kFull), kVectors, kPrefetch>(d, p, row, count);
        break;
      case 7:
        tile<std::min(7, kFull), kVectors, kPrefetch>(d, p, row, count);
        break;
      default:
        tile<kFull, kVectors, kPrefetch>(d, p, row, count);
        break;
    }
    row += count * height;
    left -= count * height;
  }
}

// C[i, 0..kColumns) = bias + A's row i times the kColumns rows of `bt` (B transposed, b_row apart), both
// contiguous along k.
template <class T, int kColumns>
HWY_NOINLINE void dots(const Panel<T>& p) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  constexpr int64_t L = kLanes<T>;
  constexpr int kRows = kColumns >= 3 ? 2 : 4;
  for (int64_t i = 0; i < p.rows; i += kRows) {
    // The last rows are done twice where they do not fill a group; same numbers, same place.
    const T* row[kRows];
    T* out[kRows];
#pragma GCC unroll 32
    for (int r = 0; r < kRows; ++r) {
      const int64_t at = std::min(i + r, p.rows - 1);
      row[r] = p.a + at * p.a_row;
      out[r] = p.c + at * p.c_row;
    }
    V sum[kRows][kColumns];
#pragma GCC unroll 32
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 32
      for (int j = 0; j < kColumns; ++j) sum[r][j] = hn::Zero(d);
    }
    const auto step = [&](auto load) HWY_ATTR {
      V bv[kColumns];
#pragma GCC unroll 32
      for (int j = 0; j < kColumns; ++j) bv[j] = load(p.b + j * p.b_row);
#pragma GCC unroll 32
      for (int r = 0; r < kRows; ++r) {
        const V av = load(row[r]);
#pragma GCC unroll 32
        for (int j = 0; j < kColumns; ++j) sum[r][j] = hn::MulAdd(av, bv[j], sum[r][j]);
      }
    };
    int64_t q = 0;
    for (; q + L <= p.k; q += L) step([&](const T* from) HWY_ATTR { return hn::LoadU(d, from + q); });
    if (q < p.k) {
      const auto mask = hn::FirstN(d, static_cast<size_t>(p.k - q));
      step([&](const T* from) HWY_ATTR { return hn::MaskedLoad(mask, d, from + q); });
    }
#pragma GCC unroll 32
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 32
      for (int j = 0; j < kColumns; ++j) {
        T value = hn::GetLane(hn::SumOfLanes(d, sum[r][j]));
        if (p.bias) value += p.bias[j];
        if (p.relu && value < T{0}) value = T{0};  // NaN stays
        out[r][j] = value;
      }
    }
  }
}

// ---- packing: `width` (whole vectors) columns of B, of which `columns` exist, as k rows of contiguous
// vectors ----

template <class T>
void pack_elements(const T* b, int64_t b_row, int64_t b_col, int64_t k, int64_t columns, int64_t width,
                   T* to) {
  for (int64_t q = 0; q < k; ++q)
    for (int64_t j = 0; j < width; ++j) to[q * width + j] = b[q * b_row + std::min(j, columns - 1) * b_col];
}

template <class D, class T>
void pack_rows(D d, const T* b, int64_t b_row, int64_t k, int64_t columns, int64_t width, T* to) {
  constexpr int64_t L = lanes_of(D());
  for (int64_t j = 0; j < width; j += L) {
    const auto mask = hn::FirstN(d, static_cast<size_t>(columns - j));
    if (columns - j >= L) {
      for (int64_t q = 0; q < k; ++q) hn::StoreU(hn::LoadU(d, b + q * b_row + j), d, to + q * width + j);
    } else {
      for (int64_t q = 0; q < k; ++q)
        hn::StoreU(hn::MaskedLoad(mask, d, b + q * b_row + j), d, to + q * width + j);
    }
  }
}

#if HWY_TARGET != HWY_SCALAR
// Four 4-element pieces of the rows j, j+4, j+8, ... of B transposed, side by side.
template <class D>
HWY_INLINE hn::Vec<D> load_pieces(D d, const float* from, const int64_t* row) {
  if constexpr (hn::MaxLanes(D()) == 4) {
    return hn::LoadU(d, from + row[0]);
  } else {
    const hn::Half<D> half;
    const auto lower = load_pieces(half, from, row);
    return hn::Combine(d, load_pieces(half, from, row + hn::MaxLanes(half)), lower);
  }
}

// B's columns are contiguous along k (b_row 1): transposes blocks of 4 x one vector in registers.
template <class D>
void pack_columns(D d, const float* b, int64_t b_col, int64_t k, int64_t columns, int64_t width, float* to) {
  const hn::Repartition<double, D> d2;
  constexpr int64_t L = lanes_of(D());
  if (k < 4) return pack_elements(b, 1, b_col, k, columns, width, to);
  for (int64_t j0 = 0; j0 < width; j0 += L) {
    int64_t row[L];
    for (int64_t j = 0; j < L; ++j) row[j] = std::min(j0 + j, columns - 1) * b_col;
    for (int64_t q = 0; q < k; q += 4) {
      const int64_t at = std::min(q, k - 4);  // the last block overlaps the one before
      const auto r0 = load_pieces(d, b + at, row + 0), r1 = load_pieces(d, b + at, row + 1);
      const auto r2 = load_pieces(d, b + at, row + 2), r3 = load_pieces(d, b + at, row + 3);
      const auto t0 = hn::BitCast(d2, hn::InterleaveLower(d, r0, r1));
      const auto t1 = hn::BitCast(d2, hn::InterleaveLower(d, r2, r3));
      const auto t2 = hn::BitCast(d2, hn::InterleaveUpper(d, r0, r1));
      const auto t3 = hn::BitCast(d2, hn::InterleaveUpper(d, r2, r3));
      float* out = to + at * width + j0;
      hn::StoreU(hn::BitCast(d, hn::InterleaveLower(d2, t0, t1)), d, out);
      hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(d2, t0, t1)), d, out + width);
      hn::StoreU(hn::BitCast(d, hn::InterleaveLower(d2, t2, t3)), d, out + 2 * width);
      hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(d2, t2, t3)), d, out + 3 * width);
    }
  }
}
#endif

template <class D, class T>
void pack(D d, const T* b, int64_t b_row, int64_t b_col, int64_t k, int64_t columns, int64_t width, T* to) {
  if (b_col == 1) return pack_rows(d, b, b_row, k, columns, width, to);
#if HWY_TARGET != HWY_SCALAR
  if constexpr (sizeof(T) == 4) {
    if (b_row == 1) return pack_columns(d, b, b_col, k, columns, width, to);
  }
#endif
  pack_elements(b, b_row, b_col, k, columns, width, to);
}

}  // namespace shoestring::ops::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // SHOESTRING_OPS_GEMM_INL_H_
