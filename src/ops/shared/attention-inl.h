// Blocks of scores for attention and its gradient, once per instruction set: transposed, a key in each row
// and a query in each lane, so that sums and maxima over keys need no shuffles.
#if defined(SHOESTRING_OPS_ATTENTION_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SHOESTRING_OPS_ATTENTION_INL_H_
#undef SHOESTRING_OPS_ATTENTION_INL_H_
#else
#define SHOESTRING_OPS_ATTENTION_INL_H_
#endif

#include <hwy/highway.h>

#include "ops/shared/attention.h"
#include "ops/shared/math-inl.h"
#include "ops/shared/softmax-inl.h"

HWY_BEFORE_NAMESPACE();
namespace shoestring::ops::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class T>
const BlockKernels<T>& blocks_of(const AttentionSizes& s) {
  if constexpr (sizeof(T) == 4)
    return s.f32;
  else
    return s.f64;
}

// e^x for x <= 0, exactly 0 for -inf; NaN stays.
template <class D>
HWY_INLINE hn::Vec<D> exp_below(D d, hn::Vec<D> x) {
  if constexpr (sizeof(hn::TFromD<D>) == 4)
    return exp_of(d, x);
  else
    return safe_exp(d, x);
}

// Queries [row, row + count) of a list.
struct QueryBlock {
  int64_t list, row, count, width;  // width: count in whole vectors

  template <class T>
  static QueryBlock at(const AttentionSizes& s, int64_t list, int64_t row) {
    const auto lanes = static_cast<int64_t>(hn::MaxLanes(hn::ScalableTag<T>()));
    const int64_t count = std::min(kQueryBlock, s.rows() - row);
    return {list, row, count, (count + lanes - 1) / lanes * lanes};
  }
  // The keys that any of them sees and those that all see: [0, any), [0, all).
  struct Ends {
    int64_t any, all;
  };
  Ends ends(const AttentionSizes& s) const {
    if (!s.causal) return {s.n, s.n};
    const int64_t first = row % s.m, last = (row + count - 1) % s.m;
    if (row / s.m != (row + count - 1) / s.m) return {s.end_of(s.m - 1), s.end_of(0)};  // of several heads
    return {s.end_of(last), s.end_of(first)};
  }
};

// scores[key, width] of `keys` keys from `key` on, from the transposed queries; -inf where they do not
// attend. Whether any does.
template <class T>
bool score_block(const AttentionSizes& s, const QueryBlock& block, int64_t key, int64_t keys, const T* k,
                 const T* mask, const T* queries, T* scores) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<int64_t>(hn::MaxLanes(d));
  const auto lowest = hn::Set(d, -std::numeric_limits<T>::infinity());
  const int64_t batch = block.list / s.key_heads;
  const T* padding = s.mask == AttentionMask::keys ? mask + batch * s.n + key : nullptr;
  if (padding && std::all_of(padding, padding + keys, [](T x) { return x == 0; })) return false;

  blocks_of<T>(s).product({.rows = keys,
                           .columns = block.width,
                           .k = s.d,
                           .a = k + (block.list * s.n + key) * s.d,
                           .a_row = s.d,
                           .a_col = 1,
                           .b = queries,
                           .b_row = block.width,
                           .c = scores,
                           .c_row = block.width,
                           .accumulate = false});
  if (padding)
    for (int64_t j = 0; j < keys; ++j)
      if (padding[j] == 0)
        for (int64_t l = 0; l < block.width; l += lanes) hn::StoreU(lowest, d, scores + j * block.width + l);
  if (key + keys > block.ends(s).all)
    for (int64_t l = 0; l < block.count; ++l)
      for (int64_t j = std::max<int64_t>(s.end_of((block.row + l) % s.m) - key, 0); j < keys; ++j)
        scores[j * block.width + l] = -std::numeric_limits<T>::infinity();
  if (s.mask == AttentionMask::pairs)
    for (int64_t l = 0; l < block.count; ++l) {
      const T* row = mask + (batch * s.m + (block.row + l) % s.m) * s.n + key;
      int64_t j = 0;
      for (; j + lanes <= keys; j += lanes) {
        if (hn::AllFalse(d, hn::Eq(hn::LoadU(d, row + j), hn::Zero(d)))) continue;
        for (int64_t i = j; i < j + lanes; ++i)
          if (row[i] == 0) scores[i * block.width + l] = -std::numeric_limits<T>::infinity();
      }
      for (; j < keys; ++j)
        if (row[j] == 0) scores[j * block.width + l] = -std::numeric_limits<T>::infinity();
    }
  return true;
}

// The transposed queries [d, width], scaled.
template <class T>
void load_queries(const AttentionSizes& s, const QueryBlock& block, const T* q, T* to) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<int64_t>(hn::MaxLanes(d));
  blocks_of<T>(s).transpose(q + (block.list * s.rows() + block.row) * s.d, s.d, s.d, block.count, block.width,
                            to);
  const auto scale = hn::Set(d, static_cast<T>(s.scale));
  for (int64_t i = 0; i < s.d * block.width; i += lanes)
    hn::StoreU(hn::Mul(hn::LoadU(d, to + i), scale), d, to + i);
}

}  // namespace shoestring::ops::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
