// layer_norm: (x - mean) / sqrt(variance + epsilon) scale + shift over the last axis.
//   x [.., n], scale [n], shift [n] -> [.., n]
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/layer_norm.cpp"
#include <hwy/foreach_target.h>

#include "ops/ops.h"
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
  const T *x = args.at<const T>(0), *scale = args.at<const T>(1), *shift = args.at<const T>(2);
  T* y = args.at<T>(3);
  split(s.rows, 1, s.threads, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      const T* row = x + r * s.n;
      const Moments<T> m = row_moments(d, row, s.n, static_cast<T>(s.epsilon));
      const auto mean = hn::Set(d, m.mean), inverse = hn::Set(d, m.scale);
      for_vectors(d, s.n, [&](int64_t j, int64_t lanes) HWY_ATTR {
        const auto normal = hn::Mul(hn::Sub(load_some(d, row + j, lanes), mean), inverse);
        const auto out = hn::MulAdd(normal, load_some(d, scale + j, lanes), load_some(d, shift + j, lanes));
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
extern const OpDef layer_norm_grad_op;
namespace {

SHOESTRING_EXPORT(kernel);

const AttrDef kAttrs[] = {{"epsilon", 1e-5}};

Result<Types> infer(const OpArgs& args) {
  const Type& x = args.in[0];
  if (x.dims.rank() == 0) return wrong(fmt::format("layer_norm: {} has no axis", to_string(x)));
  if (x.dtype != DType::f32 && x.dtype != DType::f64)
    return wrong(fmt::format("layer_norm: {} is not computed with; cast it to f32", to_string(x)));
  if (Status fits = one_for_each_column("layer_norm", args.in, {"scale", "shift"}, 1); !fits)
    return fail(fits.error());
  return Types{x};
}

void grad(Backward& b) {
  const Value d = b.graph().add(layer_norm_grad_op, {b.input(0), b.input(1), b.upstream()}, b.attrs());
  for (int i = 0; i < 3; ++i) b.add(i, d.output(static_cast<uint32_t>(i)));
}

void reference(const ReferenceArgs& a) {
  const NormSizes s = norm_sizes(a.in_types[0], a.attrs);
  for (int64_t r = 0; r < s.rows; ++r) {
    const double* x = a.in[0] + r * s.n;
    double mean = 0, variance = 0;
    for (int64_t j = 0; j < s.n; ++j) mean += x[j] / static_cast<double>(s.n);
    for (int64_t j = 0; j < s.n; ++j) variance += (x[j] - mean) * (x[j] - mean) / static_cast<double>(s.n);
    for (int64_t j = 0; j < s.n; ++j)
      a.out[0][r * s.n + j] = (x[j] - mean) / std::sqrt(variance + s.epsilon) * a.in[1][j] + a.in[2][j];
  }
}

PrepareResult prepare(const KernelRequest& r) {
  NormSizes s = norm_sizes(r.in[0], r.attrs);
  s.threads = r.in[0].elements() >= kWorthThreads ? r.target.threads : 1;
  return Prepared{kernel_on(r.target.isa)(r.in[0].dtype), std::make_shared<const NormSizes>(s)};
}

const Kernel kKernels[] = {{"highway", prepare}};

}  // namespace

extern const OpDef layer_norm_op{
    .name = "layer_norm",
    .doc = "(x - mean) / sqrt(variance + epsilon) scale + shift over the last axis",
    .min_inputs = 3,
    .max_inputs = 3,
    .attrs = kAttrs,
    .infer = infer,
    .cost = [](const OpArgs& args, std::span<const Type> out) { return norm_cost(args, out, 8); },
    .grad = grad,
    .reference = reference,
    .kernels = kKernels,
};

}  // namespace shoestring::ops
#endif
