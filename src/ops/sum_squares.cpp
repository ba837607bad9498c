// sum_squares: the sum of all squares, of a gradient's norm and of penalties.
#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/sum_squares.cpp"
#include <hwy/foreach_target.h>

#include "ops/ops.h"
#include "ops/shapes.h"
#include "ops/simd-inl.h"
#include "ops/sum-inl.h"

#ifndef SHOESTRING_OPS_SUM_SQUARES_ONCE
#define SHOESTRING_OPS_SUM_SQUARES_ONCE
namespace shoestring::ops {
constexpr int kMostSummands = 64;  // threads
struct SquareSizes {
  int64_t n;
  int threads;
};
}  // namespace shoestring::ops
#endif

HWY_BEFORE_NAMESPACE();
namespace shoestring::ops::HWY_NAMESPACE {
namespace {

template <class T>
void run(const void* data, const KernelArgs& args) noexcept {
  const auto& s = *static_cast<const SquareSizes*>(data);
  const T* x = args.at<const T>(0);
  if (s.threads <= 1) {
    *args.at<T>(1) = static_cast<T>(sum_of<T>(x, s.n, Squared{}));
    return;
  }
  double parts[kMostSummands] = {};
  parallel([&](int thread, int team) {
    const Share share = share_of(s.n, thread, team, 2048);
    parts[thread] = sum_of<T>(x + share.begin, share.end - share.begin, Squared{});
  });
  double sum = 0;
  for (double part : parts) sum += part;
  *args.at<T>(1) = static_cast<T>(sum);
}

KernelFn kernel(DType dtype) { return dtype == DType::f32 ? run<float> : run<double>; }

}  // namespace
}  // namespace shoestring::ops::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace shoestring::ops {
namespace {

HWY_EXPORT(kernel);

Result<Types> infer(const OpArgs& args) {
  const Type& x = args.in[0];
  if (x.dtype != DType::f32 && x.dtype != DType::f64)
    return wrong(fmt::format("sum_squares: {} is not computed with; cast it to f32", to_string(x)));
  return Types{{x.dtype, {}}};
}

// d sum x² = 2 x g
void grad(Backward& b) { b.add(0, mul(b.input(0) * 2.0, broadcast_like(b.upstream(), b.input(0)))); }

void reference(const ReferenceArgs& a) {
  double sum = 0;
  for (int64_t i = 0; i < a.in_types[0].elements(); ++i) sum += a.in[0][i] * a.in[0][i];
  a.out[0][0] = sum;
}

PrepareResult prepare(const KernelRequest& r) {
  constexpr int64_t kWorthThreads = 1 << 16;
  const int64_t n = r.in[0].elements();
  const bool team = n >= kWorthThreads && r.target.threads <= kMostSummands;
  return Prepared{HWY_DISPATCH_TABLE(kernel)[target_index(r.target.isa)](r.in[0].dtype),
                  std::make_shared<const SquareSizes>(SquareSizes{n, team ? r.target.threads : 1})};
}

const Kernel kKernels[] = {{"highway", prepare}};

}  // namespace

extern const OpDef sum_squares_op{
    .name = "sum_squares",
    .doc = "the sum of all squares",
    .infer = infer,
    .cost =
        [](const OpArgs& args, std::span<const Type> out) {
          return Cost{.flops = 2 * static_cast<double>(args.in[0].elements()),
                      .bytes = moving_cost(args, out).bytes};
        },
    .grad = grad,
    .reference = reference,
    .kernels = kKernels,
};

}  // namespace shoestring::ops
#endif
