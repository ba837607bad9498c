// random_uniform: numbers in [low, high), in steps of 2^-24 of the range.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/random_uniform.cpp"
#include <hwy/foreach_target.h>

#include "ops/ops.h"
#include "ops/shared/random-inl.h"

HWY_BEFORE_NAMESPACE();
namespace shoestring::ops::HWY_NAMESPACE {
namespace {

// In f32 and without fused multiply-adds (src/CMakeLists.txt turns them off), so that every dtype and
// machine gives the same numbers.
template <class T>
void run(const void* data, const KernelArgs& args) noexcept {
  const auto& s = *static_cast<const RandomSizes*>(data);
  const auto from = static_cast<float>(s.a), range = static_cast<float>(s.b) - from;
  fill_all(s, *args.context, args.at<T>(0), [=](const uint32_t* bits, T* out) HWY_ATTR {
    const hn::ScalableTag<float> d;
    const hn::RebindToSigned<decltype(d)> di;
    const hn::RebindToUnsigned<decltype(d)> du;
    HWY_ALIGN float numbers[4 * kBlocks];
    for (size_t i = 0; i < 4 * kBlocks; i += hn::Lanes(d)) {
      const auto high_bits = hn::BitCast(di, hn::ShiftRight<8>(hn::LoadU(du, bits + i)));
      const auto u = hn::Mul(hn::ConvertTo(d, high_bits), hn::Set(d, 0x1p-24f));
      const auto x = hn::Add(hn::Mul(u, hn::Set(d, range)), hn::Set(d, from));
      if constexpr (sizeof(T) == 4)
        hn::StoreU(x, d, out + i);
      else
        hn::Store(x, d, numbers + i);
    }
    if constexpr (sizeof(T) == 8)
      for (size_t i = 0; i < 4 * kBlocks; ++i) out[i] = static_cast<T>(numbers[i]);
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

const AttrDef kAttrs[] = {{"dtype", std::string("f32")},
                          {"dims", std::vector<int64_t>{}},
                          {"low", 0.0},
                          {"high", 1.0},
                          {"stream", int64_t{0}}};

constexpr int64_t kWorthThreads = 1 << 13;  // elements, at half a nanosecond each

RandomSizes sizes(const Type& out, const Attrs& attrs, int threads = 1) {
  return random_sizes(out, attrs, attrs.number("low"), attrs.number("high"), threads, kWorthThreads);
}

void reference(const ReferenceArgs& a) {
  const RandomSizes s = sizes(a.out_types[0], a.attrs);
  const auto low = static_cast<float>(s.a), range = static_cast<float>(s.b) - low;
  draw_rows(s, a.context, a.out[0], [=](const PhiloxBlock& bits, double* four) {
    for (size_t i = 0; i < 4; ++i) {
      const float scaled = uniform01(bits[i]) * range;
      four[i] = low + scaled;
    }
  });
}

PrepareResult prepare(const KernelRequest& r) {
  return Prepared{kernel_on(r.target.isa)(r.out[0].dtype),
                  std::make_shared<const RandomSizes>(sizes(r.out[0], r.attrs, r.target.threads))};
}
const Kernel kKernels[] = {{"highway", prepare}};

}  // namespace

extern const OpDef random_uniform_op{
    .name = "random_uniform",
    .doc = "uniform numbers in [low, high)",
    .min_inputs = 0,
    .max_inputs = 0,
    .traits = kRandom | kNoFold,
    .attrs = kAttrs,
    .infer = [](const OpArgs& args) { return random_type("random_uniform", args.attrs); },
    .cost =
        [](const OpArgs& args, std::span<const Type> out) {
          return Cost{.flops = 20 * static_cast<double>(out[0].elements()),
                      .bytes = moving_cost(args, out).bytes};
        },
    .no_grad = "it has no operand",
    .reference = reference,
    .kernels = kKernels,
};

}  // namespace shoestring::ops
#endif
