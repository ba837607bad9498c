#include "ops/shared/inner_tiles.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/shared/inner_tiles.cpp"
#include <hwy/foreach_target.h>

#include "ops/shared/elementwise-inl.h"

HWY_BEFORE_NAMESPACE();
namespace shoestring::ops::HWY_NAMESPACE {
namespace {

struct Copy {
  template <class D, class V = hn::Vec<D>>
  HWY_INLINE V operator()(D, V a) const {
    return a;
  }
};
struct MultiplyPlus {
  template <class D, class V = hn::Vec<D>>
  HWY_INLINE V operator()(D, V a, V b, V c) const {
    return hn::MulAdd(a, b, c);
  }
};
struct MultiplyMinus {
  template <class D, class V = hn::Vec<D>>
  HWY_INLINE V operator()(D, V a, V b, V c) const {
    return hn::MulSub(a, b, c);
  }
};
struct MinusMultiply {
  template <class D, class V = hn::Vec<D>>
  HWY_INLINE V operator()(D, V a, V b, V c) const {
    return hn::NegMulAdd(a, b, c);
  }
};

struct LerpSquare {
  template <class D, class V = hn::Vec<D>>
  HWY_INLINE V operator()(D, V a, V b, V c) const {
    return hn::MulAdd(c, hn::Sub(hn::Mul(b, b), a), a);
  }
};
struct RootStep {
  static constexpr uint32_t kUniform = 1u << 2 | 1u << 4;

  template <class D, class V = hn::Vec<D>>
  HWY_INLINE V operator()(D, V a, V b, V c, V d, V e) const {
    return hn::Sub(a, hn::Div(hn::Mul(b, c), hn::Add(hn::Sqrt(d), e)));
  }
};

TileSet tiles(InnerTile kind) {
  switch (kind) {
    case InnerTile::copy:
      return tiles_of<Copy>();
    case InnerTile::multiply_plus:
      return tiles_of<MultiplyPlus>();
    case InnerTile::multiply_minus:
      return tiles_of<MultiplyMinus>();
    case InnerTile::minus_multiply:
      return tiles_of<MinusMultiply>();
    case InnerTile::lerp_square:
      return tiles_of<LerpSquare>();
    default:
      return tiles_of<RootStep>();
  }
}

}  // namespace
}  // namespace shoestring::ops::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace shoestring::ops {
namespace {
SHOESTRING_EXPORT(tiles);
}

TileSet inner_tiles(Isa isa, InnerTile kind) { return tiles_on(isa)(kind); }

}  // namespace shoestring::ops
#endif
