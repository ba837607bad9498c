// sigmoid: 1 / (1 + e^-x).
#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/sigmoid.cpp"
#include <hwy/foreach_target.h>

#include "ops/shared/elementwise-inl.h"
#include "ops/shared/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace shoestring::ops::HWY_NAMESPACE {
namespace {

struct Kernel {
  static constexpr bool kLong = true;

  template <class D, class V = hn::Vec<D>>
  HWY_INLINE V operator()(D d, V x) const {
    return stable_sigmoid(d, x);
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

// d sigmoid = y - y²: reads the output.
void grad(Backward& b) {
  const Value y = b.output();
  b.add(0, mul(b.upstream(), sub(y, square(y))));
}

}  // namespace

extern const OpDef sigmoid_op{
    .name = "sigmoid",
    .doc = "1 / (1 + e^-x)",
    .traits = kElementwise,
    .infer = [](const OpArgs& args) { return one_type("sigmoid", args); },
    .cost = elementwise_cost<kTranscendental>,
    .grad = grad,
    .scalar =
        [](const double* in, const double*) {
          return in[0] < 0 ? std::exp(in[0]) / (1 + std::exp(in[0])) : 1 / (1 + std::exp(-in[0]));
        },
    .tiles = [](Isa isa) { return tiles_on(isa)(); },
};

}  // namespace shoestring::ops
#endif
