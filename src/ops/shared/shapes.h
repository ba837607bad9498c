// What operators that move or reduce along axes share: axis arithmetic, and copying blocks of bytes.
#pragma once

#include <cstring>
#include <numeric>
#include <optional>
#include <type_traits>
#include <vector>

#include "base/parallel.h"
#include "ir/graph.h"

namespace shoestring::ops {

// An axis counted from the front; negative ones count from the back. Nothing if there is none.
inline std::optional<int> axis_in(int64_t axis, int rank) {
  if (axis < 0) axis += rank;
  if (axis < 0 || axis >= rank) return std::nullopt;
  return static_cast<int>(axis);
}

// A tensor seen from one axis: [outer, size, inner], row-major.
struct AxisView {
  int64_t outer = 1, size = 1, inner = 1;
};
inline AxisView view_of(const Shape& dims, int axis) {
  AxisView v{.size = dims[axis]};
  for (int i = 0; i < axis; ++i) v.outer *= dims[i];
  for (int i = axis + 1; i < dims.rank(); ++i) v.inner *= dims[i];
  return v;
}

inline Failure wrong(std::string what) { return fail(ErrorKind::usage, std::move(what)); }

// What moving data costs: each byte once in and once out.
inline Cost moving_cost(const OpArgs& args, std::span<const Type> out) {
  Cost cost;
  for (const Type& t : args.in) cost.bytes += static_cast<double>(t.bytes());
  for (const Type& t : out) cost.bytes += static_cast<double>(t.bytes());
  return cost;
}

// Calls part(begin, end) for shares of [0, count): on this thread if `threads` is 1, else on the team.
// `threads` is what the plan was made for, at most the team; a kernel asks for one where its work is small.
template <class F>
void split(int64_t count, int64_t grain, int threads, F&& part) {
  if (threads <= 1) return part(int64_t{0}, count);
  parallel([&](int thread, int team) {
    const Share s = share_of(count, thread, team, grain);
    if (s.begin < s.end) part(s.begin, s.end);
  });
}

// From how many bytes on moving them is worth a parallel region.
inline constexpr int64_t kBytesWorthThreads = int64_t{1} << 20;

// `rows` blocks of `bytes`, from one stride to another (in bytes). Blocks of a word or two, as columns that
// are put side by side have, are not worth a call each.
inline void copy_rows(const void* from, int64_t from_stride, void* to, int64_t to_stride, int64_t rows,
                      int64_t bytes, int threads) {
  split(rows, 1, rows * bytes < kBytesWorthThreads ? 1 : threads, [&](int64_t begin, int64_t end) {
    const char* source = static_cast<const char*>(from) + begin * from_stride;
    char* target = static_cast<char*>(to) + begin * to_stride;
    const auto each = [&](auto size) {
      for (int64_t r = begin; r < end; ++r, source += from_stride, target += to_stride)
        std::memcpy(target, source, static_cast<size_t>(size));
    };
    switch (bytes) {
      case 4:
        return each(std::integral_constant<int64_t, 4>());
      case 8:
        return each(std::integral_constant<int64_t, 8>());
      default:
        return each(bytes);
    }
  });
}

// Row-major strides in elements.
inline std::vector<int64_t> strides_of(const Shape& dims) {
  std::vector<int64_t> s(static_cast<size_t>(dims.rank()), 1);
  for (int i = dims.rank() - 2; i >= 0; --i)
    s[static_cast<size_t>(i)] = s[static_cast<size_t>(i) + 1] * dims[i + 1];
  return s;
}

}  // namespace shoestring::ops
