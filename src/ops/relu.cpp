// relu: max(x, 0); NaN stays NaN.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/relu.cpp"
#include <hwy/foreach_target.h>

#include "ops/shared/elementwise-inl.h"

HWY_BEFORE_NAMESPACE();
namespace shoestring::ops::HWY_NAMESPACE {
namespace {

struct Kernel {
  template <class D, class V = hn::Vec<D>>
  HWY_INLINE V operator()(D d, V x) const {
    return hn::IfThenZeroElse(hn::Le(x, hn::Zero(d)), x);
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

// Reads the output, which is 0 wherever the slope is.
void grad(Backward& b) { b.add(0, where(b.output(), b.upstream(), full_like(b.upstream(), 0))); }

}  // namespace

extern const OpDef relu_op{
    .name = "relu",
    .doc = "max(x, 0)",
    .traits = kElementwise | kCheap,
    .infer = [](const OpArgs& args) { return one_type("relu", args); },
    .cost = elementwise_cost<1>,
    .grad = grad,
    .scalar = [](const double* in, const double*) { return in[0] <= 0 ? 0.0 : in[0]; },
    .tiles = [](Isa isa) { return tiles_on(isa)(); },
};

}  // namespace shoestring::ops
#endif
