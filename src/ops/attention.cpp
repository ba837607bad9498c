// attention: scaled dot-product attention, softmax(scale q k^T + mask) v, never holding the matrix of scores
// (Dao and others, "FlashAttention", NeurIPS 2022).
//   q [b, h, m, d], k [b, g, n, d], v [b, g, n, e], optional mask -> [b, h, m, e]; log-sum-exps of the scores
//   [b, h, m]
//
// Heads: g divides h; each g-th of the query heads, in order, shares a head of keys and values.
// scale: 0 stands for 1/sqrt(d).
// mask: 1 where a query may attend and 0 where not, for each key [b, n] (padding) or for each pair [b, m, n].
// causal: query i sees keys 0 .. i + n - m, so that the last query sees the last key (new queries behind a
// cache); PyTorch's is_causal aligns the first ones instead, which is the same where m = n. A query that sees
// no key gives 0, and the log-sum-exp -inf. The second output is what the gradient needs; no gradient flows
// back through it.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/attention.cpp"

#include <hwy/foreach_target.h>

#include "ops/ops.h"
#include "ops/shared/attention-inl.h"
#include "ops/shared/reduce.h"
#include "ops/shared/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace shoestring::ops::HWY_NAMESPACE {
namespace {

// Where a thread keeps what it works on.
template <class T>
struct Scratch {
  T *queries, *scores;          // [d, width], [keys, width]
  T *largest, *sum, *rescaled;  // [width]: the largest score so far, the sum of e^(score - largest), the
                                // factor by which the last block has changed what was summed before

  static Scratch at(const AttentionSizes& s, T* base, int thread) {
    T* p = base + thread * ((s.d + kKeyBlock + 3) * s.block);
    T* q = p + s.d * s.block;
    T* stats = q + kKeyBlock * s.block;
    return {p, q, stats, stats + s.block, stats + 2 * s.block};
  }
};

// One block's scores become e^(score - largest), for kVectors vectors of queries from `at` on.
template <int kVectors, class T>
HWY_INLINE void exponentials(const Scratch<T>& w, int64_t keys, int64_t width, int64_t at) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  constexpr auto L = static_cast<int64_t>(hn::MaxLanes(d));
  const V nothing = hn::Set(d, -std::numeric_limits<T>::infinity());
  V largest[kVectors], base[kVectors], sum[kVectors];
  for (int v = 0; v < kVectors; ++v) largest[v] = hn::LoadU(d, w.largest + at + v * L);
  for (int64_t j = 0; j < keys; ++j)
    for (int v = 0; v < kVectors; ++v)
      largest[v] = hn::Max(largest[v], hn::LoadU(d, w.scores + j * width + at + v * L));
  for (int v = 0; v < kVectors; ++v) {
    base[v] = hn::IfThenZeroElse(hn::Eq(largest[v], nothing), largest[v]);
    const V factor = exp_below(d, hn::Sub(hn::LoadU(d, w.largest + at + v * L), base[v]));
    hn::StoreU(factor, d, w.rescaled + at + v * L);
    hn::StoreU(largest[v], d, w.largest + at + v * L);
    sum[v] = hn::Mul(factor, hn::LoadU(d, w.sum + at + v * L));
  }
  for (int64_t j = 0; j < keys; ++j)
    for (int v = 0; v < kVectors; ++v) {
      T* score = w.scores + j * width + at + v * L;
      const V p = exp_below(d, hn::Sub(hn::LoadU(d, score), base[v]));
      sum[v] = hn::Add(sum[v], p);
      hn::StoreU(p, d, score);
    }
  for (int v = 0; v < kVectors; ++v) hn::StoreU(sum[v], d, w.sum + at + v * L);
}

template <class T>
void scale_row(T* row, int64_t n, T factor) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<int64_t>(hn::MaxLanes(d));
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes)
    hn::StoreU(hn::Mul(hn::LoadU(d, row + i), hn::Set(d, factor)), d, row + i);
  for (; i < n; ++i) row[i] *= factor;
}

template <class T>
void attend(const AttentionSizes& s, const QueryBlock& block, const T* q, const T* k, const T* v,
            const T* mask, T* out, T* log_sums, const Scratch<T>& w) {
  constexpr auto L = static_cast<int64_t>(hn::MaxLanes(hn::ScalableTag<T>()));
  out += (block.list * s.rows() + block.row) * s.e;
  log_sums += block.list * s.rows() + block.row;
  load_queries(s, block, q, w.queries);
  std::fill_n(w.largest, block.width, -std::numeric_limits<T>::infinity());
  std::fill_n(w.sum, block.width, T{0});
  bool first = true;
  const int64_t end = block.ends(s).any;
  for (int64_t key = 0; key < end; key += kKeyBlock) {
    const int64_t keys = std::min(kKeyBlock, end - key);
    if (!score_block(s, block, key, keys, k, mask, w.queries, w.scores)) continue;
    int64_t at = 0;
    for (; at + 4 * L <= block.width; at += 4 * L) exponentials<4>(w, keys, block.width, at);
    for (; at < block.width; at += L) exponentials<1>(w, keys, block.width, at);
    if (!first)
      for (int64_t r = 0; r < block.count; ++r)
        if (w.rescaled[r] != 1) scale_row(out + r * s.e, s.e, w.rescaled[r]);
    blocks_of<T>(s).product({.rows = block.count,
                             .columns = s.e,
                             .k = keys,
                             .a = w.scores,
                             .a_row = 1,
                             .a_col = block.width,
                             .b = v + (block.list * s.n + key) * s.e,
                             .b_row = s.e,
                             .c = out,
                             .c_row = s.e,
                             .accumulate = !first});
    first = false;
  }
  for (int64_t r = 0; r < block.count; ++r) {
    if (first || w.sum[r] == 0) {  // it saw no key
      std::fill_n(out + r * s.e, s.e, T{0});
      log_sums[r] = -std::numeric_limits<T>::infinity();
    } else {
      scale_row(out + r * s.e, s.e, 1 / w.sum[r]);
      log_sums[r] = w.largest[r] + std::log(w.sum[r]);
    }
  }
}

template <class T>
void run(const void* data, const KernelArgs& args) noexcept {
  const auto& s = *static_cast<const AttentionSizes*>(data);
  const int masked = s.mask == AttentionMask::none ? 0 : 1;
  const T *q = args.at<const T>(0), *k = args.at<const T>(1), *v = args.at<const T>(2);
  const T* mask = masked ? args.at<const T>(3) : nullptr;
  T *out = args.at<T>(3 + masked), *log_sums = args.at<T>(4 + masked), *scratch = args.at<T>(5 + masked);
  const int64_t per_list = (s.rows() + kQueryBlock - 1) / kQueryBlock, blocks = s.lists() * per_list;
  // Blocks are dealt out in turn: with `causal` later ones have more to do.
  const auto part = [&](int thread, int threads) {
    const auto w = Scratch<T>::at(s, scratch, thread);
    for (int64_t b = thread; b < blocks; b += threads)
      attend(s, QueryBlock::at<T>(s, b / per_list, b % per_list * kQueryBlock), q, k, v, mask, out, log_sums,
             w);
  };
  if (s.threads == 1) return part(0, 1);
  parallel([&](int thread, int team) {
    team = std::min(team, s.threads);  // scratch is for so many
    if (thread < team) part(thread, team);
  });
}

KernelFn kernel(DType dtype) { return dtype == DType::f32 ? run<float> : run<double>; }

}  // namespace
}  // namespace shoestring::ops::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace shoestring::ops {
extern const OpDef attention_grad_op;
namespace {

SHOESTRING_EXPORT(kernel);

constexpr size_t kMask = 3;  // which input
const AttrDef kAttrs[] = {{"causal", false}, {"scale", 0.0}};

Result<Types> infer(const OpArgs& args) {
  const std::string problem = attention_mismatch(args.in, kMask);
  if (!problem.empty()) return wrong("attention: " + problem);
  const Shape& q = args.in[0].dims;
  return Types{{args.in[0].dtype, q.with(3, args.in[2].dims[3])}, {args.in[0].dtype, {q[0], q[1], q[2]}}};
}

void grad(Backward& b) {
  if (b.upstream(1).valid()) {
    b.graph().error("attention: no gradient flows through its log-sum-exp");
    return;
  }
  std::vector<Value> operands{b.input(0), b.input(1), b.input(2), b.output(0), b.output(1), b.upstream()};
  if (b.inputs() > 3) operands.push_back(b.input(3));
  const Value d = b.graph().add(attention_grad_op, operands, b.attrs());
  for (int i = 0; i < 3; ++i) b.add(i, d.output(static_cast<uint32_t>(i)));
  // A mask is yes or no: it has no slope.
}

void reference(const ReferenceArgs& a) {
  const AttentionSizes s = attention_sizes(a.in_types, kMask, a.attrs);
  const double *v = a.in[2], *mask = a.in.size() > kMask ? a.in[kMask] : nullptr;
  each_row_of_scores(s, a.in[0], a.in[1], mask, [&](int64_t list, int64_t r, const std::vector<double>& x) {
    double* out = a.out[0] + (list * s.rows() + r) * s.e;
    std::fill_n(out, s.e, 0.0);
    double largest = -std::numeric_limits<double>::infinity(), sum = 0;
    for (double score : x) largest = std::max(largest, score);
    a.out[1][list * s.rows() + r] = largest;
    if (std::isinf(largest)) return;
    for (double score : x) sum += std::exp(score - largest);
    a.out[1][list * s.rows() + r] = largest + std::log(sum);
    for (int64_t j = 0; j < s.n; ++j)
      for (int64_t c = 0; c < s.e; ++c)
        out[c] += std::exp(x[static_cast<size_t>(j)] - largest) / sum * v[(list * s.n + j) * s.e + c];
  });
}

PrepareResult prepare(const KernelRequest& r) {
  auto s = attention_sizes(r.in, kMask, r.attrs);
  const double products = static_cast<double>(s.lists() * s.rows()) * static_cast<double>(s.n * (s.d + s.e));
  s.threads = products < kAttentionWorthThreads ? 1 : r.target.threads;
  s.block = (std::clamp<int64_t>(s.rows(), 1, kQueryBlock) + 15) / 16 * 16;
  s.f32 = block_kernels<float>(r.target.isa);
  s.f64 = block_kernels<double>(r.target.isa);
  const int64_t scratch = s.threads * (s.d + kKeyBlock + 3) * s.block * info(r.in[0].dtype).block_bytes;
  return Prepared{kernel_on(r.target.isa)(r.in[0].dtype), std::make_shared<const AttentionSizes>(s), scratch};
}

const Kernel kKernels[] = {{"flash", prepare}};

}  // namespace

extern const OpDef attention_op{
    .name = "attention",
    .doc = "softmax(scale q k^T, masked) v, and the log of the sums of the exponentials",
    .min_inputs = 3,
    .max_inputs = 4,
    .attrs = kAttrs,
    .infer = infer,
    .cost = [](const OpArgs& args,
               std::span<const Type> out) { return attention_cost(args, out, kMask, 1, 1); },
    .grad = grad,
    .reference = reference,
    .kernels = kKernels,
};

}  // namespace shoestring::ops
#endif
