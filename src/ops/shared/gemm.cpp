// The matrix product's way through memory: which part of C a thread takes, blocks of k, panels of B that are
// copied where that pays. The arithmetic is in gemm-inl.h.
#include "ops/shared/gemm.h"

#include "base/parallel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/shared/gemm.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "ops/shared/gemm-inl.h"
#include "ops/shared/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace shoestring::ops::HWY_NAMESPACE {
namespace {

constexpr int64_t kBlockK = 256;  // a panel of B (256 rows of two vectors) stays in the first-level cache
constexpr int64_t kBlockM = 256;  // rows of A that stay in the second-level cache over all panels
constexpr int kMaxDotColumns = 4;

// The part of C that one thread computes.
struct Piece {
  int64_t batch, batch_end, m, m_end, n, n_end;
};

// kVectors vectors of columns: copies B's part if the plan says so, then all rows.
template <int kVectors, class D, class T>
void columns(D d, const GemmPlan& plan, Panel<T> p, T* scratch) {
  if (plan.pack) {
    constexpr int64_t kWidth = kVectors * lanes_of(D());
    pack(d, p.b, p.b_row, plan.gemm.b.col, p.k, p.columns, kWidth, scratch);
    p.b = scratch;
    p.b_row = kWidth;
  }
  if constexpr (kVectors == kTileVectors && sizeof(T) == 4) {
    if (p.a_row == 1 && p.a_col >= 64) return panel<kVectors, true>(d, p);
  }
  panel<kVectors, false>(d, p);
}

template <class T>
void tiles(const GemmPlan& plan, const Piece& piece, const T* a, const T* b, const T* bias, T* c,
           T* scratch) {
  const Gemm& g = plan.gemm;
  const hn::ScalableTag<T> d;
  // A vector no wider than what is left is loaded and stored faster: it crosses fewer cache lines.
  const hn::CappedTag<T, 32 / sizeof(T)> half;
  const hn::CappedTag<T, 16 / sizeof(T)> quarter;
  constexpr int64_t L = lanes_of(d);
  int64_t q = 0;
  do {  // once for k = 0 too: C is the bias then
    const int64_t k = std::min(plan.k_block, g.k - q);
    for (int64_t i = piece.m; i < piece.m_end; i += plan.m_block) {
      for (int64_t j = piece.n; j < piece.n_end;) {
        const int64_t left = piece.n_end - j;
        Panel<T> p{.rows = std::min(plan.m_block, piece.m_end - i),
                   .columns = left,
                   .k = k,
                   .a = a + i * g.a.row + q * g.a.col,
                   .a_row = g.a.row,
                   .a_col = g.a.col,
                   .b = b + q * g.b.row + j * g.b.col,
                   .b_row = g.b.row,
                   .c = c + i * g.c.row + j * g.c.col,
                   .c_row = g.c.row,
                   .c_col = g.c.col,
                   .bias = bias && q == 0 ? bias + j : nullptr,
                   .accumulate = q > 0,
                   .relu = g.relu && q + k == g.k};
        if (left > 3 * L && kTileVectors == 4) {  // only a panel's last vector may end early
          p.columns = std::min(left, 4 * L);
          columns<kTileVectors>(d, plan, p, scratch);
        } else if (left > L) {
          p.columns = std::min(left, 2 * L);
          columns<2>(d, plan, p, scratch);
        } else if (left > lanes_of(half)) {
          columns<1>(d, plan, p, scratch);
        } else if (left > lanes_of(quarter)) {
          columns<1>(half, plan, p, scratch);
        } else {
          columns<1>(quarter, plan, p, scratch);
        }
        j += p.columns;
      }
    }
    q += k;
  } while (q < g.k);
}

template <class T>
void block_product(const BlockProduct<T>& w) {
  const hn::ScalableTag<T> d;
  constexpr int64_t L = lanes_of(d);
  for (int64_t j = 0; j < w.columns;) {
    const int64_t left = w.columns - j;
    Panel<T> p{.rows = w.rows,
               .columns = left,
               .k = w.k,
               .a = w.a,
               .a_row = w.a_row,
               .a_col = w.a_col,
               .b = w.b + j,
               .b_row = w.b_row,
               .c = w.c + j,
               .c_row = w.c_row,
               .c_col = 1,
               .bias = nullptr,
               .accumulate = w.accumulate,
               .relu = false};
    if (left > 3 * L && kTileVectors == 4) {
      p.columns = std::min(left, 4 * L);
      panel<kTileVectors, false>(d, p);
    } else if (left > L) {
      p.columns = std::min(left, 2 * L);
      panel<2, false>(d, p);
    } else {
      panel<1, false>(d, p);
    }
    j += p.columns;
  }
}

template <class T>
void block_transpose(const T* rows, int64_t row, int64_t k, int64_t columns, int64_t width, T* to) {
  pack(hn::ScalableTag<T>(), rows, 1, row, k, columns, width, to);
}

template <class T>
BlockKernels<T> blocks() {
  return {block_product<T>, block_transpose<T>};
}
BlockKernels<float> blocks_f32() { return blocks<float>(); }
BlockKernels<double> blocks_f64() { return blocks<double>(); }

template <class T>
void dot_rows(const GemmPlan& plan, const Piece& piece, const T* a, const T* b, const T* bias, T* c,
              T* scratch) {
  const Gemm& g = plan.gemm;
  int64_t b_row = g.b.col;
  if (plan.pack) {
    for (int64_t j = 0; j < g.n; ++j)
      for (int64_t q = 0; q < g.k; ++q) scratch[j * g.k + q] = b[q * g.b.row + j * g.b.col];
    b = scratch;
    b_row = g.k;
  }
  const Panel<T> p{.rows = piece.m_end - piece.m,
                   .columns = g.n,
                   .k = g.k,
                   .a = a + piece.m * g.a.row,
                   .a_row = g.a.row,
                   .a_col = 1,
                   .b = b,
                   .b_row = b_row,
                   .c = c + piece.m * g.c.row,
                   .c_row = g.c.row,
                   .c_col = 1,
                   .bias = bias,
                   .accumulate = false,
                   .relu = g.relu};
  switch (g.n) {
    case 1:
      return dots<T, 1>(p);
    case 2:
      return dots<T, 2>(p);
    case 3:
      return dots<T, 3>(p);
    default:
      return dots<T, 4>(p);
  }
}

template <class T>
void activate(const Gemm& g, const Piece& piece, T* c) {
  const auto apply = [&](T* at, int64_t count) {
    const void* in[] = {at};
    g.activation({.in = in, .out = at, .n = count, .params = nullptr});
  };
  if (piece.n == 0 && piece.n_end == g.n) return apply(c + piece.m * g.n, (piece.m_end - piece.m) * g.n);
  for (int64_t i = piece.m; i < piece.m_end; ++i) apply(c + i * g.n + piece.n, piece.n_end - piece.n);
}

template <class T>
void compute(const GemmPlan& plan, const Piece& piece, const T* a, const T* b, const T* bias, T* c,
             T* scratch) {
  const Gemm& g = plan.gemm;
  if (piece.m == piece.m_end || piece.n == piece.n_end) return;
  for (int64_t z = piece.batch; z < piece.batch_end; ++z) {
    T* out = c + z * g.c.batch;
    const auto way = plan.way == GemmPlan::Way::dots ? dot_rows<T> : tiles<T>;
    way(plan, piece, a + z * g.a.batch, b + z * g.b.batch, bias, out, scratch);
    if (g.activation) activate(g, piece, out);
  }
}

template <class T>
Piece piece_of(const GemmPlan& plan, int thread, int threads) {
  const Gemm& g = plan.gemm;
  Piece piece{0, g.batches, 0, g.m, 0, g.n};
  if (g.batches >= threads) {
    const Share s = share_of(g.batches, thread, threads);
    piece.batch = s.begin, piece.batch_end = s.end;
  } else if (plan.split_columns) {
    const Share s = share_of(g.n, thread, threads, kTileVectors * kLanes<T>);
    piece.n = s.begin, piece.n_end = s.end;
  } else {
    const Share s = share_of(g.m, thread, threads, tile_rows(kTileVectors));
    piece.m = s.begin, piece.m_end = s.end;
  }
  return piece;
}

template <class T>
void run(const void* data, const KernelArgs& args) noexcept {
  const GemmPlan& plan = *static_cast<const GemmPlan*>(data);
  const Gemm& g = plan.gemm;
  const T* a = args.at<const T>(plan.turned ? 1 : 0);
  const T* b = args.at<const T>(plan.turned ? 0 : 1);
  const T* bias = g.bias ? args.at<const T>(2) : nullptr;
  const int out = g.bias ? 3 : 2;
  T* c = args.at<T>(out);
  T* scratch = plan.scratch_per_thread > 0 ? args.at<T>(out + 1) : nullptr;
  if (g.threads == 1) return compute<T>(plan, {0, g.batches, 0, g.m, 0, g.n}, a, b, bias, c, scratch);
  parallel([&](int thread, int threads) {
    threads = std::min(threads, g.threads);  // scratch is for so many
    if (thread >= threads) return;
    compute<T>(plan, piece_of<T>(plan, thread, threads), a, b, bias, c,
               scratch + thread * plan.scratch_per_thread);
  });
}

// Computes C^T = B^T A^T where the columns are too few to fill vectors and the rows lie side by side in A.
template <class T>
bool turn(Gemm& g) {
  constexpr int64_t L = kLanes<T>;
  const int64_t straight = g.m * ((g.n + L - 1) / L), turned = g.n * ((g.m + L - 1) / L);
  if (g.bias || g.relu || g.activation || g.a.row != 1 || g.k > 4 * kBlockK || 3 * turned > 2 * straight)
    return false;
  std::swap(g.m, g.n);
  std::swap(g.a, g.b);
  for (MatrixStrides* s : {&g.a, &g.b, &g.c}) std::swap(s->row, s->col);
  return true;
}

template <class T>
GemmPlan prepare(Gemm g) {
  constexpr int64_t L = kLanes<T>, kWidth = kTileVectors * L;
  GemmPlan plan;
  // Any stride will do along an axis of one element; choose what reads as contiguous.
  if (g.n == 1) g.b.col = 1;
  if (g.m == 1) g.a.row = 1;
  plan.turned = turn<T>(g);
  plan.way = L > 1 && g.n <= kMaxDotColumns && g.n > 0 && g.a.col == 1 && g.k >= 4 * L && g.c.col == 1
                 ? GemmPlan::Way::dots
                 : GemmPlan::Way::tiles;
  plan.k_block = plan.turned ? g.k : kBlockK;
  plan.m_block = kBlockM;
  if (plan.way == GemmPlan::Way::dots) {
    plan.pack = g.b.row != 1;
    if (plan.pack) plan.scratch_per_thread = g.n * g.k;
  } else {
    // Copying costs less than a percent once a panel serves many rows, and spares the cache the collisions of
    // rows that lie a power of two apart.
    plan.pack =
        g.b.col != 1 || (g.m >= 64 && g.k * g.b.row * static_cast<int64_t>(sizeof(T)) > 16384 && g.n > L);
    if (plan.pack)
      plan.scratch_per_thread = std::min(g.k, plan.k_block) * std::min((g.n + L - 1) / L * L, kWidth);
  }
  // A region costs about as much as 50,000 multiplications of one thread.
  if (g.batches * g.m * g.n * g.k < 200'000) g.threads = 1;
  // The side that leaves the slowest thread with less.
  const auto slowest = [&](int64_t size, int64_t grain) {
    const int64_t blocks = (size + grain - 1) / grain;
    return static_cast<double>((blocks + g.threads - 1) / g.threads) /
           static_cast<double>(std::max<int64_t>(blocks, 1));
  };
  plan.split_columns =
      plan.way == GemmPlan::Way::tiles && slowest(g.n, kWidth) <= slowest(g.m, tile_rows(kTileVectors));
  plan.scratch_per_thread = (plan.scratch_per_thread + 15) / 16 * 16;
  plan.gemm = g;
  plan.run = run<T>;
  return plan;
}

GemmPlan prepare_any(DType dtype, const Gemm& g) {
  return dtype == DType::f64 ? prepare<double>(g) : prepare<float>(g);
}

}  // namespace
}  // namespace shoestring::ops::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace shoestring::ops {
SHOESTRING_EXPORT(prepare_any);
SHOESTRING_EXPORT(blocks_f32);
SHOESTRING_EXPORT(blocks_f64);

GemmPlan prepare_gemm(Isa isa, DType dtype, const Gemm& gemm) { return prepare_any_on(isa)(dtype, gemm); }
template <>
BlockKernels<float> block_kernels<float>(Isa isa) {
  return blocks_f32_on(isa)();
}
template <>
BlockKernels<double> block_kernels<double>(Isa isa) {
  return blocks_f64_on(isa)();
}
}  // namespace shoestring::ops
#endif
