// where: a where the condition is not 0, else b.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/where.cpp"
#include <hwy/foreach_target.h>

#include "ops/shared/elementwise-inl.h"

HWY_BEFORE_NAMESPACE();
namespace shoestring::ops::HWY_NAMESPACE {
namespace {

struct Kernel {
  template <class D, class V = hn::Vec<D>>
  HWY_INLINE V operator()(D d, V condition, V a, V b) const {
    return hn::IfThenElse(hn::Eq(condition, hn::Zero(d)), b, a);
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

void grad(Backward& b) {
  const Value zero = full_like(b.upstream(), 0);
  if (b.wants(1)) b.add(1, where(b.input(0), b.upstream(), zero));
  if (b.wants(2)) b.add(2, where(b.input(0), zero, b.upstream()));
}

}  // namespace

extern const OpDef where_op{
    .name = "where",
    .doc = "a where the condition is not 0, else b",
    .min_inputs = 3,
    .max_inputs = 3,
    .traits = kElementwise | kCheap,
    .infer = [](const OpArgs& args) { return one_type("where", args); },
    .cost = elementwise_cost<1>,
    .grad = grad,
    .scalar = [](const double* in, const double*) { return in[0] != 0 ? in[1] : in[2]; },
    .tiles = [](Isa isa) { return tiles_on(isa)(); },
};

}  // namespace shoestring::ops
#endif
