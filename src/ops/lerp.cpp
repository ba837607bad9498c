// lerp: a + t (b - a); exactly a where t is 0 and b is finite.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/lerp.cpp"
#include <hwy/foreach_target.h>

#include "ops/shared/elementwise-inl.h"

HWY_BEFORE_NAMESPACE();
namespace shoestring::ops::HWY_NAMESPACE {
namespace {

struct Kernel {
  template <class D, class V = hn::Vec<D>>
  HWY_INLINE V operator()(D, V a, V b, V t) const {
    return hn::MulAdd(t, hn::Sub(b, a), a);
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
  const Value to_b = mul(b.upstream(), b.input(2));
  if (b.wants(0)) b.add(0, sub(b.upstream(), to_b));
  b.add(1, to_b);
  if (b.wants(2)) b.add(2, mul(b.upstream(), sub(b.input(1), b.input(0))));
}

}  // namespace

extern const OpDef lerp_op{
    .name = "lerp",
    .doc = "a + t (b - a)",
    .min_inputs = 3,
    .max_inputs = 3,
    .traits = kElementwise | kCheap,
    .infer = [](const OpArgs& args) { return one_type("lerp", args); },
    .cost = elementwise_cost<3>,
    .grad = grad,
    .scalar = [](const double* in, const double*) { return in[0] + in[2] * (in[1] - in[0]); },
    .tiles = [](Isa isa) { return tiles_on(isa)(); },
};

}  // namespace shoestring::ops
#endif
