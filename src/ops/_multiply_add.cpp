#include "ops/_multiply_add.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/_multiply_add.cpp"
#include <hwy/foreach_target.h>

#include "ops/elementwise-inl.h"

HWY_BEFORE_NAMESPACE();
namespace shoestring::ops::HWY_NAMESPACE {
namespace {

struct Plus {
  template <class D, class V = hn::Vec<D>>
  HWY_INLINE V operator()(D, V a, V b, V c) const {
    return hn::MulAdd(a, b, c);
  }
};
struct Minus {
  template <class D, class V = hn::Vec<D>>
  HWY_INLINE V operator()(D, V a, V b, V c) const {
    return hn::MulSub(a, b, c);
  }
};
struct From {
  template <class D, class V = hn::Vec<D>>
  HWY_INLINE V operator()(D, V a, V b, V c) const {
    return hn::NegMulAdd(a, b, c);
  }
};

TileSet tiles(MultiplyAdd kind) {
  switch (kind) {
    case MultiplyAdd::plus:
      return tiles_of<Plus>();
    case MultiplyAdd::minus:
      return tiles_of<Minus>();
    default:
      return tiles_of<From>();
  }
}

}  // namespace
}  // namespace shoestring::ops::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace shoestring::ops {
HWY_EXPORT(tiles);

TileSet multiply_add_tiles(Isa isa, MultiplyAdd kind) {
  return HWY_DISPATCH_TABLE(tiles)[target_index(isa)](kind);
}

}  // namespace shoestring::ops
#endif
