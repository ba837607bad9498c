#include "ops/shared/pool.h"

namespace shoestring::ops {
namespace {

void look_at_cover(PoolAxis& axis) {
  axis.apart = axis.dilation == 1;  // spread windows are not looked at closely
  int64_t reached = 0;
  const auto pass = [&](int64_t to) {
    for (; reached < to; ++reached) axis.outside.push_back(reached);
  };
  for (const Window& w : axis.windows) {
    axis.apart &= w.first >= reached || w.count == 0;
    if (w.count > 0) pass(w.first);
    reached = std::max(reached, w.first + w.count);
    axis.most_taps = std::max(axis.most_taps, w.taps);
  }
  pass(axis.in);
}

PoolAxis adaptive_axis(int64_t in, int64_t out) {
  PoolAxis axis{.in = in};
  for (int64_t i = 0; i < out; ++i) {
    const int64_t begin = i * in / out, end = ((i + 1) * in + out - 1) / out;
    axis.windows.push_back({.first = begin, .count = end - begin, .taps = end - begin});
  }
  look_at_cover(axis);
  return axis;
}

PoolAxis sliding_axis(int64_t in, int64_t kernel, int64_t stride, int64_t dilation, int64_t before,
                      int64_t after) {
  PoolAxis axis{.in = in, .dilation = dilation};
  const int64_t reach = (kernel - 1) * dilation + 1;
  for (int64_t at = -before; at + reach <= in + after; at += stride) {
    Window w{.taps = kernel};
    w.before = at < 0 ? std::min(kernel, (-at + dilation - 1) / dilation) : 0;
    w.first = at + w.before * dilation;
    w.count = w.first < in ? std::min(kernel - w.before, (in - w.first + dilation - 1) / dilation) : 0;
    if (w.count == 0) w.first = 0;
    axis.windows.push_back(w);
  }
  look_at_cover(axis);
  return axis;
}

bool within(const std::vector<int64_t>& values, size_t count, int64_t least) {
  constexpr int64_t kMost = 1 << 20;
  return values.size() == count &&
         std::all_of(values.begin(), values.end(), [&](int64_t v) { return v >= least && v <= kMost; });
}

}  // namespace

tl::expected<PoolSizes, std::string> pool_sizes(const Shape& x, const Attrs& attrs) {
  const auto no = [](std::string why) { return tl::unexpected(std::move(why)); };
  const auto &kernel = attrs.list("kernel"), &strides = attrs.list("strides"),
             &padding = attrs.list("padding"), &dilations = attrs.list("dilations"),
             &adaptive = attrs.list("adaptive");
  if (x.rank() != 4) return no("pictures have four axes [b,h,w,c]");
  PoolSizes s{.batch = x[0], .channels = x[3]};
  if (!adaptive.empty()) {
    if (!within(adaptive, 2, 1)) return no("adaptive must be the two sizes that come out");
    if (x[1] < 1 || x[2] < 1) return no("the pictures are empty");
    s.down = adaptive_axis(x[1], adaptive[0]);
    s.right = adaptive_axis(x[2], adaptive[1]);
    return s;
  }
  if (!within(kernel, 2, 1)) return no("kernel must be two sizes from 1 on");
  if (!within(strides, 2, 1)) return no("strides must be two sizes from 1 on");
  if (!within(padding, 4, 0)) return no("padding must be four sizes from 0 on");
  if (!within(dilations, 2, 1)) return no("dilations must be two sizes from 1 on");
  for (size_t a : {0u, 1u}) {
    const int64_t reach = (kernel[a] - 1) * dilations[a] + 1, in = x[static_cast<int>(a) + 1];
    if (padding[a] >= reach || padding[a + 2] >= reach) return no("windows would lie wholly in the padding");
    if (reach > in + padding[a] + padding[a + 2]) return no("the windows reach beyond the padded pictures");
    (a == 0 ? s.down : s.right) =
        sliding_axis(in, kernel[a], strides[a], dilations[a], padding[a], padding[a + 2]);
  }
  return s;
}

tl::expected<Shape, std::string> pooled_pictures(const Shape& y, const Attrs& attrs) {
  const std::vector<int64_t>& size = attrs.list("size");
  if (y.rank() != 4) return tl::unexpected(std::string("pictures have four axes [b,p,q,c]"));
  if (!within(size, 2, 1)) return tl::unexpected(std::string("size must be the pictures' [h,w]"));
  return Shape{y[0], size[0], size[1], y[3]};
}

}  // namespace shoestring::ops
