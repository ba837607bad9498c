// Loads and stores of less than a vector that touch nothing beyond: Highway's are blends of whole vectors
// on some instruction sets.
#if defined(SHOESTRING_OPS_LANES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SHOESTRING_OPS_LANES_INL_H_
#undef SHOESTRING_OPS_LANES_INL_H_
#else
#define SHOESTRING_OPS_LANES_INL_H_
#endif

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace shoestring::ops::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// The first `count` < lanes elements; the other lanes are 0.
template <class D, class T = hn::TFromD<D>>
HWY_INLINE hn::Vec<D> load_some(D d, const T* from, size_t count) {
#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3
  return hn::MaskedLoad(hn::FirstN(d, count), d, from);
#else
  HWY_ALIGN T lanes[hn::MaxLanes(d)] = {};
  for (size_t i = 0; i < count; ++i) lanes[i] = from[i];
  return hn::Load(d, lanes);
#endif
}

template <class D, class T = hn::TFromD<D>>
HWY_INLINE void store_some(D d, hn::Vec<D> v, T* to, size_t count) {
#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3
  hn::BlendedStore(v, hn::FirstN(d, count), d, to);
#else
  HWY_ALIGN T lanes[hn::MaxLanes(d)];
  hn::Store(v, d, lanes);
  for (size_t i = 0; i < count; ++i) to[i] = lanes[i];
#endif
}

}  // namespace shoestring::ops::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
