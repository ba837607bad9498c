// pow: a to the power of b, by the rules of C's pow: 1 where b is 0, NaN where a < 0 and b is no whole
// number.
#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/pow.cpp"
#include <hwy/foreach_target.h>

#include "ops/shared/elementwise-inl.h"
#include "ops/shared/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace shoestring::ops::HWY_NAMESPACE {
namespace {

// One element after the other: glibc's pow is right to a fraction of an ulp, for which vectors would need
// twice the digits.
struct Kernel {
  static constexpr bool kLong = true;

  template <class D, class V = hn::Vec<D>>
  HWY_INLINE V operator()(D d, V a, V b) const {
    using T = hn::TFromD<D>;
    HWY_ALIGN T base[hn::MaxLanes(d)], exponent[hn::MaxLanes(d)];
    hn::Store(a, d, base);
    hn::Store(b, d, exponent);
    for (size_t i = 0; i < hn::Lanes(d); ++i) base[i] = std::pow(base[i], exponent[i]);
    return hn::Load(d, base);
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

// d/da = b a^(b-1), 0 where b is 0. d/db = a^b log a, 0 where a is 0 and b is not negative: there a^b stays 0
// (or, at b = 0, has a jump) while log a is infinite.
void grad(Backward& b) {
  const Value base = b.input(0), exponent = b.input(1), zero = full_like(base, 0);
  if (b.wants(0)) {
    const Value slope = mul(exponent, pow(base, exponent - 1.0));
    b.add(0, where(equal(exponent, zero), zero, mul(b.upstream(), slope)));
  }
  if (b.wants(1)) {
    const Value flat = mul(equal(base, zero), less_equal(zero, exponent));
    b.add(1, where(flat, zero, mul(b.upstream(), mul(b.output(), log(base)))));
  }
}

}  // namespace

extern const OpDef pow_op{
    .name = "pow",
    .doc = "a to the power of b",
    .min_inputs = 2,
    .max_inputs = 2,
    .traits = kElementwise,
    .infer = [](const OpArgs& args) { return one_type("pow", args); },
    .cost = elementwise_cost<4 * kTranscendental>,
    .grad = grad,
    .scalar = [](const double* in, const double*) { return std::pow(in[0], in[1]); },
    .tiles = [](Isa isa) { return tiles_on(isa)(); },
};

}  // namespace shoestring::ops
#endif
