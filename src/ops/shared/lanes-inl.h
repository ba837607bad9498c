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

// The first `count` <= lanes elements of 4 or 8 bytes.
#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3
template <class D, class T = hn::TFromD<D>>
struct FirstLanes {
  hn::Mask<D> mask;

  HWY_INLINE FirstLanes(D d, size_t count) : mask(hn::FirstN(d, count)) {}
  HWY_INLINE hn::Vec<D> load(D d, const T* from) const { return hn::MaskedLoad(mask, d, from); }
  HWY_INLINE void store(D d, hn::Vec<D> v, T* to) const { hn::BlendedStore(v, mask, d, to); }
};
#else
template <class D, class T = hn::TFromD<D>>
struct FirstLanes {
  size_t count;

  HWY_INLINE FirstLanes(D, size_t n) : count(n) {}
  HWY_INLINE hn::Vec<D> load(D d, const T* from) const {
    HWY_ALIGN T lanes[hn::MaxLanes(d)] = {};
    for (size_t i = 0; i < count; ++i) lanes[i] = from[i];
    return hn::Load(d, lanes);
  }
  HWY_INLINE void store(D d, hn::Vec<D> v, T* to) const {
    HWY_ALIGN T lanes[hn::MaxLanes(d)];
    hn::Store(v, d, lanes);
    for (size_t i = 0; i < count; ++i) to[i] = lanes[i];
  }
};
#endif

}  // namespace shoestring::ops::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
