// What attention and its gradient share: sizes, the shape rule, which key a query sees, the reference's
// probabilities.
//
// The queries of the heads that share keys follow each other in memory, so each (batch, key head) has one
// list of `rows` queries, [group heads, m], whose row r stands at position r % m.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "ops/shared/gemm.h"
#include "ops/shared/shapes.h"

namespace shoestring::ops {

enum class AttentionMask : uint8_t { none, keys, pairs };  // [b, n], [b, m, n]

struct AttentionSizes {
  int64_t batches = 0, key_heads = 0, group = 1;  // group: query heads for one key head
  int64_t m = 0, n = 0, d = 0, e = 0;             // queries, keys, sizes of a key and of a value
  bool causal = false;
  double scale = 1;
  AttentionMask mask = AttentionMask::none;
  int threads = 1;
  int64_t key_parts = 1;  // of the gradient: threads that share one (batch, key head)
  int64_t block = 0;      // queries of a block, at most: the room for them
  BlockKernels<float> f32{};
  BlockKernels<double> f64{};

  int64_t rows() const { return group * m; }
  int64_t lists() const { return batches * key_heads; }
  // Keys [0, end) are visible to the query at `position` as far as `causal` goes: the last query sees the
  // last key.
  int64_t end_of(int64_t position) const {
    return causal ? std::clamp<int64_t>(position + 1 + n - m, 0, n) : n;
  }
};

// Keys of a block; a block of scores is so many by `kQueryBlock`.
inline constexpr int64_t kKeyBlock = 128, kQueryBlock = 64;

inline AttentionSizes attention_sizes(std::span<const Type> in, size_t mask, const Attrs& attrs) {
  const Shape &q = in[0].dims, &k = in[1].dims, &v = in[2].dims;
  AttentionSizes s{.batches = q[0], .key_heads = k[1], .m = q[2], .n = k[2], .d = q[3], .e = v[3]};
  s.group = s.key_heads ? q[1] / s.key_heads : 0;
  s.causal = attrs.flag("causal");
  s.scale = attrs.number("scale") == 0 ? 1 / std::sqrt(static_cast<double>(s.d)) : attrs.number("scale");
  if (in.size() > mask) s.mask = in[mask].dims.rank() == 2 ? AttentionMask::keys : AttentionMask::pairs;
  return s;
}

// What is wrong with q, k, v and the mask, or nothing.
inline std::string attention_mismatch(std::span<const Type> in, size_t mask) {
  const Type &q = in[0], &k = in[1], &v = in[2];
  for (const Type* t : {&q, &k, &v})
    if (t->dims.rank() != 4)
      return fmt::format("q, k and v are [batch, heads, length, size], not {}", to_string(*t));
  if (q.dtype != DType::f32 && q.dtype != DType::f64)
    return fmt::format("{} is not computed with; cast it to f32", to_string(q));
  const std::string all = fmt::format("q {}, k {}, v {}: ", to_string(q), to_string(k), to_string(v));
  if (k.dtype != q.dtype || v.dtype != q.dtype) return all + "their types differ";
  if (k.dims[0] != q.dims[0] || v.dims[0] != q.dims[0]) return all + "the batches differ";
  if (k.dims[3] != q.dims[3] || k.dims[3] == 0) return all + "q and k need one size, not 0";
  if (v.dims[1] != k.dims[1] || v.dims[2] != k.dims[2]) return all + "k and v differ in heads or length";
  if (k.dims[1] == 0 ? q.dims[1] != 0 : q.dims[1] % k.dims[1] != 0)
    return all + fmt::format("{} key heads do not divide {} heads", k.dims[1], q.dims[1]);
  if (in.size() > mask) {
    const Type keys{q.dtype, {q.dims[0], k.dims[2]}}, pairs{q.dtype, {q.dims[0], q.dims[2], k.dims[2]}};
    if (in[mask] != keys && in[mask] != pairs)
      return all + fmt::format("the mask is {} or {}, not {}", to_string(keys), to_string(pairs),
                               to_string(in[mask]));
  }
  return {};
}

// Products of q and k `keys` times, of the probabilities and v `values` times, and an exponential for each
// pair.
inline Cost attention_cost(const OpArgs& args, std::span<const Type> out, size_t mask, int keys, int values) {
  const AttentionSizes s = attention_sizes(args.in, mask, args.attrs);
  double pairs = 0;
  for (int64_t i = 0; i < s.m; ++i) pairs += static_cast<double>(s.end_of(i));
  Cost c = moving_cost(args, out);
  c.flops = static_cast<double>(s.lists() * s.group) * pairs *
            (2 * static_cast<double>(keys * s.d + values * s.e) + 20);
  return c;
}
// Multiplications of one thread that take as long as a parallel region.
inline constexpr double kAttentionWorthThreads = 200'000;

// ---- the reference ----

inline bool attends(const AttentionSizes& s, const double* mask, int64_t batch, int64_t i, int64_t j) {
  if (j >= s.end_of(i)) return false;
  switch (s.mask) {
    case AttentionMask::none:
      return true;
    case AttentionMask::keys:
      return mask[batch * s.n + j] != 0;
    case AttentionMask::pairs:
      return mask[(batch * s.m + i) * s.n + j] != 0;
  }
  return true;
}

// each(list, row, scores): row's scaled scores over the n keys of its list, -inf where it does not attend.
template <class Each>
void each_row_of_scores(const AttentionSizes& s, const double* q, const double* k, const double* mask,
                        Each&& each) {
  std::vector<double> scores(static_cast<size_t>(s.n));
  for (int64_t list = 0; list < s.lists(); ++list)
    for (int64_t r = 0; r < s.rows(); ++r) {
      const double *query = q + (list * s.rows() + r) * s.d, *keys = k + list * s.n * s.d;
      for (int64_t j = 0; j < s.n; ++j) {
        double dot = 0;
        for (int64_t c = 0; c < s.d; ++c) dot += query[c] * keys[j * s.d + c];
        scores[static_cast<size_t>(j)] = attends(s, mask, list / s.key_heads, r % s.m, j)
                                             ? dot * s.scale
                                             : -std::numeric_limits<double>::infinity();
      }
      each(list, r, scores);
    }
}

}  // namespace shoestring::ops
