// gelu_slope: the derivative of gelu, P(X < x) + x p(x) of the normal distribution.
#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/gelu_slope.cpp"
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
    const Normal<V> normal = normal_at(d, x);
    return hn::MulAdd(x, normal.density, normal.probability);
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

double scalar(const double* in, const double*) {
  const double x = in[0], density = std::exp(-0.5 * x * x) * 0.39894228040143267794;
  return 0.5 * std::erfc(-x / std::sqrt(2.0)) + x * density;
}

// Its own derivative: p(x) (2 - x²), with p(x) = exp(-x²/2) / sqrt(2 pi).
void grad(Backward& b) {
  const Value x2 = square(b.input(0));
  const Value density = mul(exp(mul(x2, full_like(x2, -0.5))), full_like(x2, 0.39894228040143267794));
  b.add(0, mul(b.upstream(), mul(density, sub(full_like(x2, 2), x2))));
}

}  // namespace

extern const OpDef gelu_slope_op{
    .name = "gelu_slope",
    .doc = "the derivative of gelu",
    .traits = kElementwise,
    .infer = [](const OpArgs& args) { return one_type("gelu_slope", args); },
    .cost = elementwise_cost<2 * kTranscendental>,
    .grad = grad,
    .scalar = scalar,
    .tiles = [](Isa isa) { return tiles_on(isa)(); },
};

}  // namespace shoestring::ops
#endif
