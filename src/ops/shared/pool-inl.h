// Numbers of taps, u8 or u16 in memory, as vectors of the type that is computed with.
#if defined(SHOESTRING_OPS_POOL_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SHOESTRING_OPS_POOL_INL_H_
#undef SHOESTRING_OPS_POOL_INL_H_
#else
#define SHOESTRING_OPS_POOL_INL_H_
#endif

#include <hwy/highway.h>

#include <cstdint>

HWY_BEFORE_NAMESPACE();
namespace shoestring::ops::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class D, class Number, class T = hn::TFromD<D>>
HWY_INLINE void store_numbers(D d, hn::Vec<D> v, Number* to, int64_t lanes) {
  if constexpr (sizeof(T) == 4) {
    if (HWY_LIKELY(lanes == static_cast<int64_t>(hn::Lanes(d)))) {
      const hn::Rebind<Number, D> narrow;
      return hn::StoreU(hn::DemoteTo(narrow, hn::ConvertTo(hn::RebindToSigned<D>(), v)), narrow, to);
    }
  }
  HWY_ALIGN T each[hn::MaxLanes(d)];
  hn::Store(v, d, each);
  for (int64_t i = 0; i < lanes; ++i) to[i] = static_cast<Number>(each[i]);
}

template <class D, class Number, class T = hn::TFromD<D>>
HWY_INLINE hn::Vec<D> load_numbers(D d, const Number* from, int64_t lanes) {
  if constexpr (sizeof(T) == 4) {
    if (HWY_LIKELY(lanes == static_cast<int64_t>(hn::Lanes(d)))) {
      const hn::Rebind<Number, D> narrow;
      return hn::ConvertTo(d, hn::PromoteTo(hn::RebindToSigned<D>(), hn::LoadU(narrow, from)));
    }
  }
  HWY_ALIGN T each[hn::MaxLanes(d)] = {};
  for (int64_t i = 0; i < lanes; ++i) each[i] = static_cast<T>(from[i]);
  return hn::Load(d, each);
}

}  // namespace shoestring::ops::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
