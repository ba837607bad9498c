// batch_norm, in training: (x - mean) / sqrt(variance + epsilon) scale + shift over the rows of x, and the
// running mean and variance moved towards the batch's, which prediction uses.
//   x [b,n], scale [n], shift [n], running mean [n], running variance [n] -> y [b,n], new mean [n], new
//   variance [n]
// The running variance is moved towards the unbiased one; a batch of one row, which has none, leaves it.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/batch_norm.cpp"
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
  const T *x = args.at<const T>(0), *scale = args.at<const T>(1), *shift = args.at<const T>(2);
  const T *old_mean = args.at<const T>(3), *old_variance = args.at<const T>(4);
  T *y = args.at<T>(5), *new_mean = args.at<T>(6), *new_variance = args.at<T>(7);
  T* parts = args.at<T>(8);
  const auto rows = static_cast<double>(s.rows);
  const auto share = hn::Set(d, static_cast<T>(1 / rows)), momentum = hn::Set(d, static_cast<T>(s.momentum)),
             unbiased = hn::Set(d, static_cast<T>(1 / (rows - 1))),
             epsilon = hn::Set(d, static_cast<T>(s.epsilon));
  using V = hn::Vec<decltype(d)>;

  const int count = sum_parts<false>(d, x, static_cast<const T*>(nullptr), s.rows, s.n, s.threads, parts);
  on_team(s.threads, [&](int thread, int team) HWY_ATTR {
    T *const means = fields_of(parts, thread, s.n) + kColumnSums * s.n, *const slopes = means + s.n;
    for_groups(d, s.n, [&](auto width, int64_t j, int64_t lanes) HWY_ATTR {
      using C = Columns<decltype(d), decltype(width)::value>;
      const auto sums = joined_parts<decltype(width)::value, false>(d, parts, count, s.rows, s.n, j, lanes);
      sums.mean.store(d, means + j, lanes);
      C::of([&](V squares, V by)
                HWY_ATTR { return hn::Div(by, hn::Sqrt(hn::MulAdd(squares, share, epsilon))); },
            sums.squares, C::load(d, scale + j, lanes))
          .store(d, slopes + j, lanes);
      if (thread != 0) return;
      const auto moved = [&](V old, V now) HWY_ATTR { return hn::MulAdd(momentum, hn::Sub(now, old), old); };
      C::of(moved, C::load(d, old_mean + j, lanes), sums.mean).store(d, new_mean + j, lanes);
      const C variance = C::load(d, old_variance + j, lanes);
      const C now = C::of([&](V squares) HWY_ATTR { return hn::Mul(squares, unbiased); }, sums.squares);
      C::of(moved, variance, s.rows > 1 ? now : variance).store(d, new_variance + j, lanes);
    });
    const Share mine = share_of(s.rows, thread, team);
    for (int64_t r = mine.begin; r < mine.end; ++r)
      for_vectors(d, s.n, [&](int64_t j, int64_t lanes) HWY_ATTR {
        const V away = hn::Sub(load_some(d, x + r * s.n + j, lanes), load_some(d, means + j, lanes));
        store_some(d, hn::MulAdd(away, load_some(d, slopes + j, lanes), load_some(d, shift + j, lanes)),
                   y + r * s.n + j, lanes);
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
  return Prepared{kernel_on(r.target.isa)(r.in[0].dtype), std::make_shared<const NormSizes>(s),
                  column_scratch(s, r.in[0].dtype)};
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
