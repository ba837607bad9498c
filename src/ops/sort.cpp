// sort: the entries of the last axis in ascending (or descending) order, and where they stood (i32). Equals
// keep their order; NaN is larger than any number.
#include "ops/rows.h"
#include "ops/shared/order.h"

namespace shoestring::ops {
namespace {

const AttrDef kAttrs[] = {{"descending", false}};

const Kernel kKernels[] = {
    {"scalar", [](const KernelRequest& r) { return prepare_order(r, r.attrs.flag("descending")); }}};

}  // namespace

extern const OpDef sort_op{
    .name = "sort",
    .doc = "the entries of the last axis in order, and where they stood",
    .attrs = kAttrs,
    .infer =
        [](const OpArgs& args) {
          const Type& x = args.in[0];
          return ordered_types("sort", x, x.dims.rank() ? x.dims.back() : 0);
        },
    .cost = order_cost,
    .grad = order_grad,
    .reference = [](const ReferenceArgs& a) { order_reference(a, a.attrs.flag("descending")); },
    .kernels = kKernels,
};

}  // namespace shoestring::ops
