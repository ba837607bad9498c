// reshape: the same elements in the same order under another shape; never a step.
#include <algorithm>

#include "ops/ops.h"
#include "ops/shared/shapes.h"

namespace shoestring::ops {
namespace {

const AttrDef kAttrs[] = {{"dims", std::vector<int64_t>{}}};

Result<Types> infer(const OpArgs& args) {
  const auto& dims = args.attrs.list("dims");
  if (dims.size() > Shape::kMaxRank || std::any_of(dims.begin(), dims.end(), [](int64_t d) { return d < 0; }))
    return wrong(fmt::format("reshape: {} is no shape", shoestring::to_string(AttrValue(dims))));
  const Type out{args.in[0].dtype, Shape(dims)};
  if (out.elements() != args.in[0].elements())
    return wrong(fmt::format("reshape: {} has not as many elements as {}", to_string(args.in[0]),
                             to_string(out.dims)));
  return Types{out};
}

void grad(Backward& b) { b.add(0, reshape(b.upstream(), b.input(0).dims())); }

void reference(const ReferenceArgs& a) { std::copy_n(a.in[0], a.in_types[0].elements(), a.out[0]); }

}  // namespace

extern const OpDef reshape_op{
    .name = "reshape",
    .doc = "the same elements under another shape",
    .attrs = kAttrs,
    .infer = infer,
    .cost = [](const OpArgs&, std::span<const Type>) { return Cost{}; },
    .grad = grad,
    .reference = reference,
    .view = [](const OpArgs&, const Type&) -> std::optional<int64_t> { return 0; },
};

}  // namespace shoestring::ops
