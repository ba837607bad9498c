// log1p: log(1 + x), right for small x too; -infinity at -1, NaN below.
#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/log1p.cpp"
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
    return safe_log1p(d, x);
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

void grad(Backward& b) { b.add(0, div(b.upstream(), 1.0 + b.input(0))); }

}  // namespace

extern const OpDef log1p_op{
    .name = "log1p",
    .doc = "log(1 + x)",
    .traits = kElementwise,
    .infer = [](const OpArgs& args) { return one_type("log1p", args); },
    .cost = elementwise_cost<kTranscendental>,
    .grad = grad,
    .scalar = [](const double* in, const double*) { return std::log1p(in[0]); },
    .tiles = [](Isa isa) { return tiles_on(isa)(); },
};

}  // namespace shoestring::ops
#endif
