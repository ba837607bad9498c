// is_finite: 1 for numbers, 0 for infinities and NaN.
#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/is_finite.cpp"
#include <hwy/foreach_target.h>

#include "ops/shared/elementwise-inl.h"

HWY_BEFORE_NAMESPACE();
namespace shoestring::ops::HWY_NAMESPACE {
namespace {

struct Kernel {
  template <class D, class V = hn::Vec<D>>
  HWY_INLINE V operator()(D d, V x) const {
    return one_where(d, hn::Eq(hn::Sub(x, x), hn::Zero(d)));
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

extern const OpDef is_finite_op{
    .name = "is_finite",
    .doc = "1 where x is neither infinite nor NaN",
    .traits = kElementwise | kCheap,
    .infer = [](const OpArgs& args) { return one_type("is_finite", args); },
    .cost = elementwise_cost<2>,
    .grad = no_slope,
    .scalar = [](const double* in, const double*) { return std::isfinite(in[0]) ? 1.0 : 0.0; },
    .tiles = [](Isa isa) { return tiles_on(isa)(); },
};

}  // namespace shoestring::ops
#endif
