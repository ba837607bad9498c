// log_softmax over the last axis: x - max - log sum e^(x - max).
#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/log_softmax.cpp"
#include <hwy/foreach_target.h>

#include "ops/rows.h"
#include "ops/shared/shapes.h"
#include "ops/shared/simd-inl.h"
#include "ops/shared/softmax-inl.h"

#ifndef SHOESTRING_OPS_LOG_SOFTMAX_ONCE
#define SHOESTRING_OPS_LOG_SOFTMAX_ONCE
namespace shoestring::ops {
struct LogSoftmaxSizes {
  int64_t rows, c;
  int threads;
};
}  // namespace shoestring::ops
#endif

HWY_BEFORE_NAMESPACE();
namespace shoestring::ops::HWY_NAMESPACE {
namespace {

// The maximum is taken off first: with a large one, its sum with the logarithm would lose the latter's
// digits.
void across(const float* x, float* y, int64_t begin, int64_t end, int64_t c) {
  const F32 d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  for (int64_t r = begin; r < end; r += lanes) {
    const int64_t count = std::min(lanes, end - r);
    const Across in = Across::block(x, r, count, c);
    const auto max = in.max(), log_sum = log_of(d, in.sum_exp(max));
    HWY_ALIGN float column[hn::MaxLanes(d)];
    for (int64_t j = 0; j < c; ++j) {
      hn::Store(hn::Sub(hn::Sub(in.at(j), max), log_sum), d, column);
      for (int64_t l = 0; l < count; ++l) y[(r + l) * c + j] = column[l];
    }
  }
}

void along(const float* x, float* y, int64_t begin, int64_t end, int64_t c) {
  const F32 d;
  for (int64_t r = begin; r < end; ++r) {
    const float* row = x + r * c;
    float* out = y + r * c;
    const RowStats s = row_stats(row, c);
    const auto max = hn::Set(d, s.max), log_sum = log_of(d, hn::Set(d, s.sum));
    for_row(row, c, [&](int64_t j, hn::Vec<F32> v, int64_t count) HWY_ATTR {
      store_first(d, hn::Sub(hn::Sub(v, max), log_sum), out + j, count);
    });
  }
}

void run(const void* data, const KernelArgs& args) noexcept {
  const auto& s = *static_cast<const LogSoftmaxSizes*>(data);
  const float* x = args.at<const float>(0);
  float* y = args.at<float>(1);
  split(s.rows, 16, s.threads, [&](int64_t begin, int64_t end) {
    s.c <= kAcross ? across(x, y, begin, end, s.c) : along(x, y, begin, end, s.c);
  });
}

KernelFn kernel() { return run; }

}  // namespace
}  // namespace shoestring::ops::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace shoestring::ops {
namespace {

SHOESTRING_EXPORT(kernel);

Result<Types> infer(const OpArgs& args) {
  const Type& x = args.in[0];
  if (x.dims.rank() == 0) return wrong(fmt::format("log_softmax: {} has no axis", to_string(x)));
  if (x.dtype != DType::f32 && x.dtype != DType::f64)
    return wrong(fmt::format("log_softmax: {} is not computed with; cast it to f32", to_string(x)));
  return Types{x};
}

// dx = g - e^y sum g: reads the output.
void grad(Backward& b) {
  const Value sum = reduce_sum(b.upstream(), {-1}, true);
  b.add(0, sub(b.upstream(), mul(exp(b.output()), broadcast_like(sum, b.output()))));
}

template <class T>
void plain(int64_t rows, int64_t c, const T* x, T* y) {
  for (int64_t r = 0; r < rows; ++r, x += c, y += c) {
    T max = x[0], sum = 0;
    for (int64_t j = 1; j < c; ++j) max = std::max(max, x[j]);
    for (int64_t j = 0; j < c; ++j) sum += std::exp(x[j] - max);
    for (int64_t j = 0; j < c; ++j) y[j] = x[j] - max - std::log(sum);
  }
}

void reference(const ReferenceArgs& a) {
  const int64_t c = a.in_types[0].dims.back();
  plain(c ? a.in_types[0].elements() / c : 0, c, a.in[0], a.out[0]);
}

template <class T>
void scalar(const void* data, const KernelArgs& args) noexcept {
  const auto& s = *static_cast<const LogSoftmaxSizes*>(data);
  plain(s.rows, s.c, args.at<const T>(0), args.at<T>(1));
}

constexpr int64_t kWorthThreads = 1 << 15;  // elements

std::shared_ptr<const LogSoftmaxSizes> sizes(const KernelRequest& r) {
  const int64_t c = r.in[0].dims.back();
  return std::make_shared<const LogSoftmaxSizes>(LogSoftmaxSizes{
      c ? r.in[0].elements() / c : 0, c, r.in[0].elements() < kWorthThreads ? 1 : r.target.threads});
}

PrepareResult prepare_highway(const KernelRequest& r) {
  if (r.in[0].dtype != DType::f32) return tl::unexpected(std::string("f32 only"));
  return Prepared{kernel_on(r.target.isa)(), sizes(r)};
}
PrepareResult prepare_scalar(const KernelRequest& r) {
  return Prepared{r.in[0].dtype == DType::f32 ? scalar<float> : scalar<double>, sizes(r)};
}

const Kernel kKernels[] = {{"highway", prepare_highway}, {"scalar", prepare_scalar}};

}  // namespace

extern const OpDef log_softmax_op{
    .name = "log_softmax",
    .doc = "x - max - log sum e^(x - max) over the last axis",
    .infer = infer,
    .cost =
        [](const OpArgs& args, std::span<const Type> out) {
          return Cost{.flops = 25 * static_cast<double>(out[0].elements()),
                      .bytes = moving_cost(args, out).bytes};
        },
    .grad = grad,
    .reference = reference,
    .kernels = kKernels,
};

}  // namespace shoestring::ops
#endif
