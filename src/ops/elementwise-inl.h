// Tile functions from a lane-wise kernel, once per instruction set. An operator's file includes this
// between foreach_target.h and its kernel, a struct that maps vectors to a vector:
//
//   struct Kernel {
//     template <class D, class V = hn::Vec<D>>
//     HWY_INLINE V operator()(D d, V a, V b) const { return hn::Add(a, b); }
//   };
//   TileSet tiles() { return tiles_of<Kernel>(); }
//
// A kernel with parameters has one member, `const double* params`.
#if defined(SHOESTRING_OPS_ELEMENTWISE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SHOESTRING_OPS_ELEMENTWISE_INL_H_
#undef SHOESTRING_OPS_ELEMENTWISE_INL_H_
#else
#define SHOESTRING_OPS_ELEMENTWISE_INL_H_
#endif

#include <hwy/highway.h>

#include <type_traits>
#include <utility>

#include "ops/elementwise.h"
#include "ops/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace shoestring::ops::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class K, class D, class V = hn::Vec<D>>
constexpr size_t inputs_of() {
  if constexpr (std::is_invocable_v<K, D, V>)
    return 1;
  else if constexpr (std::is_invocable_v<K, D, V, V>)
    return 2;
  else
    return 3;
}

template <class K>
HWY_INLINE K kernel_of(const Tile& tile) {
  if constexpr (std::is_empty_v<K>)
    return K{};
  else
    return K{tile.params};
}

// Loads and stores of `count` < lanes elements that touch nothing beyond them.
template <class D, class T = hn::TFromD<D>>
HWY_INLINE hn::Vec<D> load_some(D d, const T* from, size_t count) {
#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3
  return hn::MaskedLoad(hn::FirstN(d, count), d, from);
#else  // masks are blends of whole vectors here
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

template <class K, class T, size_t... I>
HWY_INLINE void run_tile(const Tile& tile, std::index_sequence<I...>) {
  const hn::ScalableTag<T> d;
  const size_t lanes = hn::Lanes(d), n = static_cast<size_t>(tile.n);
  const K kernel = kernel_of<K>(tile);
  const T* const in[] = {static_cast<const T*>(tile.in[I])...};
  T* const out = static_cast<T*>(tile.out);
  size_t i = 0;
  // Two vectors a turn. All is loaded before anything is stored: `out` may be one of the inputs.
  for (; i + 2 * lanes <= n; i += 2 * lanes) {
    const auto first = kernel(d, hn::LoadU(d, in[I] + i)...);
    const auto second = kernel(d, hn::LoadU(d, in[I] + i + lanes)...);
    hn::StoreU(first, d, out + i);
    hn::StoreU(second, d, out + i + lanes);
  }
  if (i + lanes <= n) {
    hn::StoreU(kernel(d, hn::LoadU(d, in[I] + i)...), d, out + i);
    i += lanes;
  }
  if (i < n) store_some(d, kernel(d, load_some(d, in[I] + i, n - i)...), out + i, n - i);
}

template <class K, class T>
void tile_function(const Tile& tile) noexcept {
  run_tile<K, T>(tile, std::make_index_sequence<inputs_of<K, hn::ScalableTag<T>>()>());
}

template <class K>
TileSet tiles_of() {
  return {.f32 = tile_function<K, float>, .f64 = tile_function<K, double>};
}

// 1 where the mask is true, else 0.
template <class D, class M>
HWY_INLINE hn::Vec<D> one_where(D d, M mask) {
  return hn::IfThenElseZero(mask, hn::Set(d, hn::TFromD<D>(1)));
}

}  // namespace shoestring::ops::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
