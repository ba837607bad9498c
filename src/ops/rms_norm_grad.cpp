// rms_norm_grad: the gradient of rms_norm, which it normalises again: x [.., n], scale [n], upstream [.., n]
// -> the gradients of x [.., n] and scale [n].
//
// With z = x / sqrt(mean x² + epsilon) and g = upstream scale, over each row:
//   dx = (g - z mean(g z)) / sqrt(mean x² + epsilon),   dscale = sum upstream z
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/rms_norm_grad.cpp"
#include <hwy/foreach_target.h>

#include "ops/ops.h"
#include "ops/shared/norm-inl.h"
#include "ops/shared/norm.h"
#include "ops/shared/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace shoestring::ops::HWY_NAMESPACE {
namespace {

// into[j] += from[j]; from[j] = 0
template <class T>
void move_sums(T* from, T* into, int64_t n) {
  const hn::ScalableTag<T> d;
  for_vectors(d, n, [&](int64_t j, int64_t lanes) HWY_ATTR {
    store_some(d, hn::Add(load_some(d, into + j, lanes), load_some(d, from + j, lanes)), into + j, lanes);
    store_some(d, hn::Zero(d), from + j, lanes);
  });
}

template <class T>
void run(const void* data, const KernelArgs& args) noexcept {
  const auto& s = *static_cast<const NormSizes*>(data);
  if (s.n == 0) return;  // and there is no scratch
  const hn::ScalableTag<T> d;
  const T *x = args.at<const T>(0), *scale = args.at<const T>(1), *upstream = args.at<const T>(2);
  T *dx = args.at<T>(3), *dscale = args.at<T>(4), *scratch = args.at<T>(5);
  const T share = T{1} / static_cast<T>(s.n);
  std::fill_n(scratch, 2 * s.n * s.threads, T{0});

  const auto part = [&](int thread, int64_t begin, int64_t end) {
    // The sums of a few rows, and of all before them: short sums lose few digits.
    T *few = scratch + thread * 2 * s.n, *all = few + s.n;
    for (int64_t r = begin; r < end; ++r) {
      const T *row = x + r * s.n, *up = upstream + r * s.n;
      const auto inverse = hn::Set(d, row_rms_inverse(d, row, s.n, static_cast<T>(s.epsilon)));
      const auto normal = [&](int64_t j, int64_t lanes)
                              HWY_ATTR { return hn::Mul(load_some(d, row + j, lanes), inverse); };
      const auto weighted = [&](int64_t j, int64_t lanes) HWY_ATTR {
        return hn::Mul(load_some(d, up + j, lanes), load_some(d, scale + j, lanes));
      };
      const auto gz = hn::Set(d, share * sum_vectors(d, s.n, [&](int64_t j, int64_t lanes) HWY_ATTR {
                                   return hn::Mul(weighted(j, lanes), normal(j, lanes));
                                 }));
      for_vectors(d, s.n, [&](int64_t j, int64_t lanes) HWY_ATTR {
        const auto z = normal(j, lanes), u = load_some(d, up + j, lanes);
        const auto away = hn::NegMulAdd(z, gz, weighted(j, lanes));
        store_some(d, hn::Mul(away, inverse), dx + r * s.n + j, lanes);
        store_some(d, hn::MulAdd(u, z, load_some(d, few + j, lanes)), few + j, lanes);
      });
      if ((r - begin) % 64 == 63) move_sums(few, all, s.n);
    }
    move_sums(few, all, s.n);
  };
  if (s.threads == 1) {
    part(0, 0, s.rows);
  } else {
    parallel([&](int thread, int team) {
      team = std::min(team, s.threads);  // scratch is for so many
      if (thread >= team) return;
      const Share mine = share_of(s.rows, thread, team);
      part(thread, mine.begin, mine.end);
    });
  }

  std::fill_n(dscale, s.n, T{0});
  for (int t = 0; t < s.threads; ++t) move_sums(scratch + t * 2 * s.n + s.n, dscale, s.n);
}

KernelFn kernel(DType dtype) { return dtype == DType::f32 ? run<float> : run<double>; }

}  // namespace
}  // namespace shoestring::ops::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace shoestring::ops {
namespace {

SHOESTRING_EXPORT(kernel);

const AttrDef kAttrs[] = {{"epsilon", 1e-6}};

Result<Types> infer(const OpArgs& args) {
  const Type& x = args.in[0];
  if (x.dims.rank() == 0) return wrong(fmt::format("rms_norm_grad: {} has no axis", to_string(x)));
  if (x.dtype != DType::f32 && x.dtype != DType::f64)
    return wrong(fmt::format("rms_norm_grad: {} is not computed with; cast it to f32", to_string(x)));
  if (Status fits = one_for_each_column("rms_norm_grad", args.in, {"scale"}, 1); !fits)
    return fail(fits.error());
  if (args.in[2] != x)
    return wrong(fmt::format("rms_norm_grad: {} needs its like upstream, not {}", to_string(x),
                             to_string(args.in[2])));
  return Types{x, args.in[1]};
}

void reference(const ReferenceArgs& a) {
  const NormSizes s = norm_sizes(a.in_types[0], a.attrs);
  const auto n = static_cast<double>(s.n);
  std::fill_n(a.out[1], s.n, 0.0);
  for (int64_t r = 0; r < s.rows; ++r) {
    const double *x = a.in[0] + r * s.n, *up = a.in[2] + r * s.n;
    double square = 0, gz = 0;
    for (int64_t j = 0; j < s.n; ++j) square += x[j] * x[j] / n;
    const double inverse = 1 / std::sqrt(square + s.epsilon);
    for (int64_t j = 0; j < s.n; ++j) {
      gz += up[j] * a.in[1][j] * x[j] * inverse / n;
      a.out[1][j] += up[j] * x[j] * inverse;
    }
    for (int64_t j = 0; j < s.n; ++j)
      a.out[0][r * s.n + j] = (up[j] * a.in[1][j] - x[j] * inverse * gz) * inverse;
  }
}

PrepareResult prepare(const KernelRequest& r) {
  NormSizes s = norm_sizes(r.in[0], r.attrs);
  s.threads = r.in[0].elements() >= kWorthThreads ? r.target.threads : 1;
  return Prepared{kernel_on(r.target.isa)(r.in[0].dtype), std::make_shared<const NormSizes>(s),
                  2 * s.n * s.threads * info(r.in[0].dtype).block_bytes};
}

const Kernel kKernels[] = {{"highway", prepare}};

}  // namespace

extern const OpDef rms_norm_grad_op{
    .name = "rms_norm_grad",
    .doc = "the gradients of rms_norm in x and scale",
    .min_inputs = 3,
    .max_inputs = 3,
    .attrs = kAttrs,
    .infer = infer,
    .cost = [](const OpArgs& args, std::span<const Type> out) { return norm_cost(args, out, 12); },
    .no_grad = "it is itself a gradient",
    .reference = reference,
    .kernels = kKernels,
};

}  // namespace shoestring::ops
#endif
