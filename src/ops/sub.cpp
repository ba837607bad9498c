// sub: a - b.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/sub.cpp"
#include <hwy/foreach_target.h>

#include "ops/shared/elementwise-inl.h"

HWY_BEFORE_NAMESPACE();
namespace shoestring::ops::HWY_NAMESPACE {
namespace {

struct Kernel {
  template <class D, class V = hn::Vec<D>>
  HWY_INLINE V operator()(D, V a, V b) const {
    return hn::Sub(a, b);
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

void grad(Backward& b) {
  b.add(0, b.upstream());
  if (b.wants(1)) b.add(1, neg(b.upstream()));
}

}  // namespace

extern const OpDef sub_op{
    .name = "sub",
    .doc = "a - b",
    .min_inputs = 2,
    .max_inputs = 2,
    .traits = kElementwise | kCheap,
    .infer = [](const OpArgs& args) { return one_type("sub", args); },
    .cost = elementwise_cost<1>,
    .grad = grad,
    .scalar = [](const double* in, const double*) { return in[0] - in[1]; },
    .tiles = [](Isa isa) { return tiles_on(isa)(); },
};

}  // namespace shoestring::ops
#endif
