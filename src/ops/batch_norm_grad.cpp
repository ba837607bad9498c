// batch_norm_grad: the gradient of batch_norm, which it normalises again: x [b,n], scale [n], upstream [b,n]
// -> the gradients of x [b,n], scale [n] and shift [n].
//
// With z = (x - mean) / sqrt(variance + epsilon), over each column:
//   dshift = sum upstream,   dscale = sum upstream z,
//   dx = scale (upstream - dshift / b - z dscale / b) / sqrt(variance + epsilon)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/batch_norm_grad.cpp"
#include <hwy/foreach_target.h>

#include "ops/ops.h"
#include "ops/shared/columns-inl.h"
#include "ops/shared/norm.h"
#include "ops/shared/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace shoestring::ops::HWY_NAMESPACE {
namespace {

template <class T>
void run(const void* data, const KernelArgs& args) noexcept {
  const auto& s = *static_cast<const NormSizes*>(data);
  const hn::ScalableTag<T> d;
  const T *x = args.at<const T>(0), *scale = args.at<const T>(1), *upstream = args.at<const T>(2);
  T *dx = args.at<T>(3), *dscale = args.at<T>(4), *dshift = args.at<T>(5);
  T* parts = args.at<T>(6);
  const auto share = hn::Set(d, T{1} / static_cast<T>(s.rows)),
             epsilon = hn::Set(d, static_cast<T>(s.epsilon)), one = hn::Set(d, T{1});
  using V = hn::Vec<decltype(d)>;

  const int count = sum_parts<true>(d, x, upstream, s.rows, s.n, s.threads, parts);
  // dx = slope (upstream - g - (x - mean) gz), with g and gz as shares of one row
  on_team(s.threads, [&](int thread, int team) HWY_ATTR {
    T *const means = fields_of(parts, thread, s.n) + kColumnSums * s.n, *const slopes = means + s.n,
             *const gs = slopes + s.n, *const gzs = gs + s.n;
    for_groups(d, s.n, [&](auto width, int64_t j, int64_t lanes) HWY_ATTR {
      using C = Columns<decltype(d), decltype(width)::value>;
      const auto sums = joined_parts<decltype(width)::value, true>(d, parts, count, s.rows, s.n, j, lanes);
      const auto product = [](V a, V b) HWY_ATTR { return hn::Mul(a, b); };
      const C inverse = C::of(
          [&](V squares) HWY_ATTR { return hn::Div(one, hn::Sqrt(hn::MulAdd(squares, share, epsilon))); },
          sums.squares);
      const C sum_z = C::of(product, sums.gx, inverse);
      sums.mean.store(d, means + j, lanes);
      C::of(product, inverse, C::load(d, scale + j, lanes)).store(d, slopes + j, lanes);
      C::of([&](V sum) HWY_ATTR { return hn::Mul(sum, share); }, sums.g).store(d, gs + j, lanes);
      C::of([&](V sum, V i) HWY_ATTR { return hn::Mul(hn::Mul(sum, share), i); }, sum_z, inverse)
          .store(d, gzs + j, lanes);
      if (thread != 0) return;
      sum_z.store(d, dscale + j, lanes);
      sums.g.store(d, dshift + j, lanes);
    });
    const Share mine = share_of(s.rows, thread, team);
    for (int64_t r = mine.begin; r < mine.end; ++r)
      for_vectors(d, s.n, [&](int64_t j, int64_t lanes) HWY_ATTR {
        const auto column = [&](const T* of) HWY_ATTR { return load_some(d, of + j, lanes); };
        const V away = hn::Sub(column(x + r * s.n), column(means));
        const V up = hn::Sub(column(upstream + r * s.n), column(gs));
        store_some(d, hn::Mul(hn::NegMulAdd(away, column(gzs), up), column(slopes)), dx + r * s.n + j, lanes);
      });
  });
}

KernelFn kernel(DType dtype) { return dtype == DType::f32 ? run<float> : run<double>; }

}  // namespace
}  // namespace shoestring::ops::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace shoestring::ops {
namespace {

SHOESTRING_EXPORT(kernel);

const AttrDef kAttrs[] = {{"epsilon", 1e-5}};

Result<Types> infer(const OpArgs& args) {
  const Type& x = args.in[0];
  if (x.dims.rank() != 2 || x.dims[0] == 0)
    return wrong(fmt::format("batch_norm_grad: x must be [b,n] with a row at least, not {}", to_string(x)));
  if (x.dtype != DType::f32 && x.dtype != DType::f64)
    return wrong(fmt::format("batch_norm_grad: {} is not computed with; cast it to f32", to_string(x)));
  if (Status fits = one_for_each_column("batch_norm_grad", args.in, {"scale"}, 1); !fits)
    return fail(fits.error());
  if (args.in[2] != x)
    return wrong(fmt::format("batch_norm_grad: {} needs its like upstream, not {}", to_string(x),
                             to_string(args.in[2])));
  return Types{x, args.in[1], args.in[1]};
}

void reference(const ReferenceArgs& a) {
  const NormSizes s = norm_sizes(a.in_types[0], a.attrs);
  const auto rows = static_cast<double>(s.rows);
  for (int64_t j = 0; j < s.n; ++j) {
    const double *x = a.in[0] + j, *up = a.in[2] + j;
    double mean = 0, variance = 0, sum = 0, sum_z = 0;
    for (int64_t r = 0; r < s.rows; ++r) mean += x[r * s.n] / rows;
    for (int64_t r = 0; r < s.rows; ++r) variance += (x[r * s.n] - mean) * (x[r * s.n] - mean) / rows;
    const double inverse = 1 / std::sqrt(variance + s.epsilon);
    for (int64_t r = 0; r < s.rows; ++r) {
      sum += up[r * s.n];
      sum_z += up[r * s.n] * (x[r * s.n] - mean) * inverse;
    }
    for (int64_t r = 0; r < s.rows; ++r)
      a.out[0][r * s.n + j] =
          a.in[1][j] * inverse * (up[r * s.n] - sum / rows - (x[r * s.n] - mean) * inverse * sum_z / rows);
    a.out[1][j] = sum_z;
    a.out[2][j] = sum;
  }
}

PrepareResult prepare(const KernelRequest& r) {
  NormSizes s = norm_sizes(r.in[0], r.attrs);
  s.threads = r.in[0].elements() >= kWorthThreads ? r.target.threads : 1;
  return Prepared{kernel_on(r.target.isa)(r.in[0].dtype), std::make_shared<const NormSizes>(s),
                  column_scratch(s, r.in[0].dtype)};
}

const Kernel kKernels[] = {{"highway", prepare}};

}  // namespace

extern const OpDef batch_norm_grad_op{
    .name = "batch_norm_grad",
    .doc = "the gradients of batch_norm in x, scale and shift",
    .min_inputs = 3,
    .max_inputs = 3,
    .attrs = kAttrs,
    .infer = infer,
    .cost = [](const OpArgs& args, std::span<const Type> out) { return norm_cost(args, out, 16); },
    .no_grad = "it is itself a gradient",
    .reference = reference,
    .kernels = kKernels,
};

}  // namespace shoestring::ops
#endif
