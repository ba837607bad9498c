// attention_grad: the gradient of attention in q, k and v, from its outputs, never holding the matrix of
// scores:
//   q, k, v, out [b, h, m, e], log_sums [b, h, m], upstream [b, h, m, e], optional mask -> dq, dk, dv
//
// With p = e^(scale q k^T - log_sum), over each list of queries and block of keys:
//   dv = p^T upstream,   ds = scale p (upstream v^T - sum(upstream out)),   dq = ds k,   dk = ds^T q
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/attention_grad.cpp"
#include <hwy/foreach_target.h>

#include "ops/ops.h"
#include "ops/shared/attention-inl.h"
#include "ops/shared/reduce.h"
#include "ops/shared/simd-inl.h"

#ifndef SHOESTRING_OPS_ATTENTION_GRAD_ONCE
#define SHOESTRING_OPS_ATTENTION_GRAD_ONCE
namespace shoestring::ops {
// Scratch in elements: of each thread, and of the parts of dq that are summed at the end.
inline int64_t grad_scratch_per_thread(const AttentionSizes& s) {
  return (s.d + s.e + 2 * kKeyBlock + 2) * s.block;
}
inline int64_t query_elements(const AttentionSizes& s) { return s.lists() * s.rows() * s.d; }
}  // namespace shoestring::ops
#endif

HWY_BEFORE_NAMESPACE();
namespace shoestring::ops::HWY_NAMESPACE {
namespace {

template <class T>
struct Operands {
  const T *q, *k, *v, *out, *log_sums, *upstream, *mask;
  T *dq, *dk, *dv;
};

// Where a thread keeps what it works on.
template <class T>
struct Scratch {
  T *queries, *upstream;      // transposed: [d, width], [e, width]
  T *probabilities, *slopes;  // [keys, width]
  T *log_sums, *corrections;  // [width]; corrections: sum(upstream out)

  static Scratch at(const AttentionSizes& s, T* base, int thread) {
    T* queries = base + thread * grad_scratch_per_thread(s);
    T* upstream = queries + s.d * s.block;
    T* probabilities = upstream + s.e * s.block;
    T* slopes = probabilities + kKeyBlock * s.block;
    T* log_sums = slopes + kKeyBlock * s.block;
    return {queries, upstream, probabilities, slopes, log_sums, log_sums + s.block};
  }
};

template <class T>
T dot(const T* a, const T* b, int64_t n) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<int64_t>(hn::MaxLanes(d));
  auto sum = hn::Zero(d);
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) sum = hn::MulAdd(hn::LoadU(d, a + i), hn::LoadU(d, b + i), sum);
  T total = hn::GetLane(hn::SumOfLanes(d, sum));
  for (; i < n; ++i) total += a[i] * b[i];
  return total;
}

// scores -> p; slopes, which hold upstream v^T -> ds.
template <class T>
void probabilities_and_slopes(const AttentionSizes& s, const Scratch<T>& w, int64_t keys, int64_t width) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<int64_t>(hn::MaxLanes(d));
  const auto nothing = hn::Set(d, -std::numeric_limits<T>::infinity());
  const auto scale = hn::Set(d, static_cast<T>(s.scale));
  for (int64_t l = 0; l < width; l += lanes) {
    auto log_sum = hn::LoadU(d, w.log_sums + l);
    log_sum = hn::IfThenZeroElse(hn::Eq(log_sum, nothing), log_sum);
    const auto correction = hn::LoadU(d, w.corrections + l);
    for (int64_t j = 0; j < keys; ++j) {
      T *p = w.probabilities + j * width + l, *slope = w.slopes + j * width + l;
      const auto e = exp_below(d, hn::Sub(hn::LoadU(d, p), log_sum));
      hn::StoreU(e, d, p);
      hn::StoreU(hn::Mul(hn::Mul(e, scale), hn::Sub(hn::LoadU(d, slope), correction)), d, slope);
    }
  }
}

// What one block of queries and one of keys add to dq (of this list), dk and dv.
template <class T>
void add_block(const AttentionSizes& s, const QueryBlock& block, int64_t key, int64_t keys,
               const Operands<T>& o, T* dq, const Scratch<T>& w) {
  const BlockKernels<T>& blocks = blocks_of<T>(s);
  const int64_t first = block.list * s.rows() + block.row, first_key = block.list * s.n + key;
  load_queries(s, block, o.q, w.queries);
  if (!score_block(s, block, key, keys, o.k, o.mask, w.queries, w.probabilities)) return;
  const T* upstream = o.upstream + first * s.e;
  blocks.transpose(upstream, s.e, s.e, block.count, block.width, w.upstream);
  for (int64_t l = 0; l < block.width; ++l) {
    const int64_t r = std::min(l, block.count - 1);
    w.log_sums[l] = o.log_sums[first + r];
    w.corrections[l] = dot(upstream + r * s.e, o.out + (first + r) * s.e, s.e);
  }
  // rows[.., columns] += a b, or without what was there
  const auto product = [&](int64_t rows, int64_t columns, int64_t k, const T* a, int64_t a_row, int64_t a_col,
                           const T* b, int64_t b_row, T* c, int64_t c_row, bool accumulate) {
    blocks.product({rows, columns, k, a, a_row, a_col, b, b_row, c, c_row, accumulate});
  };
  const int64_t width = block.width;
  product(keys, width, s.e, o.v + first_key * s.e, s.e, 1, w.upstream, width, w.slopes, width, false);
  probabilities_and_slopes(s, w, keys, width);
  product(keys, s.e, block.count, w.probabilities, width, 1, upstream, s.e, o.dv + first_key * s.e, s.e,
          true);
  product(keys, s.d, block.count, w.slopes, width, 1, o.q + first * s.d, s.d, o.dk + first_key * s.d, s.d,
          true);
  product(block.count, s.d, keys, w.slopes, 1, width, o.k + first_key * s.d, s.d, dq + block.row * s.d, s.d,
          true);
}

// All that keys [begin, end) of a list have to do with.
template <class T>
void add_keys(const AttentionSizes& s, int64_t list, Share part, const Operands<T>& o, T* dq,
              const Scratch<T>& w) {
  std::fill_n(dq, s.rows() * s.d, T{0});
  std::fill_n(o.dk + (list * s.n + part.begin) * s.d, (part.end - part.begin) * s.d, T{0});
  std::fill_n(o.dv + (list * s.n + part.begin) * s.e, (part.end - part.begin) * s.e, T{0});
  for (int64_t key = part.begin; key < part.end; key += kKeyBlock)
    for (int64_t row = 0; row < s.rows(); row += kQueryBlock) {
      const auto block = QueryBlock::at<T>(s, list, row);
      const int64_t keys = std::min({kKeyBlock, part.end - key, block.ends(s).any - key});
      if (keys > 0) add_block(s, block, key, keys, o, dq, w);
    }
}

template <class T>
void run(const void* data, const KernelArgs& args) noexcept {
  const auto& s = *static_cast<const AttentionSizes*>(data);
  const int masked = s.mask == AttentionMask::none ? 0 : 1;
  const Operands<T> o{args.at<const T>(0),
                      args.at<const T>(1),
                      args.at<const T>(2),
                      args.at<const T>(3),
                      args.at<const T>(4),
                      args.at<const T>(5),
                      masked ? args.at<const T>(6) : nullptr,
                      args.at<T>(6 + masked),
                      args.at<T>(7 + masked),
                      args.at<T>(8 + masked)};
  T *scratch = args.at<T>(9 + masked), *parts = scratch + s.threads * grad_scratch_per_thread(s);
  const int64_t list_elements = s.rows() * s.d, jobs = s.lists() * s.key_parts;
  const auto part = [&](int thread, int threads) {
    const auto w = Scratch<T>::at(s, scratch, thread);
    for (int64_t job = thread; job < jobs; job += threads) {
      const int64_t list = job / s.key_parts, p = job % s.key_parts;
      T* dq = s.key_parts == 1 ? o.dq : parts + p * query_elements(s);
      add_keys(s, list, share_of(s.n, static_cast<int>(p), static_cast<int>(s.key_parts), kKeyBlock), o,
               dq + list * list_elements, w);
    }
  };
  if (s.threads == 1) return part(0, 1);
  parallel([&](int thread, int team) {
    team = std::min(team, s.threads);  // scratch is for so many
    if (thread < team) part(thread, team);
  });
  if (s.key_parts == 1) return;
  split(query_elements(s), 16, s.threads, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      T sum = 0;
      for (int64_t p = 0; p < s.key_parts; ++p) sum += parts[p * query_elements(s) + i];
      o.dq[i] = sum;
    }
  });
}

KernelFn kernel(DType dtype) { return dtype == DType::f32 ? run<float> : run<double>; }

}  // namespace
}  // namespace shoestring::ops::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace shoestring::ops {
namespace {

SHOESTRING_EXPORT(kernel);

constexpr size_t kMask = 6;  // which input
const AttrDef kAttrs[] = {{"causal", false}, {"scale", 0.0}};

Result<Types> infer(const OpArgs& args) {
  const auto in = args.in;
  const std::string problem = attention_mismatch(in, kMask);
  if (!problem.empty()) return wrong("attention_grad: " + problem);
  const Shape& q = in[0].dims;
  const Type out{in[0].dtype, q.with(3, in[2].dims[3])}, log_sums{in[0].dtype, {q[0], q[1], q[2]}};
  if (in[3] != out || in[4] != log_sums || in[5] != out)
    return wrong(fmt::format(
        "attention_grad: out, log_sums and upstream are {}, {} and {}, not {}, {} and {}", to_string(out),
        to_string(log_sums), to_string(out), to_string(in[3]), to_string(in[4]), to_string(in[5])));
  return Types{in[0], in[1], in[2]};
}

void reference(const ReferenceArgs& a) {
  const AttentionSizes s = attention_sizes(a.in_types, kMask, a.attrs);
  const double *q = a.in[0], *k = a.in[1], *v = a.in[2], *mask = a.in.size() > kMask ? a.in[kMask] : nullptr;
  for (size_t i = 0; i < 3; ++i) std::fill_n(a.out[i], a.out_types[i].elements(), 0.0);
  each_row_of_scores(s, q, k, mask, [&](int64_t list, int64_t r, const std::vector<double>& x) {
    const int64_t at = list * s.rows() + r;
    const double *out = a.in[3] + at * s.e, *upstream = a.in[5] + at * s.e;
    double correction = 0;
    for (int64_t c = 0; c < s.e; ++c) correction += upstream[c] * out[c];
    for (int64_t j = 0; j < s.n; ++j) {
      const double score = x[static_cast<size_t>(j)];
      if (std::isinf(score)) continue;
      const double p = std::exp(score - a.in[4][at]);
      const int64_t key = list * s.n + j;
      double slope = -correction;
      for (int64_t c = 0; c < s.e; ++c) {
        slope += upstream[c] * v[key * s.e + c];
        a.out[2][key * s.e + c] += p * upstream[c];
      }
      for (int64_t c = 0; c < s.d; ++c) {
        a.out[0][at * s.d + c] += s.scale * p * slope * k[key * s.d + c];
        a.out[1][key * s.d + c] += s.scale * p * slope * q[at * s.d + c];
      }
    }
  });
}

PrepareResult prepare(const KernelRequest& r) {
  auto s = attention_sizes(r.in, kMask, r.attrs);
  const double products = static_cast<double>(s.lists() * s.rows()) * static_cast<double>(s.n * (s.d + s.e));
  s.threads = 2 * products < kAttentionWorthThreads ? 1 : r.target.threads;
  s.block = (std::clamp<int64_t>(s.rows(), 1, kQueryBlock) + 15) / 16 * 16;
  // Lists are for one thread each, so that nothing is summed by two; fewer lists than threads share their
  // keys.
  if (s.lists() > 0 && s.lists() < s.threads)
    s.key_parts =
        std::clamp<int64_t>((s.n + kKeyBlock - 1) / kKeyBlock, 1, (s.threads + s.lists() - 1) / s.lists());
  s.f32 = block_kernels<float>(r.target.isa);
  s.f64 = block_kernels<double>(r.target.isa);
  const int64_t elements =
      s.threads * grad_scratch_per_thread(s) + (s.key_parts > 1 ? s.key_parts * query_elements(s) : 0);
  return Prepared{kernel_on(r.target.isa)(r.in[0].dtype), std::make_shared<const AttentionSizes>(s),
                  elements * info(r.in[0].dtype).block_bytes};
}

const Kernel kKernels[] = {{"flash", prepare}};

}  // namespace

extern const OpDef attention_grad_op{
    .name = "attention_grad",
    .doc = "the gradients of attention in q, k and v",
    .min_inputs = 6,
    .max_inputs = 7,
    .attrs = kAttrs,
    .infer = infer,
    .cost = [](const OpArgs& args,
               std::span<const Type> out) { return attention_cost(args, out, kMask, 3, 2); },
    .no_grad = "it is itself a gradient",
    .reference = reference,
    .kernels = kKernels,
};

}  // namespace shoestring::ops
#endif
