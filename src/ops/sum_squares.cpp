// sum_squares: the sum of all squares, of a gradient's norm and of penalties.
#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/sum_squares.cpp"
#include <hwy/foreach_target.h>

#include "ops/ops.h"
#include "ops/shared/reduce.h"
#include "ops/shared/shapes.h"
#include "ops/shared/simd-inl.h"
#include "ops/shared/sum-inl.h"

HWY_BEFORE_NAMESPACE();
namespace shoestring::ops::HWY_NAMESPACE {
namespace {

template <class T>
void run(const void* data, const KernelArgs& args) noexcept {
  const auto& s = *static_cast<const SumSizes*>(data);
  const T* x = args.at<const T>(0);
  *args.at<T>(1) =
      static_cast<T>(sum_of_parts(s.threads, s.size, args, 2, [=](int64_t begin, int64_t end) HWY_ATTR {
        return sum_of<T>(x + begin, end - begin, Squared{});
      }));
}

KernelFn kernel(DType dtype) { return dtype == DType::f32 ? run<float> : run<double>; }

}  // namespace
}  // namespace shoestring::ops::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace shoestring::ops {
namespace {

SHOESTRING_EXPORT(kernel);

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
  const int64_t n = r.in[0].elements();
  const int threads = n >= kSumWorthThreads ? r.target.threads : 1;
  return Prepared{kernel_on(r.target.isa)(r.in[0].dtype),
                  std::make_shared<const SumSizes>(SumSizes{.size = n, .threads = threads}),
                  parts_bytes(threads)};
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
