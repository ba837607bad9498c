// rms_norm: x / sqrt(mean x² + epsilon) scale over the last axis (Zhang, Sennrich 2019).
//   x [.., n], scale [n] -> [.., n]
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/rms_norm.cpp"
#include <hwy/foreach_target.h>

#include "ops/rows.h"
#include "ops/shared/norm-inl.h"
#include "ops/shared/norm.h"
#include "ops/shared/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace shoestring::ops::HWY_NAMESPACE {
namespace {

template <class T>
void run(const void* data, const KernelArgs& args) noexcept {
  const auto& s = *static_cast<const NormSizes*>(data);
  const hn::ScalableTag<T> d;
  const T *x = args.at<const T>(0), *scale = args.at<const T>(1);
  T* y = args.at<T>(2);
  split(s.rows, 1, s.threads, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      const T* row = x + r * s.n;
      const auto inverse = hn::Set(d, row_rms_inverse(d, row, s.n, static_cast<T>(s.epsilon)));
      for_vectors(d, s.n, [&](int64_t j, int64_t lanes) HWY_ATTR {
        const auto out =
            hn::Mul(hn::Mul(load_some(d, row + j, lanes), inverse), load_some(d, scale + j, lanes));
        store_some(d, out, y + r * s.n + j, lanes);
      });
    }
  });
}

KernelFn kernel(DType dtype) { return dtype == DType::f32 ? run<float> : run<double>; }

}  // namespace
}  // namespace shoestring::ops::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace shoestring::ops {
extern const OpDef rms_norm_grad_op;
namespace {

SHOESTRING_EXPORT(kernel);

const AttrDef kAttrs[] = {{"epsilon", 1e-6}};

Result<Types> infer(const OpArgs& args) {
  const Type& x = args.in[0];
  if (x.dims.rank() == 0) return wrong(fmt::format("rms_norm: {} has no axis", to_string(x)));
  if (x.dtype != DType::f32 && x.dtype != DType::f64)
    return wrong(fmt::format("rms_norm: {} is not computed with; cast it to f32", to_string(x)));
  if (Status fits = one_for_each_column("rms_norm", args.in, {"scale"}, 1); !fits) return fail(fits.error());
  return Types{x};
}

void grad(Backward& b) {
  const Value d = b.graph().add(rms_norm_grad_op, {b.input(0), b.input(1), b.upstream()}, b.attrs());
  for (int i = 0; i < 2; ++i) b.add(i, d.output(static_cast<uint32_t>(i)));
}

void reference(const ReferenceArgs& a) {
  const NormSizes s = norm_sizes(a.in_types[0], a.attrs);
  for (int64_t r = 0; r < s.rows; ++r) {
    const double* x = a.in[0] + r * s.n;
    double square = 0;
    for (int64_t j = 0; j < s.n; ++j) square += x[j] * x[j] / static_cast<double>(s.n);
    for (int64_t j = 0; j < s.n; ++j)
      a.out[0][r * s.n + j] = x[j] / std::sqrt(square + s.epsilon) * a.in[1][j];
  }
}

PrepareResult prepare(const KernelRequest& r) {
  NormSizes s = norm_sizes(r.in[0], r.attrs);
  s.threads = r.in[0].elements() >= kWorthThreads ? r.target.threads : 1;
  return Prepared{kernel_on(r.target.isa)(r.in[0].dtype), std::make_shared<const NormSizes>(s)};
}

const Kernel kKernels[] = {{"highway", prepare}};

}  // namespace

extern const OpDef rms_norm_op{
    .name = "rms_norm",
    .doc = "x / sqrt(mean x² + epsilon) scale over the last axis",
    .min_inputs = 2,
    .max_inputs = 2,
    .attrs = kAttrs,
    .infer = infer,
    .cost = [](const OpArgs& args, std::span<const Type> out) { return norm_cost(args, out, 5); },
    .grad = grad,
    .reference = reference,
    .kernels = kKernels,
};

}  // namespace shoestring::ops
#endif
