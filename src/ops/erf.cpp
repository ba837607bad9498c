// erf: the error function, 2/sqrt(pi) times the integral of e^-t² from 0 to x.
#include <cmath>
#include <numbers>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/erf.cpp"
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
    return erf_of(d, x);
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

// d erf = 2/sqrt(pi) e^-x²
void grad(Backward& b) {
  const Value slope =
      mul(exp(neg(square(b.input(0)))), full_like(b.upstream(), 2 * std::numbers::inv_sqrtpi));
  b.add(0, mul(b.upstream(), slope));
}

}  // namespace

extern const OpDef erf_op{
    .name = "erf",
    .doc = "2/sqrt(pi) times the integral of e^-t² from 0 to x",
    .traits = kElementwise,
    .infer = [](const OpArgs& args) { return one_type("erf", args); },
    .cost = elementwise_cost<2 * kTranscendental>,
    .grad = grad,
    .scalar = [](const double* in, const double*) { return std::erf(in[0]); },
    .tiles = [](Isa isa) { return tiles_on(isa)(); },
};

}  // namespace shoestring::ops
#endif
