// The entries of a row in order, for sort and top_k: by unsigned keys that sort as the numbers do, ties by
// their place, so the order is stable and no allocation is needed. NaN is larger than any number, as in
// PyTorch; -0 equals 0.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <type_traits>

#include "ops/rows.h"
#include "ops/shared/last_axis.h"

namespace shoestring::ops {

template <class T>
struct OrderedEntry {
  using Key = std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>;
  Key key;
  int32_t index;
  bool operator<(const OrderedEntry& other) const {
    return key != other.key ? key < other.key : index < other.index;
  }
};

template <class T>
typename OrderedEntry<T>::Key order_key(T x, bool descending) {
  using Key = typename OrderedEntry<T>::Key;
  constexpr Key kSign = Key{1} << (8 * sizeof(Key) - 1);
  Key key = std::numeric_limits<Key>::max();
  if (!std::isnan(x)) {
    const Key bits = std::bit_cast<Key>(x == 0 ? T{0} : x);
    key = bits & kSign ? ~bits : bits | kSign;
  }
  return descending ? ~key : key;
}

struct OrderSizes {
  LastAxis axis;  // wide: of the row; narrow: how many of its first are wanted
  bool descending = false;
};

// An entry's bytes of scratch for each thread's row.
template <class T>
int64_t order_scratch(const OrderSizes& s) {
  return s.axis.threads * s.axis.wide * static_cast<int64_t>(sizeof(OrderedEntry<T>));
}

template <class T, class I>
void order_rows(const OrderSizes& s, const T* x, OrderedEntry<T>* scratch, T* values, I* indices) {
  const auto [rows, wide, narrow, threads] = s.axis;
  const auto part = [&](int thread, int64_t begin, int64_t end) {
    OrderedEntry<T>*const first = scratch + thread * wide, *const last = first + wide;
    for (int64_t r = begin; r < end; ++r) {
      const T* row = x + r * wide;
      for (int64_t j = 0; j < wide; ++j)
        first[j] = {order_key(row[j], s.descending), static_cast<int32_t>(j)};
      if (narrow < wide) std::nth_element(first, first + narrow, last);
      std::sort(first, first + narrow);
      for (int64_t j = 0; j < narrow; ++j) {
        values[r * narrow + j] = row[first[j].index];
        indices[r * narrow + j] = static_cast<I>(first[j].index);
      }
    }
  };
  if (threads == 1) return part(0, 0, rows);
  parallel([&](int thread, int team) {
    team = std::min(team, threads);  // scratch is for so many
    if (thread >= team) return;
    const Share mine = share_of(rows, thread, team, 1);
    part(thread, mine.begin, mine.end);
  });
}

inline Result<Types> ordered_types(std::string_view op, const Type& x, int64_t k) {
  if (x.dims.rank() == 0) return wrong(fmt::format("{}: {} has no axis", op, to_string(x)));
  if (x.dtype != DType::f32 && x.dtype != DType::f64)
    return wrong(fmt::format("{}: {} is not computed with; cast it to f32", op, to_string(x)));
  if (x.dims.back() > std::numeric_limits<int32_t>::max())
    return wrong(fmt::format("{}: {} has more entries than an i32 can number", op, to_string(x)));
  const Shape dims = x.dims.with(x.dims.rank() - 1, k);
  return Types{{x.dtype, dims}, {DType::i32, dims}};
}

// To the entries that the values are.
inline void order_grad(Backward& b) {
  if (b.upstream().valid()) b.add(0, put_along(b.upstream(), b.output(1), b.input(0).dims().back()));
}

inline void order_reference(const ReferenceArgs& a, bool descending) {
  const OrderSizes s{last_axis(a.in_types[0], a.out_types[0], 1), descending};
  std::vector<OrderedEntry<double>> scratch(static_cast<size_t>(s.axis.wide));
  order_rows(s, a.in[0], scratch.data(), a.out[0], a.out[1]);
}

template <class T>
void run_order(const void* data, const KernelArgs& args) noexcept {
  const auto& s = *static_cast<const OrderSizes*>(data);
  if (s.axis.wide == 0) return;  // then there is no scratch either
  order_rows(s, args.at<const T>(0), args.at<OrderedEntry<T>>(3), args.at<T>(1), args.at<int32_t>(2));
}
inline PrepareResult prepare_order(const KernelRequest& r, bool descending) {
  OrderSizes s{last_axis(r.in[0], r.out[0], r.target.threads), descending};
  s.axis.threads = r.in[0].elements() >= 1 << 13 ? r.target.threads : 1;
  const bool single = r.in[0].dtype == DType::f32;
  return Prepared{single ? run_order<float> : run_order<double>, std::make_shared<const OrderSizes>(s),
                  single ? order_scratch<float>(s) : order_scratch<double>(s)};
}

inline Cost order_cost(const OpArgs& args, std::span<const Type> out) {
  const auto n = static_cast<double>(args.in[0].elements());
  return {.flops = n * (1 + std::log2(1 + static_cast<double>(args.in[0].dims.back()))),
          .bytes = moving_cost(args, out).bytes};
}

}  // namespace shoestring::ops
