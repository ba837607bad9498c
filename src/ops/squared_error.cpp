// squared_error: (prediction - target)².
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/squared_error.cpp"
#include <hwy/foreach_target.h>

#include "ops/shared/elementwise-inl.h"

HWY_BEFORE_NAMESPACE();
namespace shoestring::ops::HWY_NAMESPACE {
namespace {

struct Kernel {
  template <class D, class V = hn::Vec<D>>
  HWY_INLINE V operator()(D, V prediction, V target) const {
    const V error = hn::Sub(prediction, target);
    return hn::Mul(error, error);
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
  const Value error = sub(b.input(0), b.input(1));
  const Value slope = mul(b.upstream(), add(error, error));
  b.add(0, slope);
  if (b.wants(1)) b.add(1, neg(slope));
}

}  // namespace

extern const OpDef squared_error_op{
    .name = "squared_error",
    .doc = "(prediction - target)²",
    .min_inputs = 2,
    .max_inputs = 2,
    .traits = kElementwise | kCheap,
    .infer = [](const OpArgs& args) { return one_type("squared_error", args); },
    .cost = elementwise_cost<2>,
    .grad = grad,
    .scalar = [](const double* in, const double*) { return (in[0] - in[1]) * (in[0] - in[1]); },
    .tiles = [](Isa isa) { return tiles_on(isa)(); },
};

}  // namespace shoestring::ops
#endif
