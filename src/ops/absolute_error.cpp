// absolute_error: |prediction - target|. The gradient at 0 is 0.
#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/absolute_error.cpp"
#include <hwy/foreach_target.h>

#include "ops/shared/elementwise-inl.h"

HWY_BEFORE_NAMESPACE();
namespace shoestring::ops::HWY_NAMESPACE {
namespace {

struct Kernel {
  template <class D, class V = hn::Vec<D>>
  HWY_INLINE V operator()(D, V prediction, V target) const {
    return hn::Abs(hn::Sub(prediction, target));
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
  const Value slope = mul(b.upstream(), sign(sub(b.input(0), b.input(1))));
  b.add(0, slope);
  if (b.wants(1)) b.add(1, neg(slope));
}

}  // namespace

extern const OpDef absolute_error_op{
    .name = "absolute_error",
    .doc = "|prediction - target|",
    .min_inputs = 2,
    .max_inputs = 2,
    .traits = kElementwise | kCheap,
    .infer = [](const OpArgs& args) { return one_type("absolute_error", args); },
    .cost = elementwise_cost<2>,
    .grad = grad,
    .scalar = [](const double* in, const double*) { return std::abs(in[0] - in[1]); },
    .tiles = [](Isa isa) { return tiles_on(isa)(); },
};

}  // namespace shoestring::ops
#endif
