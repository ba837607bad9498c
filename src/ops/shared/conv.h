// What conv2d and its two gradients share. All three relate pictures x [b,h,w,c], filters
// [kh,kw,c/groups,n] and results y [b,p,q,n], each made from the other two:
//   y[b,p,q,n] = sum over i,j,c of x[b, p stride + i dilation - top, q stride + j dilation - left, c]
//   f[i,j,c,n]
// where what lies outside of x is 0, and with groups the n-th filter sees its group's channels alone.
// Attributes: strides [2] (down, right), padding [4] (top, left, bottom, right), dilations [2], groups.
#pragma once

#include <algorithm>

#include "ir/op.h"
#include "ops/conv.h"
#include "ops/shared/product.h"
#include "ops/shared/shapes.h"

namespace shoestring::ops {

// One axis of the pictures.
struct ConvAxis {
  int64_t in = 0, out = 0, kernel = 0, stride = 1, dilation = 1, before = 0, after = 0;

  int64_t reach() const { return (kernel - 1) * dilation + 1; }
  int64_t wanted_out() const { return (in + before + after - reach()) / stride + 1; }
  // Where tap k of result `at` lies in the pictures; may be outside.
  int64_t place(int64_t at, int64_t k) const { return at * stride + k * dilation - before; }
  // The results whose tap k lies in the pictures: [begin, end).
  Share inside(int64_t k) const {
    const int64_t shift = before - k * dilation;  // at stride >= shift, at stride < shift + in
    const auto up = [&](int64_t x) { return x <= 0 ? 0 : (x + stride - 1) / stride; };
    const int64_t begin = std::min(up(shift), out);
    return {begin, std::max(begin, std::min(out, up(shift + in)))};
  }
};

struct ConvSizes {
  int64_t batch = 0, in = 0, out = 0, groups = 1;  // pictures, and channels of x and of y
  ConvAxis down, right;
  bool bias = false, scale = false;  // numbers for each result channel; a scale comes with a bias
  Activation activation = Activation::none;
  int threads = 1;

  int64_t in_of_group() const { return in / groups; }
  int64_t out_of_group() const { return out / groups; }
  int64_t taps() const { return down.kernel * right.kernel; }
  int64_t x_at(int64_t b, int64_t row, int64_t column) const {
    return ((b * down.in + row) * right.in + column) * in;
  }
  int64_t y_at(int64_t b, int64_t row, int64_t column) const {
    return ((b * down.out + row) * right.out + column) * out;
  }
  int64_t filter_at(int64_t i, int64_t j) const { return (i * right.kernel + j) * in_of_group() * out; }
  double flops() const {
    return 2.0 * static_cast<double>(batch * down.out * right.out) *
           static_cast<double>(taps() * in_of_group()) * static_cast<double>(out);
  }
};

// The sizes of pictures and filters; what is wrong with the attributes or with how they fit, in words.
tl::expected<ConvSizes, std::string> conv_sizes(const Shape& x, const Shape& filters, const Attrs& attrs);
// The same where all is known to fit.
ConvSizes known_conv_sizes(const Shape& x, const Shape& filters, const Shape& y, const Attrs& attrs);
// Attributes as a builder has them.
ConvOptions conv_options(const Attrs& attrs);

// How the filters lie, and why a kernel refuses others than row-major ones.
inline Layout filters_layout(const Attrs& attrs) { return Layout(attrs.list("layout")); }
inline constexpr std::string_view kRowMajorOnly = "row-major filters only";

// Threads that are worth waking for it.
inline int threads_of(const ConvSizes& s, const Target& target) {
  constexpr double kWorthThreads = 1 << 20;
  return s.flops() >= kWorthThreads ? target.threads : 1;
}

inline Cost conv_cost(const OpArgs& args, std::span<const Type> out, const ConvSizes& sizes) {
  Cost c = moving_cost(args, out);
  c.flops = sizes.flops();
  return c;
}

// ---- the obvious loops, for references and as the kernels that take everything; T sums ----
// The work is cut where no two threads write the same.

// activation(y scale + bias), without them where they are null
template <class T, class In, class Out>
void plain_conv(const ConvSizes& s, const In* x, const In* filters, const T* bias, const T* scale, Out* y) {
  split(s.batch * s.down.out, 1, s.threads, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const int64_t b = row / s.down.out, p = row % s.down.out;
      for (int64_t q = 0; q < s.right.out; ++q)
        for (int64_t n = 0; n < s.out; ++n) {
          T sum = 0;
          const int64_t first = n / s.out_of_group() * s.in_of_group();
          for (int64_t i = 0; i < s.down.kernel; ++i) {
            const int64_t r = s.down.place(p, i);
            if (r < 0 || r >= s.down.in) continue;
            for (int64_t j = 0; j < s.right.kernel; ++j) {
              const int64_t k = s.right.place(q, j);
              if (k < 0 || k >= s.right.in) continue;
              const In *from = x + s.x_at(b, r, k) + first, *by = filters + s.filter_at(i, j) + n;
              for (int64_t c = 0; c < s.in_of_group(); ++c)
                sum += static_cast<T>(from[c]) * static_cast<T>(by[c * s.out]);
            }
          }
          if (scale) sum *= scale[n];
          if (bias) sum += bias[n];
          y[s.y_at(b, p, q) + n] = static_cast<Out>(activated(sum, s.activation));
        }
    }
  });
}

// x from y: each place of x sums what its results send back.
template <class T, class In, class Out>
void plain_conv_transpose(const ConvSizes& s, const In* y, const In* filters, Out* x) {
  split(s.batch * s.down.in, 1, s.threads, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const int64_t b = row / s.down.in, r = row % s.down.in;
      for (int64_t k = 0; k < s.right.in; ++k)
        for (int64_t c = 0; c < s.in; ++c) {
          T sum = 0;
          const int64_t first = c / s.in_of_group() * s.out_of_group();
          for (int64_t i = 0; i < s.down.kernel; ++i) {
            const int64_t down = r + s.down.before - i * s.down.dilation;
            if (down < 0 || down % s.down.stride != 0 || down / s.down.stride >= s.down.out) continue;
            for (int64_t j = 0; j < s.right.kernel; ++j) {
              const int64_t right = k + s.right.before - j * s.right.dilation;
              if (right < 0 || right % s.right.stride != 0 || right / s.right.stride >= s.right.out) continue;
              const In* from = y + s.y_at(b, down / s.down.stride, right / s.right.stride) + first;
              const In* by = filters + s.filter_at(i, j) + c % s.in_of_group() * s.out + first;
              for (int64_t n = 0; n < s.out_of_group(); ++n)
                sum += static_cast<T>(from[n]) * static_cast<T>(by[n]);
            }
          }
          x[s.x_at(b, r, k) + c] = static_cast<Out>(sum);
        }
    }
  });
}

// The filters' gradient, from x and the results' gradient.
template <class T, class In, class Out>
void plain_conv_filter(const ConvSizes& s, const In* x, const In* y, Out* filters) {
  split(s.taps() * s.in_of_group(), 1, s.threads, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const int64_t c = row % s.in_of_group(), tap = row / s.in_of_group();
      const int64_t i = tap / s.right.kernel, j = tap % s.right.kernel;
      const Share down = s.down.inside(i), right = s.right.inside(j);
      for (int64_t n = 0; n < s.out; ++n) {
        const int64_t channel = n / s.out_of_group() * s.in_of_group() + c;
        T sum = 0;
        for (int64_t b = 0; b < s.batch; ++b)
          for (int64_t p = down.begin; p < down.end; ++p)
            for (int64_t q = right.begin; q < right.end; ++q)
              sum += static_cast<T>(x[s.x_at(b, s.down.place(p, i), s.right.place(q, j)) + channel]) *
                     static_cast<T>(y[s.y_at(b, p, q) + n]);
        filters[row * s.out + n] = static_cast<Out>(sum);
      }
    }
  });
}

}  // namespace shoestring::ops
