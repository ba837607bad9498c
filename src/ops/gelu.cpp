// gelu: x times the normal distribution's P(X < x), exact, not by tanh (Hendrycks, Gimpel 2016).
#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/gelu.cpp"
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
    return hn::Mul(x, normal_at(d, x).probability);
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

void grad(Backward& b) { b.add(0, mul(b.upstream(), gelu_slope(b.input(0)))); }

}  // namespace

extern const OpDef gelu_op{
    .name = "gelu",
    .doc = "x (1 + erf(x / sqrt 2)) / 2",
    .traits = kElementwise,
    .infer = [](const OpArgs& args) { return one_type("gelu", args); },
    .cost = elementwise_cost<2 * kTranscendental>,
    .grad = grad,
    .scalar = [](const double* in,
                 const double*) { return 0.5 * in[0] * std::erfc(-in[0] / std::sqrt(2.0)); },
    .tiles = [](Isa isa) { return tiles_on(isa)(); },
};

}  // namespace shoestring::ops
#endif
