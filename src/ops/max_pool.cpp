// max_pool: the largest of each window and channel of pictures [b,h,w,c] -> y [b,p,q,c], and which of the
// window's taps it was, u8 (u16 for windows of more than 256 taps), for the gradient. Of equals it is the
// first; padding is never the largest, NaN always is. The largest of bf16 comes in f32.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/max_pool.cpp"
#include <hwy/cache_control.h>
#include <hwy/foreach_target.h>

#include <limits>

#include "ops/shared/bf16-inl.h"
#include "ops/shared/norm-inl.h"
#include "ops/shared/pool-inl.h"
#include "ops/shared/pool.h"
#include "ops/shared/product.h"
#include "ops/shared/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace shoestring::ops::HWY_NAMESPACE {
namespace {

template <class D, class T = hn::TFromD<D>>
HWY_INLINE hn::Vec<D> load_pixels(D d, const T* from, int64_t count) {
  return load_some(d, from, count);
}
template <class D>
HWY_INLINE hn::Vec<D> load_pixels(D d, const uint16_t* from, int64_t count) {
  return load_bf16(d, from, count);
}

// In: T, or uint16_t for bf16.
template <class T, class Number, class In>
void run(const void* data, const KernelArgs& args) noexcept {
  const auto& s = *static_cast<const PoolSizes*>(data);
  const hn::ScalableTag<T> d;
  const In* x = args.at<const In>(0);
  T* y = args.at<T>(1);
  Number* numbers = args.at<Number>(2);
  // The next windows' rows: their parts are nothing that the hardware foresees.
  const int64_t ahead = s.down.most_taps * s.right.in * s.channels;
  for_windows(s, [&](int64_t b, int64_t p, int64_t q, const Window& rows, const Window& columns) {
    const int64_t to = s.y_at(b, p, q);
    for_vectors(d, s.channels, [&](int64_t c, int64_t lanes) HWY_ATTR {
      auto most = hn::Set(d, -std::numeric_limits<T>::infinity());
      auto which = hn::Set(d, static_cast<T>(rows.before * s.right.most_taps + columns.before));
      for_taps(s, b, rows, columns, [&](int64_t at, int64_t number) HWY_ATTR {
        hwy::Prefetch(x + at + c + ahead);
        const auto v = load_pixels(d, x + at + c, lanes);
        const auto more = hn::Or(hn::Gt(v, most), hn::IsNaN(v));
        most = hn::IfThenElse(more, v, most);
        which = hn::IfThenElse(more, hn::Set(d, static_cast<T>(number)), which);
      });
      store_some(d, most, y + to + c, lanes);
      store_numbers(d, which, numbers + to + c, lanes);
    });
  });
}

template <class Number>
KernelFn kernel_for(DType pixels) {
  if (pixels == DType::f64) return run<double, Number, double>;
  return pixels == DType::bf16 ? run<float, Number, uint16_t> : run<float, Number, float>;
}

KernelFn kernel(DType pixels, DType numbers) {
  return numbers == DType::u8 ? kernel_for<uint8_t>(pixels) : kernel_for<uint16_t>(pixels);
}

}  // namespace
}  // namespace shoestring::ops::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace shoestring::ops {
extern const OpDef max_pool_grad_op;
namespace {

SHOESTRING_EXPORT(kernel);

const AttrDef kAttrs[] = {{"kernel", std::vector<int64_t>{2, 2}},
                          {"strides", std::vector<int64_t>{2, 2}},
                          {"padding", std::vector<int64_t>{0, 0, 0, 0}},
                          {"dilations", std::vector<int64_t>{1, 1}},
                          {"adaptive", std::vector<int64_t>{}}};

Result<Types> infer(const OpArgs& args) {
  const Type& x = args.in[0];
  const auto no = [&](std::string why) { return wrong(fmt::format("max_pool: {}: {}", to_string(x), why)); };
  if (!info(x.dtype).compute && x.dtype != DType::bf16) return no("not computed with; cast to f32");
  const auto s = pool_sizes(x.dims, args.attrs);
  if (!s) return no(s.error());
  if (s->taps() > 1 << 16) return no("windows of more than 65536 taps; use reduce_max");
  const Shape y{s->batch, s->down.out(), s->right.out(), s->channels};
  return Types{{summed(x.dtype), y}, {s->taps() <= 256 ? DType::u8 : DType::u16, y}};
}

// To the tap that was the largest.
void grad(Backward& b) {
  if (!b.upstream(0).valid()) return;
  Attrs attrs = b.attrs();
  const Shape& x = b.input(0).dims();
  attrs.set("size", std::vector<int64_t>{x[1], x[2]});
  add_as_input(b, 0, b.graph().add(max_pool_grad_op, {b.upstream(0), b.output(1)}, attrs));
}

PoolSizes sizes_of(const Type& x, const Attrs& attrs) { return *pool_sizes(x.dims, attrs); }

void reference(const ReferenceArgs& a) {
  const PoolSizes s = sizes_of(a.in_types[0], a.attrs);
  for_windows(s, [&](int64_t b, int64_t p, int64_t q, const Window& rows, const Window& columns) {
    for (int64_t c = 0; c < s.channels; ++c) {
      double most = -std::numeric_limits<double>::infinity();
      int64_t which = rows.before * s.right.most_taps + columns.before;
      for_taps(s, b, rows, columns, [&](int64_t at, int64_t number) {
        const double v = a.in[0][at + c];
        if (v > most || std::isnan(v)) most = v, which = number;
      });
      a.out[0][s.y_at(b, p, q) + c] = most;
      a.out[1][s.y_at(b, p, q) + c] = static_cast<double>(which);
    }
  });
}

PrepareResult prepare(const KernelRequest& r) {
  PoolSizes s = sizes_of(r.in[0], r.attrs);
  s.threads = pool_threads(r.in[0], r.target.threads);
  return Prepared{kernel_on(r.target.isa)(r.in[0].dtype, r.out[1].dtype),
                  std::make_shared<const PoolSizes>(std::move(s))};
}

const Kernel kKernels[] = {{"highway", prepare}};

}  // namespace

extern const OpDef max_pool_op{
    .name = "max_pool",
    .doc = "the largest of each window, and which tap it was",
    .attrs = kAttrs,
    .infer = infer,
    .cost = moving_cost,
    .grad = grad,
    .reference = reference,
    .kernels = kKernels,
};

}  // namespace shoestring::ops
#endif
