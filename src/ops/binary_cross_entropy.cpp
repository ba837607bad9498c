// binary_cross_entropy: of a target t in [0, 1] from a logit x, positives weighted by w:
//   w t log(1 + e^-x) + (1 - t) log(1 + e^x)
//     = (1 + (w - 1) t) log(1 + e^-|x|) + |x| (w t where x < 0, else 1 - t),
// where no x overflows and nothing cancels.
#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/binary_cross_entropy.cpp"
#include <hwy/foreach_target.h>

#include "ops/shared/elementwise-inl.h"
#include "ops/shared/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace shoestring::ops::HWY_NAMESPACE {
namespace {

struct Kernel {
  static constexpr bool kLong = true;
  const double* params;

  template <class D, class V = hn::Vec<D>>
  HWY_INLINE V operator()(D d, V logits, V target) const {
    const V one = set(d, 1.0), weight = set(d, params[0]);
    const V both = hn::MulAdd(hn::Sub(weight, one), target, one);
    const V side = hn::IfThenElse(hn::Lt(logits, hn::Zero(d)), hn::Mul(weight, target), hn::Sub(one, target));
    return hn::MulAdd(both, log1p_exp_neg_abs(d, logits), hn::Mul(hn::Abs(logits), side));
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
const AttrDef kAttrs[] = {{"positive_weight", 1.0}};

double scalar(const double* in, const double* params) {
  const double x = in[0], t = in[1], w = params[0];
  return (1 + (w - 1) * t) * std::log1p(std::exp(-std::abs(x))) + std::abs(x) * (x < 0 ? w * t : 1 - t);
}

// d/dx = (1 - t) - (1 + (w - 1) t) sigmoid(-x); d/dt = (w - 1) (-log sigmoid(x)) - x.
void grad(Backward& b) {
  const Value x = b.input(0), t = b.input(1), u = b.upstream();
  const double w = b.attrs().number("positive_weight");
  if (w == 1)
    b.add(0, mul(u, sub(sigmoid(x), t)));
  else
    b.add(0, mul(u, sub(1.0 - t, mul(1.0 + (w - 1) * t, sigmoid(neg(x))))));
  if (b.wants(1)) b.add(1, mul(u, sub((w - 1) * binary_cross_entropy(x, full_like(x, 1)), x)));
}

}  // namespace

extern const OpDef binary_cross_entropy_op{
    .name = "binary_cross_entropy",
    .doc = "binary cross-entropy of a target from a logit, positives weighted",
    .min_inputs = 2,
    .max_inputs = 2,
    .traits = kElementwise,
    .attrs = kAttrs,
    .infer = [](const OpArgs& args) { return one_type("binary_cross_entropy", args); },
    .cost = elementwise_cost<2 * kTranscendental>,
    .grad = grad,
    .scalar = scalar,
    .tiles = [](Isa isa) { return tiles_on(isa)(); },
};

}  // namespace shoestring::ops
#endif
