// f32 and bf16: widened, and rounded to nearest even; a NaN keeps a payload bit so that it stays one.
#if defined(SHOESTRING_OPS_BF16_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SHOESTRING_OPS_BF16_INL_H_
#undef SHOESTRING_OPS_BF16_INL_H_
#else
#define SHOESTRING_OPS_BF16_INL_H_
#endif

#include <hwy/highway.h>

#include <cstdint>

HWY_BEFORE_NAMESPACE();
namespace shoestring::ops::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// The bits of f32 to those of bf16, in the lower half of each lane. D is of uint32_t.
template <class D>
HWY_INLINE hn::Vec<D> bf16_bits(D d, hn::Vec<D> bits) {
  const auto high = hn::ShiftRight<16>(bits), odd = hn::And(high, hn::Set(d, 1u));
  const auto rounded = hn::ShiftRight<16>(hn::Add(hn::Add(bits, hn::Set(d, 0x7FFFu)), odd));
  const auto nan = hn::Gt(hn::And(bits, hn::Set(d, 0x7FFFFFFFu)), hn::Set(d, 0x7F800000u));
  return hn::IfThenElse(nan, hn::Or(high, hn::Set(d, 0x40u)), rounded);
}

// The first `count` of some bf16, widened; D is of float. Reads nothing beyond.
template <class D>
HWY_INLINE hn::Vec<D> load_bf16(D d, const uint16_t* from, int64_t count) {
  const hn::Rebind<uint16_t, D> half;
  const hn::RebindToUnsigned<D> bits;
  const auto widened = [&](auto some)
                           HWY_ATTR { return hn::BitCast(d, hn::ShiftLeft<16>(hn::PromoteTo(bits, some))); };
  if (HWY_LIKELY(count >= static_cast<int64_t>(hn::MaxLanes(d)))) return widened(hn::LoadU(half, from));
  HWY_ALIGN uint16_t some[hn::MaxLanes(half)] = {};
  for (int64_t i = 0; i < count; ++i) some[i] = from[i];
  return widened(hn::Load(half, some));
}

// The first `count` of them to memory.
template <class D>
HWY_INLINE void store_bf16(D d, hn::Vec<D> bits, uint16_t* to, int64_t count) {
  const hn::Rebind<uint16_t, D> half;
  const auto narrow = hn::DemoteTo(half, hn::BitCast(hn::RebindToSigned<D>(), bits));
  if (HWY_LIKELY(count >= static_cast<int64_t>(hn::MaxLanes(d)))) return hn::StoreU(narrow, half, to);
  HWY_ALIGN uint16_t some[hn::MaxLanes(half)];
  hn::Store(narrow, half, some);
  for (int64_t i = 0; i < count; ++i) to[i] = some[i];
}

}  // namespace shoestring::ops::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
