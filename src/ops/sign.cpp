// sign: 1 above 0, -1 below, 0 at 0; NaN stays NaN.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/sign.cpp"
#include <hwy/foreach_target.h>

#include "ops/shared/elementwise-inl.h"

HWY_BEFORE_NAMESPACE();
namespace shoestring::ops::HWY_NAMESPACE {
namespace {

struct Kernel {
  template <class D, class V = hn::Vec<D>>
  HWY_INLINE V operator()(D d, V x) const {
    const V one = hn::Set(d, hn::TFromD<D>(1)), zero = hn::Zero(d);
    return hn::IfThenElse(hn::Gt(x, zero), one, hn::IfThenElse(hn::Lt(x, zero), hn::Neg(one), x));
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

}  // namespace

extern const OpDef sign_op{
    .name = "sign",
    .doc = "1, 0 or -1 as x is above, at or below 0",
    .traits = kElementwise | kCheap,
    .infer = [](const OpArgs& args) { return one_type("sign", args); },
    .cost = elementwise_cost<2>,
    .grad = no_slope,
    .scalar = [](const double* in, const double*) { return in[0] > 0   ? 1.0
                                                           : in[0] < 0 ? -1.0
                                                                       : in[0]; },
    .tiles = [](Isa isa) { return tiles_on(isa)(); },
};

}  // namespace shoestring::ops
#endif
