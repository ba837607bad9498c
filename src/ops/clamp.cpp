// clamp: x held between low and high, which are infinite unless given; NaN stays NaN.
#include <cmath>
#include <limits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/clamp.cpp"
#include <hwy/foreach_target.h>

#include "ops/shared/elementwise-inl.h"
#include "ops/shared/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace shoestring::ops::HWY_NAMESPACE {
namespace {

struct Kernel {
  const double* params;

  template <class D, class V = hn::Vec<D>>
  HWY_INLINE V operator()(D d, V x) const {
    const V low = set(d, params[0]), high = set(d, params[1]);
    return hn::IfThenElse(hn::Lt(x, low), low, hn::IfThenElse(hn::Gt(x, high), high, x));
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

const AttrDef kAttrs[] = {{"low", -std::numeric_limits<double>::infinity()},
                          {"high", std::numeric_limits<double>::infinity()}};

Result<Types> infer(const OpArgs& args) {
  const double low = args.attrs.number("low"), high = args.attrs.number("high");
  if (!(low <= high))
    return fail(ErrorKind::usage, fmt::format("clamp: there is nothing between {} and {}", low, high));
  return one_type("clamp", args);
}

double scalar(const double* in, const double* params) {
  return in[0] < params[0] ? params[0] : in[0] > params[1] ? params[1] : in[0];
}

// To x strictly between the ends, as in PyTorch.
void grad(Backward& b) {
  const Value x = b.input(0);
  const double low = b.attrs().number("low"), high = b.attrs().number("high");
  Value slope = b.upstream();
  if (!std::isinf(low)) slope = mul(slope, less(full_like(x, low), x));
  if (!std::isinf(high)) slope = mul(slope, less(x, full_like(x, high)));
  b.add(0, slope);
}

}  // namespace

extern const OpDef clamp_op{
    .name = "clamp",
    .doc = "x held between low and high",
    .traits = kElementwise | kCheap,
    .attrs = kAttrs,
    .infer = infer,
    .cost = elementwise_cost<2>,
    .grad = grad,
    .scalar = scalar,
    .tiles = [](Isa isa) { return tiles_on(isa)(); },
};

}  // namespace shoestring::ops
#endif
