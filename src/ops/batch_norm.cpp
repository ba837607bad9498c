// batch_norm, in training: (x - mean) / sqrt(variance + epsilon) scale + shift over the rows of x, and the
// running mean and variance moved towards the batch's, which prediction uses.
//   x [b,n], scale [n], shift [n], running mean [n], running variance [n] -> y [b,n], new mean [n], new
//   variance [n]
// The running variance is moved towards the unbiased one; a batch of one row, which has none, leaves it.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/batch_norm.cpp"
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
  const T *old_mean = args.at<const T>(3), *old_variance = args.at<const T>(4);
  T *y = args.at<T>(5), *new_mean = args.at<T>(6), *new_variance = args.at<T>(7);
  const auto rows = static_cast<double>(s.rows);
  const auto unbiased = hn::Set(d, static_cast<T>(rows / (rows - 1))), zero = hn::Zero(d);
  const auto momentum = hn::Set(d, static_cast<T>(s.momentum));

  split(s.n, kLineColumns, s.threads, [&](int64_t begin, int64_t end) {
    for_vectors(d, end - begin, [&](int64_t offset, int64_t lanes) HWY_ATTR {
      const int64_t j = begin + offset;
      const auto m = column_moments(d, x + j, s.rows, s.n, lanes, static_cast<T>(s.epsilon));
      const auto slope = hn::Mul(m.scale, load_some(d, scale + j, lanes)),
                 start = load_some(d, shift + j, lanes);
      for (int64_t r = 0; r < s.rows; ++r) {
        const auto away = hn::Sub(load_some(d, x + r * s.n + j, lanes), m.mean);
        store_some(d, hn::MulAdd(away, slope, start), y + r * s.n + j, lanes);
      }
      const auto mean = load_some(d, old_mean + j, lanes), variance = load_some(d, old_variance + j, lanes);
      const auto further = s.rows > 1 ? hn::Sub(hn::Mul(m.variance, unbiased), variance) : zero;
      store_some(d, hn::MulAdd(momentum, hn::Sub(m.mean, mean), mean), new_mean + j, lanes);
      store_some(d, hn::MulAdd(momentum, further, variance), new_variance + j, lanes);
    });
  });
}

KernelFn kernel(DType dtype) { return dtype == DType::f32 ? run<float> : run<double>; }

}  // namespace
}  // namespace shoestring::ops::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace shoestring::ops {
extern const OpDef batch_norm_grad_op;
namespace {

SHOESTRING_EXPORT(kernel);

const AttrDef kAttrs[] = {{"momentum", 0.1}, {"epsilon", 1e-5}};

Result<Types> infer(const OpArgs& args) {
  const Type& x = args.in[0];
  if (x.dims.rank() != 2 || x.dims[0] == 0)
    return wrong(fmt::format("batch_norm: x must be [b,n] with a row at least, not {}", to_string(x)));
  if (x.dtype != DType::f32 && x.dtype != DType::f64)
    return wrong(fmt::format("batch_norm: {} is not computed with; cast it to f32", to_string(x)));
  if (Status fits = one_for_each_column("batch_norm", args.in,
                                        {"scale", "shift", "running mean", "running variance"}, 1);
      !fits)
    return fail(fits.error());
  return Types{x, args.in[3], args.in[4]};
}

// Through the batch's own mean and variance; the running ones that come out are statistics, not results, and
// pass no gradient on.
void grad(Backward& b) {
  if (!b.upstream(0).valid()) return;
  const Value d = b.graph().add(batch_norm_grad_op, {b.input(0), b.input(1), b.upstream(0)},
                                {{"epsilon", b.attrs().number("epsilon")}});
  for (int i = 0; i < 3; ++i) b.add(i, d.output(static_cast<uint32_t>(i)));
}

NormSizes sizes_of(const Type& x, const Attrs& attrs) {
  NormSizes s = norm_sizes(x, attrs);
  s.momentum = attrs.number("momentum");
  return s;
}

void reference(const ReferenceArgs& a) {
  const NormSizes s = sizes_of(a.in_types[0], a.attrs);
  const auto rows = static_cast<double>(s.rows);
  for (int64_t j = 0; j < s.n; ++j) {
    const double* x = a.in[0] + j;
    double mean = 0, squares = 0;
    for (int64_t r = 0; r < s.rows; ++r) mean += x[r * s.n] / rows;
    for (int64_t r = 0; r < s.rows; ++r) squares += (x[r * s.n] - mean) * (x[r * s.n] - mean);
    for (int64_t r = 0; r < s.rows; ++r)
      a.out[0][r * s.n + j] =
          (x[r * s.n] - mean) / std::sqrt(squares / rows + s.epsilon) * a.in[1][j] + a.in[2][j];
    const double variance = s.rows > 1 ? squares / (rows - 1) : a.in[4][j];
    a.out[1][j] = a.in[3][j] + s.momentum * (mean - a.in[3][j]);
    a.out[2][j] = a.in[4][j] + s.momentum * (variance - a.in[4][j]);
  }
}

PrepareResult prepare(const KernelRequest& r) {
  NormSizes s = sizes_of(r.in[0], r.attrs);
  s.threads = r.in[0].elements() >= kWorthThreads ? r.target.threads : 1;
  return Prepared{kernel_on(r.target.isa)(r.in[0].dtype), std::make_shared<const NormSizes>(s)};
}

const Kernel kKernels[] = {{"highway", prepare}};

}  // namespace

extern const OpDef batch_norm_op{
    .name = "batch_norm",
    .doc =
        "(x - mean) / sqrt(variance + epsilon) scale + shift over the rows, and the new running statistics",
    .min_inputs = 5,
    .max_inputs = 5,
    .attrs = kAttrs,
    .infer = infer,
    .cost = [](const OpArgs& args, std::span<const Type> out) { return norm_cost(args, out, 8); },
    .grad = grad,
    .reference = reference,
    .kernels = kKernels,
};

}  // namespace shoestring::ops
#endif
