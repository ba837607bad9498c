// What pools and their gradients share: windows over pictures [b,h,w,c] -> [b,p,q,c], each axis a list of
// them. Attributes: kernel [2], strides [2], padding [4] (top, left, bottom, right), dilations [2]; or
// adaptive [2]: p and q, for which the i-th window of p is from floor(i h / p) to ceil((i + 1) h / p).
#pragma once

#include <algorithm>
#include <vector>

#include "ops/conv.h"
#include "ops/shared/shapes.h"

namespace shoestring::ops {

// Of one result along one axis: `count` taps lie in the pictures, the first at `first`; in front of them lie
// `before` that do not, and there are `taps` in all.
struct Window {
  int64_t first = 0, count = 0, before = 0, taps = 0;
};

struct PoolAxis {
  int64_t in = 0, dilation = 1, most_taps = 0;
  std::vector<Window> windows;
  bool apart = false;            // no two share a place
  std::vector<int64_t> outside;  // where they are apart: the places that are in none

  int64_t out() const { return static_cast<int64_t>(windows.size()); }
};

struct PoolSizes {
  int64_t batch = 0, channels = 0;
  PoolAxis down, right;
  bool count_padding = false;
  int threads = 1;

  int64_t taps() const { return down.most_taps * right.most_taps; }
  int64_t x_at(int64_t b, int64_t row, int64_t column) const {
    return ((b * down.in + row) * right.in + column) * channels;
  }
  int64_t y_at(int64_t b, int64_t row, int64_t column) const {
    return ((b * down.out() + row) * right.out() + column) * channels;
  }
  // What the sum over a window is divided by.
  double divisor(const Window& rows, const Window& columns) const {
    const int64_t counted = count_padding ? rows.taps * columns.taps : rows.count * columns.count;
    return static_cast<double>(std::max<int64_t>(counted, 1));
  }
};

// What is wrong comes in words; `x` are the pictures' axes.
tl::expected<PoolSizes, std::string> pool_sizes(const Shape& x, const Attrs& attrs);
// The pictures' axes of a gradient [b,p,q,c], by the attribute `size`.
tl::expected<Shape, std::string> pooled_pictures(const Shape& y, const Attrs& attrs);

// f(b, p, q, rows, columns) for each window; windows of one row of results are of one thread.
template <class F>
void for_windows(const PoolSizes& s, F&& f) {
  split(s.batch * s.down.out(), 1, s.threads, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const int64_t b = row / s.down.out(), p = row % s.down.out();
      for (int64_t q = 0; q < s.right.out(); ++q)
        f(b, p, q, s.down.windows[static_cast<size_t>(p)], s.right.windows[static_cast<size_t>(q)]);
    }
  });
}

// f(at, number) for each tap of a window in the pictures: where the first channel lies, and which tap it is.
template <class F>
void for_taps(const PoolSizes& s, int64_t b, const Window& rows, const Window& columns, F&& f) {
  const auto tap = [&](int64_t i, int64_t j) {
    f(s.x_at(b, rows.first + i * s.down.dilation, columns.first + j * s.right.dilation),
      (rows.before + i) * s.right.most_taps + columns.before + j);
  };
  if (rows.count == 2 && columns.count == 2) {  // the usual window, whose loops would cost more than its taps
    for (const int64_t i : {0, 1})
      for (const int64_t j : {0, 1}) tap(i, j);
    return;
  }
  for (int64_t i = 0; i < rows.count; ++i)
    for (int64_t j = 0; j < columns.count; ++j) tap(i, j);
}

// Back to pictures, which are cleared where no window writes first: f(b, begin, end, accumulates) for shares
// of pictures and their channels [begin, end), each on one thread.
template <class T, class F>
void for_pictures(const PoolSizes& s, T* dx, F&& f) {
  const bool apart = s.down.apart && s.right.apart;
  constexpr int64_t kChannels = 16;  // a cache line of f32
  const int64_t parts = s.batch >= 2 * s.threads ? 1 : (s.channels + kChannels - 1) / kChannels;
  split(s.batch * parts, 1, s.threads, [&](int64_t from, int64_t to) {
    for (int64_t unit = from; unit < to; ++unit) {
      const int64_t b = unit / parts, begin = parts == 1 ? 0 : unit % parts * kChannels,
                    end = parts == 1 ? s.channels : std::min(s.channels, begin + kChannels);
      const auto clear = [&](int64_t row, int64_t column) {
        std::fill_n(dx + s.x_at(b, row, column) + begin, end - begin, T{0});
      };
      for (int64_t row = 0; row < s.down.in; ++row) {
        if (!apart || std::ranges::binary_search(s.down.outside, row))
          for (int64_t column = 0; column < s.right.in; ++column) clear(row, column);
        else
          for (const int64_t column : s.right.outside) clear(row, column);
      }
      f(b, begin, end, !apart);
    }
  });
}

// Elements from which the team is worth waking.
inline int pool_threads(const Type& x, int threads) { return x.elements() >= 1 << 15 ? threads : 1; }

}  // namespace shoestring::ops
