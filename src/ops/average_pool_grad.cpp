// average_pool_grad: the gradient of average_pool: upstream [b,p,q,c] -> [b,h,w,c], where each place sums its
// share of the windows that it is in. `size` is [h,w].
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/average_pool_grad.cpp"
#include <hwy/foreach_target.h>

#include "ops/shared/norm-inl.h"
#include "ops/shared/pool.h"
#include "ops/shared/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace shoestring::ops::HWY_NAMESPACE {
namespace {

template <class T>
void run(const void* data, const KernelArgs& args) noexcept {
  const auto& s = *static_cast<const PoolSizes*>(data);
  const hn::ScalableTag<T> d;
  const T* upstream = args.at<const T>(0);
  T* dx = args.at<T>(1);
  for_pictures(s, dx, [&](int64_t b, int64_t begin, int64_t end, bool accumulates) {
    for (int64_t p = 0; p < s.down.out(); ++p)
      for (int64_t q = 0; q < s.right.out(); ++q) {
        const Window &rows = s.down.windows[static_cast<size_t>(p)],
                     &columns = s.right.windows[static_cast<size_t>(q)];
        const int64_t from = s.y_at(b, p, q) + begin;
        const auto share = hn::Set(d, static_cast<T>(1 / s.divisor(rows, columns)));
        for_vectors(d, end - begin, [&](int64_t c, int64_t lanes) HWY_ATTR {
          const auto g = hn::Mul(load_some(d, upstream + from + c, lanes), share);
          for_taps(s, b, rows, columns, [&](int64_t at, int64_t) HWY_ATTR {
            T* to = dx + at + begin + c;
            store_some(d, accumulates ? hn::Add(g, load_some(d, to, lanes)) : g, to, lanes);
          });
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
extern const OpDef average_pool_op;
namespace {

SHOESTRING_EXPORT(kernel);

const AttrDef kAttrs[] = {{"size", std::vector<int64_t>{}},
                          {"kernel", std::vector<int64_t>{2, 2}},
                          {"strides", std::vector<int64_t>{2, 2}},
                          {"padding", std::vector<int64_t>{0, 0, 0, 0}},
                          {"dilations", std::vector<int64_t>{1, 1}},
                          {"adaptive", std::vector<int64_t>{}},
                          {"count_padding", true}};

Result<Types> infer(const OpArgs& args) {
  const Type& upstream = args.in[0];
  const auto no = [&](std::string why) {
    return wrong(fmt::format("average_pool_grad: {}: {}", to_string(upstream), why));
  };
  if (!info(upstream.dtype).compute) return no("not computed with; cast to f32");
  const auto x = pooled_pictures(upstream.dims, args.attrs);
  if (!x) return no(x.error());
  const auto s = pool_sizes(*x, args.attrs);
  if (!s) return no(s.error());
  const Shape y{s->batch, s->down.out(), s->right.out(), s->channels};
  if (upstream.dims != y) return no(fmt::format("the pool's results are {}, not that", to_string(y)));
  return Types{{upstream.dtype, *x}};
}

PoolSizes sizes_of(const Type& upstream, const Attrs& attrs) {
  PoolSizes s = *pool_sizes(*pooled_pictures(upstream.dims, attrs), attrs);
  s.count_padding = attrs.flag("count_padding");
  return s;
}

// It is linear: the same windows' means of what comes back.
void grad(Backward& b) {
  Attrs attrs;
  for (const auto& [name, value] : b.attrs().pairs())
    if (name != "size") attrs.set(name, value);
  b.add(0, b.graph().add(average_pool_op, {b.upstream()}, attrs));
}

void reference(const ReferenceArgs& a) {
  const PoolSizes s = sizes_of(a.in_types[0], a.attrs);
  std::fill_n(a.out[0], a.out_types[0].elements(), 0.0);
  for_windows(s, [&](int64_t b, int64_t p, int64_t q, const Window& rows, const Window& columns) {
    for_taps(s, b, rows, columns, [&](int64_t at, int64_t) {
      for (int64_t c = 0; c < s.channels; ++c)
        a.out[0][at + c] += a.in[0][s.y_at(b, p, q) + c] / s.divisor(rows, columns);
    });
  });
}

PrepareResult prepare(const KernelRequest& r) {
  PoolSizes s = sizes_of(r.in[0], r.attrs);
  s.threads = pool_threads(r.out[0], r.target.threads);
  return Prepared{kernel_on(r.target.isa)(r.in[0].dtype), std::make_shared<const PoolSizes>(std::move(s))};
}

const Kernel kKernels[] = {{"highway", prepare}};

}  // namespace

extern const OpDef average_pool_grad_op{
    .name = "average_pool_grad",
    .doc = "the gradient of average_pool: each window's mean spread over it",
    .attrs = kAttrs,
    .infer = infer,
    .cost = moving_cost,
    .grad = grad,
    .reference = reference,
    .kernels = kKernels,
};

}  // namespace shoestring::ops
#endif
