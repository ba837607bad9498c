// after: x, but not before `when` has been computed. Nothing is done and nothing of `when` is read; the order
// of a plan is held to it. So what is made from it cannot be made early, nor be taken for an equal node that
// is: it is how values are computed again late (compile/turn.h). Never a step.
#include <algorithm>

#include "ops/ops.h"
#include "ops/shared/shapes.h"

namespace shoestring::ops {

extern const OpDef after_op{
    .name = "after",
    .doc = "x, not before the second operand is there",
    .min_inputs = 2,
    .max_inputs = 2,
    .infer = [](const OpArgs& args) -> Result<Types> { return Types{args.in[0]}; },
    .cost = [](const OpArgs&, std::span<const Type>) { return Cost{}; },
    .grad = [](Backward& b) { b.add(0, b.upstream()); },
    .reference = [](const ReferenceArgs& a) { std::copy_n(a.in[0], a.in_types[0].elements(), a.out[0]); },
    .view = [](const OpArgs&, const Type&) -> std::optional<int64_t> { return 0; },
};

}  // namespace shoestring::ops
