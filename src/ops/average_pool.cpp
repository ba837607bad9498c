// average_pool: the mean of each window and channel of pictures [b,h,w,c] -> [b,p,q,c]. Padding counts as
// zeros, or not at all where count_padding is false.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/average_pool.cpp"
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
  const T* x = args.at<const T>(0);
  T* y = args.at<T>(1);
  for_windows(s, [&](int64_t b, int64_t p, int64_t q, const Window& rows, const Window& columns) {
    const int64_t to = s.y_at(b, p, q);
    const auto share = hn::Set(d, static_cast<T>(1 / s.divisor(rows, columns)));
    for_vectors(d, s.channels, [&](int64_t c, int64_t lanes) HWY_ATTR {
      auto sum = hn::Zero(d);
      for_taps(s, b, rows, columns,
               [&](int64_t at, int64_t) HWY_ATTR { sum = hn::Add(sum, load_some(d, x + at + c, lanes)); });
      store_some(d, hn::Mul(sum, share), y + to + c, lanes);
    });
  });
}

KernelFn kernel(DType dtype) { return dtype == DType::f32 ? run<float> : run<double>; }

}  // namespace
}  // namespace shoestring::ops::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace shoestring::ops {
extern const OpDef average_pool_grad_op;
namespace {

SHOESTRING_EXPORT(kernel);

const AttrDef kAttrs[] = {
    {"kernel", std::vector<int64_t>{2, 2}},        {"strides", std::vector<int64_t>{2, 2}},
    {"padding", std::vector<int64_t>{0, 0, 0, 0}}, {"dilations", std::vector<int64_t>{1, 1}},
    {"adaptive", std::vector<int64_t>{}},          {"count_padding", true}};

PoolSizes sizes_of(const Type& x, const Attrs& attrs) {
  PoolSizes s = *pool_sizes(x.dims, attrs);
  s.count_padding = attrs.flag("count_padding");
  return s;
}

Result<Types> infer(const OpArgs& args) {
  const Type& x = args.in[0];
  const auto no = [&](std::string why) {
    return wrong(fmt::format("average_pool: {}: {}", to_string(x), why));
  };
  if (!info(x.dtype).compute) return no("not computed with; cast to f32");
  const auto s = pool_sizes(x.dims, args.attrs);
  if (!s) return no(s.error());
  return Types{{x.dtype, {s->batch, s->down.out(), s->right.out(), s->channels}}};
}

void grad(Backward& b) {
  Attrs attrs = b.attrs();
  const Shape& x = b.input(0).dims();
  attrs.set("size", std::vector<int64_t>{x[1], x[2]});
  b.add(0, b.graph().add(average_pool_grad_op, {b.upstream()}, attrs));
}

void reference(const ReferenceArgs& a) {
  const PoolSizes s = sizes_of(a.in_types[0], a.attrs);
  for_windows(s, [&](int64_t b, int64_t p, int64_t q, const Window& rows, const Window& columns) {
    for (int64_t c = 0; c < s.channels; ++c) {
      double sum = 0;
      for_taps(s, b, rows, columns, [&](int64_t at, int64_t) { sum += a.in[0][at + c]; });
      a.out[0][s.y_at(b, p, q) + c] = sum / s.divisor(rows, columns);
    }
  });
}

PrepareResult prepare(const KernelRequest& r) {
  PoolSizes s = sizes_of(r.in[0], r.attrs);
  s.threads = pool_threads(r.in[0], r.target.threads);
  return Prepared{kernel_on(r.target.isa)(r.in[0].dtype), std::make_shared<const PoolSizes>(std::move(s))};
}

const Kernel kKernels[] = {{"highway", prepare}};

}  // namespace

extern const OpDef average_pool_op{
    .name = "average_pool",
    .doc = "the mean of each window",
    .attrs = kAttrs,
    .infer = infer,
    .cost = moving_cost,
    .grad = grad,
    .reference = reference,
    .kernels = kKernels,
};

}  // namespace shoestring::ops
#endif
