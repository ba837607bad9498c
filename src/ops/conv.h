// The vocabulary, continued (ops.h): pictures [b,h,w,c], their convolutions and pools. Everything is
// row-major with the channels last, and filters are [kh,kw,c/groups,n].
#pragma once

#include <array>

#include "ops/ops.h"

namespace shoestring::ops {

// Of both axes: down, then right.
struct ConvOptions {
  std::array<int64_t, 2> strides{1, 1};
  std::array<int64_t, 4> padding{0, 0, 0, 0};  // rows and columns of zeros: top, left, bottom, right
  std::array<int64_t, 2> dilations{1, 1};
  int64_t groups = 1;  // the n-th filter sees the channels of its group alone; groups == c: depthwise
};

// Padding that gives ceil(in / stride) results along both axes; uneven where it must be, with the larger part
// at the bottom and right.
std::array<int64_t, 4> same_padding(int64_t h, int64_t w, std::array<int64_t, 2> kernel,
                                    std::array<int64_t, 2> strides = {1, 1},
                                    std::array<int64_t, 2> dilations = {1, 1});

// Cross-correlation: [b,h,w,c] by [kh,kw,c/groups,n] (+ bias [n]) -> [b,p,q,n], with
// p = (h + top + bottom - (kh - 1) dilation - 1) / stride + 1, rounded down.
Value conv2d(Value x, Value filters, ConvOptions options = {}, Value bias = {});
// What conv2d makes of pictures of h by w, turned around: y [b,p,q,n] by the same filters -> [b,h,w,c]; the
// gradient of conv2d in x. h and w are sizes from which conv2d with these options makes p and q. The bias is
// [c].
Value conv2d_transpose(Value y, Value filters, int64_t h, int64_t w, ConvOptions options = {},
                       Value bias = {});
// The gradient of conv2d in its filters of kh by kw: x [b,h,w,c] and upstream [b,p,q,n] ->
// [kh,kw,c/groups,n].
Value conv2d_filter(Value x, Value upstream, int64_t kh, int64_t kw, ConvOptions options = {});

struct PoolOptions {
  std::array<int64_t, 2> kernel{2, 2};
  std::array<int64_t, 2> strides{2, 2};
  std::array<int64_t, 4> padding{0, 0, 0, 0};  // as of ConvOptions
  std::array<int64_t, 2> dilations{1, 1};
};

// The largest of each window and channel, [b,h,w,c] -> [b,p,q,c]; padding is never the largest, NaN always
// is.
Value max_pool(Value x, PoolOptions options = {});
// The mean of each window; `count_padding` says whether padding counts as zeros or not at all.
Value average_pool(Value x, PoolOptions options = {}, bool count_padding = true);
// The same over p by q windows that together cover the picture: the i-th of p from floor(i h / p) to
// ceil((i + 1) h / p). For one window, reduce_max and reduce_mean over axes 1 and 2 are the thing.
Value adaptive_max_pool(Value x, int64_t p, int64_t q);
Value adaptive_average_pool(Value x, int64_t p, int64_t q);

// Pictures [b,h,w,c] -> [b,p,q,c] as of another size: each result the nearest pixel's, or read between the
// four around it, the pixels' centres being at halves.
enum class Upsampling { nearest, bilinear };
Value upsample(Value x, int64_t p, int64_t q, Upsampling mode = Upsampling::nearest);
// So many times as high and wide.
Value upsample_by(Value x, int64_t factor, Upsampling mode = Upsampling::nearest);

}  // namespace shoestring::ops
