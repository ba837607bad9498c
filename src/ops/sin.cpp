// sin: the sine of an angle in radians; NaN at infinities.
#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/sin.cpp"
#include <hwy/foreach_target.h>

#include "ops/shared/elementwise-inl.h"
#include "ops/shared/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace shoestring::ops::HWY_NAMESPACE {
namespace {

struct Kernel {
  static constexpr bool kLong = true;

  template <class D, class V = hn::Vec<D>>
  HWY_INLINE V operator()(D d, V x) const {
    return sin_of(d, x);
  }
};

TileSet tiles() { return tiles_of<Kernel>(); }

}  // namespace
}  // namespace shoestring::ops::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace shoestring::ops {
namespace {

SHOESTRING_EXPORT(tiles);

void grad(Backward& b) { b.add(0, mul(b.upstream(), cos(b.input(0)))); }

}  // namespace

extern const OpDef sin_op{
    .name = "sin",
    .doc = "sin x",
    .traits = kElementwise,
    .infer = [](const OpArgs& args) { return one_type("sin", args); },
    .cost = elementwise_cost<kTranscendental>,
    .grad = grad,
    .scalar = [](const double* in, const double*) { return std::sin(in[0]); },
    .tiles = [](Isa isa) { return tiles_on(isa)(); },
};

}  // namespace shoestring::ops
#endif
