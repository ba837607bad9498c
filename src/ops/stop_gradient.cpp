// stop_gradient: x, as a constant to differentiation: nothing flows back. Made of nothing, so it costs
// nothing.
#include "ops/rows.h"
#include "ops/shared/elementwise.h"

namespace shoestring::ops {

extern const OpDef stop_gradient_op{
    .name = "stop_gradient",
    .doc = "x, without a gradient",
    .infer = [](const OpArgs& args) -> Result<Types> { return Types{args.in[0]}; },
    .cost = [](const OpArgs&, std::span<const Type>) { return Cost{}; },
    .expand = [](Expansion& e) { return std::vector{e.input(0)}; },
    .grad = no_slope,
};

}  // namespace shoestring::ops
