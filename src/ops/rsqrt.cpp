// rsqrt: 1 / sqrt(x).
#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/rsqrt.cpp"
#include <hwy/foreach_target.h>

#include "ops/shared/elementwise-inl.h"

HWY_BEFORE_NAMESPACE();
namespace shoestring::ops::HWY_NAMESPACE {
namespace {

struct Kernel {
  template <class D, class V = hn::Vec<D>>
  HWY_INLINE V operator()(D d, V x) const {
    return hn::Div(hn::Set(d, hn::TFromD<D>(1)), hn::Sqrt(x));
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

// d rsqrt = -rsqrt³ / 2: reads the output.
void grad(Backward& b) {
  const Value y = b.output();
  b.add(0, mul(mul(b.upstream(), full_like(y, -0.5)), mul(square(y), y)));
}

}  // namespace

extern const OpDef rsqrt_op{
    .name = "rsqrt",
    .doc = "1 / sqrt(x)",
    .traits = kElementwise,
    .infer = [](const OpArgs& args) { return one_type("rsqrt", args); },
    .cost = elementwise_cost<8>,
    .grad = grad,
    .scalar = [](const double* in, const double*) { return 1 / std::sqrt(in[0]); },
    .tiles = [](Isa isa) { return tiles_on(isa)(); },
};

}  // namespace shoestring::ops
#endif
