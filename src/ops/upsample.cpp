// upsample: pictures [b,h,w,c] of another size [b,p,q,c], `size` being [p,q]: each result is the nearest
// pixel's (mode nearest), or read between the four around it (bilinear). Pixels have their centres at halves,
// as in PyTorch's interpolate with align_corners false, whose nearest pixel is that at floor(i h / p). Larger
// sizes are what it is for; smaller ones leave pixels out, without antialiasing.
//
// Both axes apart are lists of taps, and so is the gradient, which is the same operator with the taps turned
// around (`transposed`: [b,p,q,c] -> [b,h,w,c], `size` being [h,w]).
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/upsample.cpp"
#include <hwy/foreach_target.h>

#include <algorithm>
#include <span>
#include <vector>

#include "base/parallel.h"
#include "ops/conv.h"
#include "ops/shared/norm-inl.h"
#include "ops/shared/shapes.h"
#include "ops/shared/simd-inl.h"

#ifndef SHOESTRING_OPS_UPSAMPLE_SIZES
#define SHOESTRING_OPS_UPSAMPLE_SIZES
namespace shoestring::ops {
namespace {

// Result i of an axis is the sum of weight times the pixel `from`, over the taps [begin[i], begin[i + 1]).
struct ResampledAxis {
  struct Tap {
    int64_t from = 0;
    double weight = 1;
  };
  int64_t in = 0;
  std::vector<size_t> begin{0};
  std::vector<Tap> taps;

  int64_t out() const { return static_cast<int64_t>(begin.size()) - 1; }
  std::span<const Tap> of(int64_t i) const {
    const auto at = static_cast<size_t>(i);
    return std::span(taps).subspan(begin[at], begin[at + 1] - begin[at]);
  }
};

struct UpsampleSizes {
  int64_t batch = 0, channels = 0;
  ResampledAxis down, right;
  int64_t scratch_of_thread = 0;  // bytes
  int threads = 1;
};

}  // namespace
}  // namespace shoestring::ops
#endif

HWY_BEFORE_NAMESPACE();
namespace shoestring::ops::HWY_NAMESPACE {
namespace {

bool is_copy(std::span<const ResampledAxis::Tap> taps) { return taps.size() == 1 && taps[0].weight == 1; }

// to [n] = the sum over the taps of weight * from(tap) [n].
template <class T, class From>
void sum_taps(std::span<const ResampledAxis::Tap> taps, int64_t n, From&& from, T* to) {
  const hn::ScalableTag<T> d;
  if (n < static_cast<int64_t>(hn::MaxLanes(d))) {  // few channels: a part of a vector takes longer
    for (int64_t i = 0; i < n; ++i) {
      T sum = 0;
      for (const auto& tap : taps) sum += static_cast<T>(tap.weight) * from(tap)[i];
      to[i] = sum;
    }
    return;
  }
  for_vectors(d, n, [&](int64_t i, int64_t lanes) HWY_ATTR {
    auto sum = hn::Zero(d);
    for (const auto& tap : taps)
      sum = hn::MulAdd(hn::Set(d, static_cast<T>(tap.weight)), load_some(d, from(tap) + i, lanes), sum);
    store_some(d, sum, to + i, lanes);
  });
}

template <class T>
void run(const void* data, const KernelArgs& args) noexcept {
  const auto& s = *static_cast<const UpsampleSizes*>(data);
  const T* x = args.at<const T>(0);
  T* y = args.at<T>(1);
  const int64_t line = s.right.in * s.channels;
  const auto rows = [&](Share share, std::byte* memory) HWY_ATTR {
    T* const mixed = reinterpret_cast<T*>(memory);
    for (int64_t r = share.begin; r < share.end; ++r) {
      const T* picture = x + r / s.down.out() * s.down.in * line;
      const auto taps = s.down.of(r % s.down.out());
      const T* row = mixed;
      if (is_copy(taps))
        row = picture + taps[0].from * line;
      else
        sum_taps(
            taps, line, [&](const auto& tap) { return picture + tap.from * line; }, mixed);
      T* to = y + r * s.right.out() * s.channels;
      for (int64_t q = 0; q < s.right.out(); ++q, to += s.channels) {
        const auto along = s.right.of(q);
        if (is_copy(along))
          std::copy_n(row + along[0].from * s.channels, s.channels, to);
        else
          sum_taps(
              along, s.channels, [&](const auto& tap) { return row + tap.from * s.channels; }, to);
      }
    }
  };
  const int64_t count = s.batch * s.down.out();
  auto* scratch = args.at<std::byte>(2);
  if (s.threads == 1) return rows({0, count}, scratch);
  parallel([&](int thread, int team) {
    rows(share_of(count, thread, team), scratch + thread * s.scratch_of_thread);
  });
}

KernelFn kernel(DType dtype) { return dtype == DType::f32 ? run<float> : run<double>; }

}  // namespace
}  // namespace shoestring::ops::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace shoestring::ops {
extern const OpDef upsample_op;
namespace {

SHOESTRING_EXPORT(kernel);

const AttrDef kAttrs[] = {
    {"size", std::vector<int64_t>{}}, {"mode", std::string("nearest")}, {"transposed", false}};

ResampledAxis axis_of(int64_t in, int64_t out, bool bilinear) {
  ResampledAxis axis{.in = in};
  for (int64_t i = 0; i < out; ++i) {
    if (bilinear) {
      const double ratio = static_cast<double>(in) / static_cast<double>(out);
      const double at = std::max(0.0, (static_cast<double>(i) + 0.5) * ratio - 0.5);
      const int64_t first = std::min(static_cast<int64_t>(at), in - 1), second = std::min(first + 1, in - 1);
      const double share = at - static_cast<double>(first);
      if (first == second || share == 0) {
        axis.taps.push_back({first, 1});
      } else {
        axis.taps.push_back({first, 1 - share});
        axis.taps.push_back({second, share});
      }
    } else {
      // In f32, as PyTorch has it: so a multiple that is not exact finds the pixel that it finds there.
      const float ratio = static_cast<float>(in) / static_cast<float>(out);
      const auto at = out == 2 * in ? i / 2 : static_cast<int64_t>(static_cast<float>(i) * ratio);
      axis.taps.push_back({std::min(at, in - 1), 1});
    }
    axis.begin.push_back(axis.taps.size());
  }
  return axis;
}

ResampledAxis turned_around(const ResampledAxis& axis) {
  ResampledAxis turned{.in = axis.out()};
  for (int64_t to = 0; to < axis.in; ++to) {
    for (int64_t i = 0; i < axis.out(); ++i)
      for (const auto& tap : axis.of(i))
        if (tap.from == to) turned.taps.push_back({i, tap.weight});
    turned.begin.push_back(turned.taps.size());
  }
  return turned;
}

UpsampleSizes sizes_of(const Type& x, const Attrs& attrs, int threads = 1) {
  const auto& size = attrs.list("size");
  const bool transposed = attrs.flag("transposed"), bilinear = attrs.text("mode") == "bilinear";
  const auto axis = [&](int64_t in, int64_t out) {
    return transposed ? turned_around(axis_of(out, in, bilinear)) : axis_of(in, out, bilinear);
  };
  UpsampleSizes s{.batch = x.dims[0],
                  .channels = x.dims[3],
                  .down = axis(x.dims[1], size[0]),
                  .right = axis(x.dims[2], size[1])};
  s.scratch_of_thread = (x.dims[2] * x.dims[3] * info(x.dtype).block_bytes + 63) / 64 * 64;
  const int64_t bytes = s.batch * s.down.out() * s.right.out() * s.channels * info(x.dtype).block_bytes;
  s.threads = bytes < kBytesWorthThreads / 16 ? 1 : threads;
  return s;
}

Result<Types> infer(const OpArgs& args) {
  const Type& x = args.in[0];
  const auto no = [&](std::string why) { return wrong(fmt::format("upsample: {}: {}", to_string(x), why)); };
  if (!info(x.dtype).compute) return no("not computed with; cast to f32");
  if (x.dims.rank() != 4) return no("pictures have four axes [b,h,w,c]");
  const auto& size = args.attrs.list("size");
  constexpr int64_t kMost = 1 << 20;
  const auto is_side = [](int64_t side) { return side >= 1 && side <= kMost; };
  if (size.size() != 2 || !is_side(size[0]) || !is_side(size[1]))
    return no(fmt::format("size is the new [h,w], not {}", shoestring::to_string(AttrValue(size))));
  if (!is_side(x.dims[1]) || !is_side(x.dims[2])) return no("there are no pixels to read, or too many");
  const std::string mode(args.attrs.text("mode"));
  if (mode != "nearest" && mode != "bilinear")
    return no(fmt::format("mode is nearest or bilinear, not '{}'", mode));
  return Types{{x.dtype, {x.dims[0], size[0], size[1], x.dims[3]}}};
}

// It is linear: the gradient is the taps turned around, and of that the taps as they are.
void grad(Backward& b) {
  Attrs attrs = b.attrs();
  const Shape& x = b.input(0).dims();
  attrs.set("size", std::vector<int64_t>{x[1], x[2]});
  attrs.set("transposed", !attrs.flag("transposed"));
  b.add(0, b.graph().add(upsample_op, {b.upstream()}, attrs));
}

void reference(const ReferenceArgs& a) {
  const UpsampleSizes s = sizes_of(a.in_types[0], a.attrs);
  double* to = a.out[0];
  for (int64_t b = 0; b < s.batch; ++b)
    for (int64_t p = 0; p < s.down.out(); ++p)
      for (int64_t q = 0; q < s.right.out(); ++q)
        for (int64_t c = 0; c < s.channels; ++c) {
          double sum = 0;
          for (const auto& v : s.down.of(p))
            for (const auto& u : s.right.of(q))
              sum += v.weight * u.weight *
                     a.in[0][((b * s.down.in + v.from) * s.right.in + u.from) * s.channels + c];
          *to++ = sum;
        }
}

Cost cost(const OpArgs& args, std::span<const Type> out) {
  const double taps = args.attrs.text("mode") == "bilinear" ? 4 : 1;
  const auto most = static_cast<double>(std::max(args.in[0].elements(), out[0].elements()));
  return {.flops = 2 * taps * most, .bytes = moving_cost(args, out).bytes};
}

PrepareResult prepare(const KernelRequest& r) {
  auto s = std::make_shared<UpsampleSizes>(sizes_of(r.in[0], r.attrs, r.target.threads));
  const int64_t scratch = s->threads * s->scratch_of_thread;
  return Prepared{kernel_on(r.target.isa)(r.in[0].dtype), std::move(s), scratch};
}

const Kernel kKernels[] = {{"highway", prepare}};

}  // namespace

extern const OpDef upsample_op{
    .name = "upsample",
    .doc = "pictures of another size: the nearest pixel, or between the four around",
    .attrs = kAttrs,
    .infer = infer,
    .cost = cost,
    .grad = grad,
    .reference = reference,
    .kernels = kKernels,
};

}  // namespace shoestring::ops
#endif
