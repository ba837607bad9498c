// equal: 1 where a = b, else 0.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/equal.cpp"
#include <hwy/foreach_target.h>

#include "ops/shared/elementwise-inl.h"

HWY_BEFORE_NAMESPACE();
namespace shoestring::ops::HWY_NAMESPACE {
namespace {

struct Kernel {
  template <class D, class V = hn::Vec<D>>
  HWY_INLINE V operator()(D d, V a, V b) const {
    return one_where(d, hn::Eq(a, b));
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

extern const OpDef equal_op{
    .name = "equal",
    .doc = "1 where a = b, else 0",
    .min_inputs = 2,
    .max_inputs = 2,
    .traits = kElementwise | kCheap | kCommutative,
    .infer = [](const OpArgs& args) { return one_type("equal", args); },
    .cost = elementwise_cost<1>,
    .grad = no_slope,
    .scalar = [](const double* in, const double*) { return in[0] == in[1] ? 1.0 : 0.0; },
    .tiles = [](Isa isa) { return tiles_on(isa)(); },
};

}  // namespace shoestring::ops
#endif
