// What layer_norm, batch_norm and their gradients share besides vectors: sizes, shape rules, shares of work.
#pragma once

#include <algorithm>
#include <string_view>

#include "ops/shared/shapes.h"

namespace shoestring::ops {

struct NormSizes {
  int64_t rows = 0, n = 0;
  double epsilon = 0, momentum = 0;
  int threads = 1;
};

// x [.., n] as [rows, n].
inline NormSizes norm_sizes(const Type& x, const Attrs& attrs) {
  const int64_t n = x.dims.back();
  return {.rows = n ? x.elements() / n : 0, .n = n, .epsilon = attrs.number("epsilon")};
}

// Operands from `first` on are one number for each column of operand 0.
inline Status one_for_each_column(std::string_view op, std::span<const Type> in,
                                  std::initializer_list<std::string_view> names, size_t first) {
  const Type column{in[0].dtype, {in[0].dims.back()}};
  for (std::string_view name : names) {
    if (in[first] != column)
      return wrong(fmt::format("{}: {} needs {} {}, not {}", op, to_string(in[0]), name, to_string(column),
                               to_string(in[first])));
    ++first;
  }
  return {};
}

inline Cost norm_cost(const OpArgs& args, std::span<const Type> out, double flops_per_element) {
  Cost cost = moving_cost(args, out);
  cost.flops = flops_per_element * static_cast<double>(args.in[0].elements());
  return cost;
}

// From how many elements on a parallel region pays: about ten microseconds of work.
inline constexpr int64_t kWorthThreads = 1 << 15;

// What each thread keeps of each column (ops/shared/columns-inl.h): four sums over its part of the rows, and
// four numbers that are made of all sums.
inline constexpr int64_t kColumnSums = 4, kColumnFields = 8;
inline int64_t column_scratch(const NormSizes& s, DType dtype) {
  return kColumnFields * s.threads * std::max<int64_t>(s.n, 1) * info(dtype).block_bytes;  // never none
}

}  // namespace shoestring::ops
