// abs: |x|. The gradient at 0 is 0.
#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/abs.cpp"
#include <hwy/foreach_target.h>

#include "ops/shared/elementwise-inl.h"

HWY_BEFORE_NAMESPACE();
namespace shoestring::ops::HWY_NAMESPACE {
namespace {

struct Kernel {
  template <class D, class V = hn::Vec<D>>
  HWY_INLINE V operator()(D, V x) const {
    return hn::Abs(x);
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

void grad(Backward& b) { b.add(0, mul(b.upstream(), sign(b.input(0)))); }

}  // namespace

extern const OpDef abs_op{
    .name = "abs",
    .doc = "|x|",
    .traits = kElementwise | kCheap,
    .infer = [](const OpArgs& args) { return one_type("abs", args); },
    .cost = elementwise_cost<1>,
    .grad = grad,
    .scalar = [](const double* in, const double*) { return std::abs(in[0]); },
    .tiles = [](Isa isa) { return tiles_on(isa)(); },
};

}  // namespace shoestring::ops
#endif
