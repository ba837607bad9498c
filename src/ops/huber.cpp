// huber: e²/2 for errors e = |prediction - target| up to delta, delta (e - delta/2) beyond (Huber 1964).
#include <algorithm>
#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/huber.cpp"
#include <hwy/foreach_target.h>

#include "ops/shared/elementwise-inl.h"

HWY_BEFORE_NAMESPACE();
namespace shoestring::ops::HWY_NAMESPACE {
namespace {

struct Kernel {
  const double* params;

  template <class D, class V = hn::Vec<D>>
  HWY_INLINE V operator()(D d, V prediction, V target) const {
    const V error = hn::Abs(hn::Sub(prediction, target));
    const V inner = hn::Min(hn::Set(d, static_cast<hn::TFromD<D>>(params[0])), error);
    return hn::Mul(inner, hn::NegMulAdd(hn::Set(d, hn::TFromD<D>(0.5)), inner, error));
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
const AttrDef kAttrs[] = {{"delta", 1.0}};

double scalar(const double* in, const double* params) {
  const double error = std::abs(in[0] - in[1]), inner = std::min(error, params[0]);
  return inner * (error - 0.5 * inner);
}

// The error, held between -delta and delta.
void grad(Backward& b) {
  const Value error = sub(b.input(0), b.input(1));
  const Value delta = full_like(error, b.attrs().number("delta"));
  const Value slope = mul(b.upstream(), maximum(minimum(error, delta), neg(delta)));
  b.add(0, slope);
  if (b.wants(1)) b.add(1, neg(slope));
}

}  // namespace

extern const OpDef huber_op{
    .name = "huber",
    .doc = "e²/2 for e = |prediction - target| up to delta, else delta (e - delta/2)",
    .min_inputs = 2,
    .max_inputs = 2,
    .traits = kElementwise | kCheap,
    .attrs = kAttrs,
    .infer = [](const OpArgs& args) { return one_type("huber", args); },
    .cost = elementwise_cost<5>,
    .grad = grad,
    .scalar = scalar,
    .tiles = [](Isa isa) { return tiles_on(isa)(); },
};

}  // namespace shoestring::ops
#endif
