// cast: the same values in another dtype. Integers are rounded to nearest and clamped, NaN becomes 0. Dtypes
// that come in blocks are coded and decoded here, and nowhere else.
#include <algorithm>
#include <bit>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/cast.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "ir/dynamic_code.h"
#include "ops/ops.h"
#include "ops/shared/bf16-inl.h"
#include "ops/shared/shapes.h"
#include "ops/shared/simd-inl.h"

namespace shoestring::ops {
using CastFn = void (*)(const void* from, void* to, int64_t n);
}

HWY_BEFORE_NAMESPACE();
namespace shoestring::ops::HWY_NAMESPACE {
namespace {
namespace hn = hwy::HWY_NAMESPACE;

// A vector of To from as many elements of From: what batches are made of.
template <class From, class To, class D = hn::ScalableTag<To>>
HWY_INLINE hn::Vec<D> load_as(const From* from) {
  const D d;
  if constexpr (std::is_same_v<From, int32_t>) {
    return hn::ConvertTo(d, hn::LoadU(hn::Rebind<int32_t, D>(), from));
  } else if constexpr (std::is_same_v<From, hwy::bfloat16_t>) {
    return load_bf16(d, reinterpret_cast<const uint16_t*>(from), static_cast<int64_t>(hn::MaxLanes(d)));
  } else if constexpr (std::is_same_v<To, float> && std::is_integral_v<From>) {
    const hn::Rebind<int32_t, D> whole;
    return hn::ConvertTo(d, hn::PromoteTo(whole, hn::LoadU(hn::Rebind<From, D>(), from)));
  } else {
    return hn::PromoteTo(d, hn::LoadU(hn::Rebind<From, D>(), from));
  }
}

template <class From, class To>
void widen(const void* source, void* target, int64_t n) {
  const hn::ScalableTag<To> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const From* from = static_cast<const From*>(source);
  To* to = static_cast<To*>(target);
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) hn::StoreU(load_as<From, To>(from + i), d, to + i);
  if (i == n) return;
  HWY_ALIGN From rest[hn::MaxLanes(d)] = {};
  HWY_ALIGN To wide[hn::MaxLanes(d)];
  for (int64_t k = 0; k < lanes && i + k < n; ++k) rest[k] = from[i + k];
  hn::Store(load_as<From, To>(rest), d, wide);
  for (int64_t k = 0; i < n; ++k, ++i) to[i] = wide[k];
}

void f64_to_f32(const void* source, void* target, int64_t n) {
  const hn::ScalableTag<double> d;
  const hn::Rebind<float, decltype(d)> half;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const auto* from = static_cast<const double*>(source);
  auto* to = static_cast<float*>(target);
  int64_t i = 0;
  if (lanes > 1)  // the scalar DemoteTo clamps where vectors give infinity
    for (; i + lanes <= n; i += lanes) hn::StoreU(hn::DemoteTo(half, hn::LoadU(d, from + i)), half, to + i);
  for (; i < n; ++i) to[i] = static_cast<float>(from[i]);
}

void to_bf16(const void* source, void* target, int64_t n) {
  const auto* from = static_cast<const uint32_t*>(source);
  auto* to = static_cast<uint16_t*>(target);
  const hn::ScalableTag<uint32_t> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) store_bf16(d, bf16_bits(d, hn::LoadU(d, from + i)), to + i, lanes);
  if (i == n) return;
  HWY_ALIGN uint32_t rest[hn::MaxLanes(d)] = {};
  for (int64_t k = 0; i + k < n; ++k) rest[k] = from[i + k];
  store_bf16(d, bf16_bits(d, hn::Load(d, rest)), to + i, n - i);
}

#undef SHOESTRING_F16
#if HWY_TARGET != HWY_SCALAR  // whose conversions of f16 leave infinities and NaN out
#define SHOESTRING_F16 1
void to_f16(const void* source, void* target, int64_t n) {
  const hn::ScalableTag<float> d;
  const hn::Rebind<hwy::float16_t, decltype(d)> half;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const auto* from = static_cast<const float*>(source);
  auto* to = static_cast<hwy::float16_t*>(target);
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) hn::StoreU(hn::DemoteTo(half, hn::LoadU(d, from + i)), half, to + i);
  if (i == n) return;
  HWY_ALIGN float rest[hn::MaxLanes(d)] = {};
  HWY_ALIGN hwy::float16_t narrow[hn::MaxLanes(d)];
  for (int64_t k = 0; k < lanes && i + k < n; ++k) rest[k] = from[i + k];
  hn::Store(hn::DemoteTo(half, hn::Load(d, rest)), half, narrow);
  for (int64_t k = 0; i < n; ++k, ++i) to[i] = narrow[k];
}
#else
#define SHOESTRING_F16 0
#endif

// Null if there is none for the pair.
CastFn function(DType from, DType to) {
  if (to == DType::f32) switch (from) {
      case DType::i32:
        return widen<int32_t, float>;
      case DType::u8:
        return widen<uint8_t, float>;
      case DType::i8:
        return widen<int8_t, float>;
      case DType::u16:
        return widen<uint16_t, float>;
      case DType::i16:
        return widen<int16_t, float>;
      case DType::bf16:
        return widen<hwy::bfloat16_t, float>;
      case DType::f64:
        return f64_to_f32;
      default:
        break;
    }
#if SHOESTRING_F16
  if (to == DType::f32 && from == DType::f16) return widen<hwy::float16_t, float>;
  if (to == DType::f16 && from == DType::f32) return to_f16;
#endif
  if (to == DType::f64 && from == DType::f32) return widen<float, double>;
  if (to == DType::i32 && from == DType::u8) return widen<uint8_t, int32_t>;
  if (to == DType::i32 && from == DType::u16) return widen<uint16_t, int32_t>;
  if (to == DType::bf16 && from == DType::f32) return to_bf16;
  return nullptr;
}

}  // namespace
}  // namespace shoestring::ops::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace shoestring::ops {
namespace {

SHOESTRING_EXPORT(function);

const AttrDef kAttrs[] = {{"dtype", std::string("f32")}};

Result<Types> infer(const OpArgs& args) {
  const auto dtype = dtype_named(args.attrs.text("dtype"));
  if (!dtype) return wrong(fmt::format("cast: no dtype '{}'", args.attrs.text("dtype")));
  return Types{{*dtype, args.in[0].dims}};
}

// Through whole numbers no gradient flows.
void grad(Backward& b) {
  const DType from = b.input(0).type().dtype, to = b.output().type().dtype;
  if (info(from).floating && info(to).floating) b.add(0, cast(b.upstream(), from));
}

// Values arrive widened; the result is what the target dtype can hold.
void reference(const ReferenceArgs& a) {
  const int64_t n = a.in_types[0].elements();
  std::vector<std::byte> narrow(static_cast<size_t>(a.out_types[0].bytes()));
  encode(a.out_types[0].dtype, a.in[0], narrow.data(), n);
  decode(a.out_types[0].dtype, narrow.data(), a.out[0], n);
}

struct Sizes {
  DType from, to;
  int64_t n;
  CastFn run;
  int threads;
};
constexpr int64_t kGrain = 4096;               // elements of a thread's share: whole blocks
constexpr int64_t kWorthThreads = 1 << 17;     // where vectors do it
constexpr int64_t kWorthThreadsF64 = 1 << 13;  // where f64 stands between
constexpr int64_t kWorthThreadsBlocks = 1 << 14;

// Where element i stands, which begins a block.
int64_t offset(DType dtype, int64_t i) { return i / info(dtype).block_elements * info(dtype).block_bytes; }

// Any pair, by way of f64, a piece at a time.
void through_f64(DType from, DType to, const char* x, char* y, int64_t count) {
  constexpr int64_t kPiece = 256;  // whole blocks of every dtype
  double wide[kPiece];
  for (int64_t i = 0; i < count; i += kPiece) {
    const int64_t n = std::min(kPiece, count - i);
    decode(from, x + offset(from, i), wide, n);
    encode(to, wide, y + offset(to, i), n);
  }
}

template <bool kSigned>
void code_blocks(const void* x, void* blocks, int64_t n) {
  encode_blocks(dynamic_code(kSigned), static_cast<const float*>(x), blocks, n);
}
template <bool kSigned>
void uncode_blocks(const void* blocks, void* x, int64_t n) {
  decode_blocks(dynamic_code(kSigned), blocks, static_cast<float*>(x), n);
}
CastFn block_function(DType from, DType to) {
  if (from == DType::f32 && to == DType::dyn8) return code_blocks<true>;
  if (from == DType::f32 && to == DType::udyn8) return code_blocks<false>;
  if (from == DType::dyn8 && to == DType::f32) return uncode_blocks<true>;
  if (from == DType::udyn8 && to == DType::f32) return uncode_blocks<false>;
  return nullptr;
}

void run(const void* data, const KernelArgs& args) noexcept {
  const auto& s = *static_cast<const Sizes*>(data);
  const auto part = [&](int64_t begin, int64_t end) {
    const char* x = args.at<const char>(0) + offset(s.from, begin);
    char* y = args.at<char>(1) + offset(s.to, begin);
    if (s.run)
      s.run(x, y, end - begin);
    else
      through_f64(s.from, s.to, x, y, end - begin);
  };
  if (s.threads == 1) return part(0, s.n);
  parallel([&](int thread, int threads) {
    const Share share = share_of(s.n, thread, threads, kGrain);
    part(share.begin, share.end);
  });
}

Prepared prepared(const KernelRequest& r, CastFn function, int64_t worth_threads) {
  const int64_t n = r.in[0].elements();
  const int threads = n >= worth_threads ? r.target.threads : 1;
  return {run, std::make_shared<const Sizes>(Sizes{r.in[0].dtype, r.out[0].dtype, n, function, threads})};
}
PrepareResult prepare_highway(const KernelRequest& r) {
  const CastFn f = function_on(r.target.isa)(r.in[0].dtype, r.out[0].dtype);
  if (!f) return tl::unexpected(std::string("no vectors for this pair"));
  return prepared(r, f, kWorthThreads);
}
PrepareResult prepare_blocks(const KernelRequest& r) {
  const CastFn f = block_function(r.in[0].dtype, r.out[0].dtype);
  if (!f) return tl::unexpected(std::string("not between f32 and blocks"));
  return prepared(r, f, kWorthThreadsBlocks);
}
PrepareResult prepare_through_f64(const KernelRequest& r) { return prepared(r, nullptr, kWorthThreadsF64); }

const Kernel kKernels[] = {
    {"highway", prepare_highway}, {"blocks", prepare_blocks}, {"scalar", prepare_through_f64}};

}  // namespace

extern const OpDef cast_op{
    .name = "cast",
    .doc = "the same values in another dtype",
    .traits = kBlocks,
    .attrs = kAttrs,
    .infer = infer,
    .cost = moving_cost,
    .grad = grad,
    .reference = reference,
    .kernels = kKernels,
};

}  // namespace shoestring::ops
#endif
