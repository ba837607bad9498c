// Tile functions from a lane-wise kernel, once per instruction set. An operator's file includes this
// between foreach_target.h and its kernel, a struct that maps vectors to a vector:
//
//   struct Kernel {
//     template <class D, class V = hn::Vec<D>>
//     HWY_INLINE V operator()(D d, V a, V b) const { return hn::Add(a, b); }
//   };
//   TileSet tiles() { return tiles_of<Kernel>(); }
//
// A kernel with parameters has one member, `const double* params`; a long one says
// `static constexpr bool kLong = true`; one of five inputs names in kUniform those that are scalars as a
// rule.
#if defined(SHOESTRING_OPS_ELEMENTWISE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SHOESTRING_OPS_ELEMENTWISE_INL_H_
#undef SHOESTRING_OPS_ELEMENTWISE_INL_H_
#else
#define SHOESTRING_OPS_ELEMENTWISE_INL_H_
#endif

#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include <type_traits>
#include <utility>

#include "ops/shared/elementwise.h"
#include "ops/shared/lanes-inl.h"
#include "ops/shared/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace shoestring::ops::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class K, class D, class V = hn::Vec<D>>
constexpr size_t inputs_of() {
  if constexpr (std::is_invocable_v<K, D, V>)
    return 1;
  else if constexpr (std::is_invocable_v<K, D, V, V>)
    return 2;
  else if constexpr (std::is_invocable_v<K, D, V, V, V>)
    return 3;
  else
    return 5;
}

template <class K>
HWY_INLINE K kernel_of(const Tile& tile) {
  if constexpr (std::is_empty_v<K>)
    return K{};
  else
    return K{tile.params};
}

// Where a loop finds an input: n elements, one for all, or (for any input) elements or one vector of it,
// as the mask on the index is all ones or 0.
template <class D, class T = hn::TFromD<D>>
struct Elements {
  const T* from;
  HWY_INLINE hn::Vec<D> at(D d, size_t i) const { return hn::LoadU(d, from + i); }
  HWY_INLINE hn::Vec<D> some(D d, size_t i, FirstLanes<D> first) const { return first.load(d, from + i); }
};
template <class D, class T = hn::TFromD<D>>
struct Uniform {
  hn::Vec<D> value;
  HWY_INLINE hn::Vec<D> at(D, size_t) const { return value; }
  HWY_INLINE hn::Vec<D> some(D, size_t, FirstLanes<D>) const { return value; }
};
template <class D, class T = hn::TFromD<D>>
struct Either {
  const T* from;
  size_t mask;
  HWY_INLINE hn::Vec<D> at(D d, size_t i) const { return hn::LoadU(d, from + (i & mask)); }
  HWY_INLINE hn::Vec<D> some(D d, size_t i, FirstLanes<D> first) const {
    return first.load(d, from + (i & mask));
  }
  HWY_INLINE void fetch(size_t i) const { hwy::Prefetch(from + (i & mask)); }
};

// A long kernel is written out twice only, a short one four times: two vectors a turn hide the loop.
template <class K>
concept Long = K::kLong;

// `padded`: the last store is of a whole vector, which the next operator can load without waiting for the
// cache, as it must after a store under a mask.
template <class K, class D, class T, class... In>
HWY_INLINE void run_loop(D d, K kernel, T* out, size_t n, bool padded, In... in) {
  const size_t lanes = hn::Lanes(d);
  size_t i = 0;
  if constexpr (Long<K>) {
    for (; i + lanes <= n; i += lanes) {
      (in.fetch(i + static_cast<size_t>(kFetchedAhead)), ...);
      hwy::Prefetch(out + i + kFetchedAhead);
      hn::StoreU(kernel(d, in.at(d, i)...), d, out + i);
    }
  } else {
    // All is loaded before anything is stored: `out` may be one of the inputs.
    for (; i + 2 * lanes <= n; i += 2 * lanes) {
      const auto first = kernel(d, in.at(d, i)...);
      const auto second = kernel(d, in.at(d, i + lanes)...);
      hn::StoreU(first, d, out + i);
      hn::StoreU(second, d, out + i + lanes);
    }
    if (i + lanes <= n) {
      hn::StoreU(kernel(d, in.at(d, i)...), d, out + i);
      i += lanes;
    }
  }
  if (i < n) {
    const FirstLanes<D> first(d, n - i);
    const auto last = kernel(d, in.some(d, i, first)...);
    if (padded)
      hn::StoreU(last, d, out + i);
    else
      first.store(d, last, out + i);
  }
}

template <bool kUniform, class D, class T>
HWY_INLINE auto input(D d, const T* from) {
  if constexpr (kUniform)
    return Uniform<D>{hn::Set(d, *from)};
  else
    return Elements<D>{from};
}

// The uniform inputs as a constant of the loop: kMask says which.
template <class K, class T, uint32_t kMask, size_t... I>
HWY_INLINE void run_as(const Tile& tile, std::index_sequence<I...>) {
  const hn::ScalableTag<T> d;
  run_loop(d, kernel_of<K>(tile), static_cast<T*>(tile.out), static_cast<size_t>(tile.n), tile.padded,
           input<(kMask >> I & 1) != 0>(d, static_cast<const T*>(tile.in[I]))...);
}
template <class K, class T, size_t... I>
HWY_INLINE void run_any(const Tile& tile, std::index_sequence<I...>) {
  using D = hn::ScalableTag<T>;
  const D d;
  HWY_ALIGN T values[sizeof...(I)][hn::MaxLanes(d)];
  const auto either = [&](size_t k) HWY_ATTR {
    const T* from = static_cast<const T*>(tile.in[k]);
    if (!(tile.uniform >> k & 1)) return Either<D>{from, ~size_t{0}};
    hn::Store(hn::Set(d, *from), d, values[k]);
    return Either<D>{values[k], 0};
  };
  run_loop(d, kernel_of<K>(tile), static_cast<T*>(tile.out), static_cast<size_t>(tile.n), tile.padded,
           either(I)...);
}

// What scalars are mostly used for has loops of its own: x op s, lerp by s, a x + b with any of them, a
// choice between x and s.
template <class K, class T>
void tile_function(const Tile& tile) noexcept {
  constexpr size_t kInputs = inputs_of<K, hn::ScalableTag<T>>();
  constexpr std::make_index_sequence<kInputs> kAll;
  if constexpr (!Long<K>) {
    if (tile.uniform == 0) return run_as<K, T, 0>(tile, kAll);
    if constexpr (kInputs == 2) {
      if (tile.uniform == 2) return run_as<K, T, 2>(tile, kAll);
    }
    if constexpr (kInputs == 3) {
      if (tile.uniform == 2) return run_as<K, T, 2>(tile, kAll);
      if (tile.uniform == 4) return run_as<K, T, 4>(tile, kAll);
      if (tile.uniform == 6) return run_as<K, T, 6>(tile, kAll);
    }
    if constexpr (kInputs > 3) {
      if (tile.uniform == K::kUniform) return run_as<K, T, K::kUniform>(tile, kAll);
    }
  }
  run_any<K, T>(tile, kAll);
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
