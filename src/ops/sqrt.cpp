// sqrt: the square root.
#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/sqrt.cpp"
#include <hwy/foreach_target.h>

#include "ops/shared/elementwise-inl.h"

HWY_BEFORE_NAMESPACE();
namespace shoestring::ops::HWY_NAMESPACE {
namespace {

struct Kernel {
  template <class D, class V = hn::Vec<D>>
  HWY_INLINE V operator()(D, V x) const {
    return hn::Sqrt(x);
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

// d sqrt = 1 / (2 sqrt): reads the output.
void grad(Backward& b) { b.add(0, div(b.upstream(), add(b.output(), b.output()))); }

}  // namespace

extern const OpDef sqrt_op{
    .name = "sqrt",
    .doc = "sqrt(x)",
    .traits = kElementwise,
    .infer = [](const OpArgs& args) { return one_type("sqrt", args); },
    .cost = elementwise_cost<4>,
    .grad = grad,
    .scalar = [](const double* in, const double*) { return std::sqrt(in[0]); },
    .tiles = [](Isa isa) { return tiles_on(isa)(); },
};

}  // namespace shoestring::ops
#endif
