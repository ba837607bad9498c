// max_pool_grad: the gradient of max_pool: upstream [b,p,q,c] and which tap was the largest [b,p,q,c] ->
// [b,h,w,c], where each place sums the upstream of the windows whose largest it was. `size` is [h,w]. Where
// no two windows share a place, nothing is summed, and the result may be rounded to bf16 (`dtype`).
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/max_pool_grad.cpp"
#include <hwy/cache_control.h>
#include <hwy/foreach_target.h>

#include "ops/shared/bf16-inl.h"
#include "ops/shared/norm-inl.h"
#include "ops/shared/pool-inl.h"
#include "ops/shared/pool.h"
#include "ops/shared/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace shoestring::ops::HWY_NAMESPACE {
namespace {

// Out: T, or uint16_t for bf16.
template <class T, class Number, class Out>
void run(const void* data, const KernelArgs& args) noexcept {
  const auto& s = *static_cast<const PoolSizes*>(data);
  const hn::ScalableTag<T> d;
  const T* upstream = args.at<const T>(0);
  const Number* numbers = args.at<const Number>(1);
  Out* dx = args.at<Out>(2);
  const int64_t ahead = s.right.out() * s.channels;
  for_pictures(s, dx, [&](int64_t b, int64_t begin, int64_t end, bool accumulates) {
    for (int64_t p = 0; p < s.down.out(); ++p)
      for (int64_t q = 0; q < s.right.out(); ++q) {
        const Window &rows = s.down.windows[static_cast<size_t>(p)],
                     &columns = s.right.windows[static_cast<size_t>(q)];
        const int64_t from = s.y_at(b, p, q) + begin;
        for_vectors(d, end - begin, [&](int64_t c, int64_t lanes) HWY_ATTR {
          hwy::Prefetch(upstream + from + c + ahead);
          const auto g = load_some(d, upstream + from + c, lanes);
          const auto which = load_numbers(d, numbers + from + c, lanes);
          for_taps(s, b, rows, columns, [&](int64_t at, int64_t number) HWY_ATTR {
            Out* to = dx + at + begin + c;
            auto part = hn::IfThenElseZero(hn::Eq(which, hn::Set(d, static_cast<T>(number))), g);
            if constexpr (sizeof(Out) < sizeof(T)) {
              const hn::RebindToUnsigned<decltype(d)> bits;
              store_bf16(bits, bf16_bits(bits, hn::BitCast(bits, part)), to, lanes);
            } else {
              if (accumulates) part = hn::Add(part, load_some(d, to, lanes));
              store_some(d, part, to, lanes);
            }
          });
        });
      }
  });
}

template <class Number>
KernelFn kernel_for(DType upstream, DType result) {
  if (upstream == DType::f64) return run<double, Number, double>;
  return result == DType::bf16 ? run<float, Number, uint16_t> : run<float, Number, float>;
}

KernelFn kernel(DType upstream, DType numbers, DType result) {
  return numbers == DType::u8 ? kernel_for<uint8_t>(upstream, result)
                              : kernel_for<uint16_t>(upstream, result);
}

}  // namespace
}  // namespace shoestring::ops::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace shoestring::ops {
namespace {

SHOESTRING_EXPORT(kernel);

const AttrDef kAttrs[] = {{"size", std::vector<int64_t>{}},
                          {"kernel", std::vector<int64_t>{2, 2}},
                          {"strides", std::vector<int64_t>{2, 2}},
                          {"padding", std::vector<int64_t>{0, 0, 0, 0}},
                          {"dilations", std::vector<int64_t>{1, 1}},
                          {"adaptive", std::vector<int64_t>{}},
                          {"dtype", std::string()}};  // of the result; empty: the upstream's

Result<Types> infer(const OpArgs& args) {
  const Type &upstream = args.in[0], &numbers = args.in[1];
  const auto no = [&](std::string why) {
    return wrong(fmt::format("max_pool_grad: {} and {}: {}", to_string(upstream), to_string(numbers), why));
  };
  if (!info(upstream.dtype).compute) return no("not computed with; cast to f32");
  const auto x = pooled_pictures(upstream.dims, args.attrs);
  if (!x) return no(x.error());
  const auto s = pool_sizes(*x, args.attrs);
  if (!s) return no(s.error());
  const Shape y{s->batch, s->down.out(), s->right.out(), s->channels};
  if (upstream.dims != y) return no(fmt::format("the pool's results are {}, not that", to_string(y)));
  const Type wanted{s->taps() <= 256 ? DType::u8 : DType::u16, y};
  if (numbers != wanted) return no(fmt::format("the taps' numbers are {}, not that", to_string(wanted)));
  const std::string& dtype = args.attrs.text("dtype");
  if (dtype.empty() || dtype == info(upstream.dtype).name) return Types{{upstream.dtype, *x}};
  if (dtype != "bf16" || upstream.dtype != DType::f32)
    return no(
        fmt::format("the result may be {} or, of f32, bf16, not '{}'", info(upstream.dtype).name, dtype));
  if (!s->down.apart || !s->right.apart) return no("windows that share places are summed in f32");
  return Types{{DType::bf16, *x}};
}

PoolSizes sizes_of(const Type& upstream, const Attrs& attrs) {
  return *pool_sizes(*pooled_pictures(upstream.dims, attrs), attrs);
}

void reference(const ReferenceArgs& a) {
  const PoolSizes s = sizes_of(a.in_types[0], a.attrs);
  std::fill_n(a.out[0], a.out_types[0].elements(), 0.0);
  for_windows(s, [&](int64_t b, int64_t p, int64_t q, const Window& rows, const Window& columns) {
    for_taps(s, b, rows, columns, [&](int64_t at, int64_t number) {
      for (int64_t c = 0; c < s.channels; ++c) {
        const int64_t from = s.y_at(b, p, q) + c;
        if (a.in[1][from] == static_cast<double>(number)) a.out[0][at + c] += a.in[0][from];
      }
    });
  });
}

PrepareResult prepare(const KernelRequest& r) {
  PoolSizes s = sizes_of(r.in[0], r.attrs);
  s.threads = pool_threads(r.out[0], r.target.threads);
  return Prepared{kernel_on(r.target.isa)(r.in[0].dtype, r.in[1].dtype, r.out[0].dtype),
                  std::make_shared<const PoolSizes>(std::move(s))};
}

const Kernel kKernels[] = {{"highway", prepare}};

}  // namespace

extern const OpDef max_pool_grad_op{
    .name = "max_pool_grad",
    .doc = "the gradient of max_pool: upstream to the largest of each window",
    .min_inputs = 2,
    .max_inputs = 2,
    .attrs = kAttrs,
    .infer = infer,
    .cost = moving_cost,
    .no_grad = "it is itself a gradient",
    .reference = reference,
    .kernels = kKernels,
};

}  // namespace shoestring::ops
#endif
