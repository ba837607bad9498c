// What cross_entropy and its gradient share: operands, types and the formula.
//
// Of a row with logits x [c], class y, weights w [c] (1 without weights) and s = label_smoothing, as PyTorch:
//   loss = (1 - s) w_y (lse - x_y) + s / c sum_j w_j (lse - x_j),   lse = log sum_j e^x_j
//   d loss / d x_j = softmax_j ((1 - s) w_y + s / c sum_i w_i) - (1 - s) w_y [j = y] - s / c w_j
// A negative class marks a row that counts nothing: loss and gradient are 0.
#pragma once

#include <cmath>

#include "ops/shared/shapes.h"

namespace shoestring::ops {

struct CrossEntropy {
  int64_t rows = 0, c = 0;
  double smoothing = 0;
  bool weighted = false;
};

inline CrossEntropy cross_entropy_of(std::span<const Type> in, const Attrs& attrs, size_t weights_at) {
  return {in[0].dims[0], in[0].dims[1], attrs.number("label_smoothing"), in.size() > weights_at};
}

// The operands' types; nothing if they are right, else what is wrong.
inline std::string cross_entropy_mismatch(const Type& logits, const Type& classes, const Type* weights) {
  if (logits.dims.rank() != 2 || logits.dims[1] == 0)
    return fmt::format("logits must be [b,c], not {}", to_string(logits));
  if (logits.dtype != DType::f32 && logits.dtype != DType::f64)
    return fmt::format("{} is not computed with; cast it to f32", to_string(logits));
  if (classes != Type{DType::i32, {logits.dims[0]}})
    return fmt::format("logits {} need classes i32[{}], not {}", to_string(logits), logits.dims[0],
                       to_string(classes));
  if (weights && *weights != Type{logits.dtype, {logits.dims[1]}})
    return fmt::format("logits {} need weights [{}], not {}", to_string(logits), logits.dims[1],
                       to_string(*weights));
  return {};
}

// sum_j e^(x_j - max). Losses are (max - x_j) + log of it: max + log of it would round away small losses
// of large logits.
template <class T>
T sum_exp(const T* x, int64_t c, T& max) {
  max = x[0];
  for (int64_t j = 1; j < c; ++j) max = std::max(max, x[j]);
  T sum = 0;
  for (int64_t j = 0; j < c; ++j) sum += std::exp(x[j] - max);
  return sum;
}

}  // namespace shoestring::ops
