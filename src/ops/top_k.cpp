// top_k: the k largest entries of the last axis, the largest first, and where they stood (i32). Of equals the
// first comes first; NaN is larger than any number.
#include "ops/rows.h"
#include "ops/shared/order.h"

namespace shoestring::ops {
namespace {

const AttrDef kAttrs[] = {{"k", int64_t{1}}};

Result<Types> infer(const OpArgs& args) {
  const Type& x = args.in[0];
  const int64_t k = args.attrs.integer("k");
  if (x.dims.rank() > 0 && (k < 0 || k > x.dims.back()))
    return wrong(fmt::format("top_k: {} has no {} largest entries", to_string(x), k));
  return ordered_types("top_k", x, k);
}

const Kernel kKernels[] = {{"scalar", [](const KernelRequest& r) { return prepare_order(r, true); }}};

}  // namespace

extern const OpDef top_k_op{
    .name = "top_k",
    .doc = "the k largest entries of the last axis, and where they stood",
    .attrs = kAttrs,
    .infer = infer,
    .cost = order_cost,
    .grad = order_grad,
    .reference = [](const ReferenceArgs& a) { order_reference(a, true); },
    .kernels = kKernels,
};

}  // namespace shoestring::ops
