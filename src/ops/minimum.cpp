// minimum: the smaller of a and b; NaN if either is.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/minimum.cpp"
#include <hwy/foreach_target.h>

#include "ops/shared/elementwise-inl.h"

HWY_BEFORE_NAMESPACE();
namespace shoestring::ops::HWY_NAMESPACE {
namespace {

struct Kernel {
  template <class D, class V = hn::Vec<D>>
  HWY_INLINE V operator()(D, V a, V b) const {
    // Highway's Min and Max differ between instruction sets when one is NaN.
    return hn::IfThenElse(hn::Or(hn::Lt(a, b), hn::IsNaN(a)), a, b);
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

// To the smaller one; equals share it.
void grad(Backward& b) {
  const Value to_a = mul(add(less(b.input(0), b.input(1)), less_equal(b.input(0), b.input(1))),
                         full_like(b.upstream(), 0.5));
  const Value first = mul(b.upstream(), to_a);
  b.add(0, first);
  if (b.wants(1)) b.add(1, sub(b.upstream(), first));
}

}  // namespace

extern const OpDef minimum_op{
    .name = "minimum",
    .doc = "the smaller of a and b",
    .min_inputs = 2,
    .max_inputs = 2,
    .traits = kElementwise | kCheap | kCommutative,
    .infer = [](const OpArgs& args) { return one_type("minimum", args); },
    .cost = elementwise_cost<2>,
    .grad = grad,
    .scalar = [](const double* in, const double*) { return in[0] < in[1] || in[0] != in[0] ? in[0] : in[1]; },
    .tiles = [](Isa isa) { return tiles_on(isa)(); },
};

}  // namespace shoestring::ops
#endif
