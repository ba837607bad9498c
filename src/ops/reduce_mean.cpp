// reduce_mean: the sum over some axes divided by how many entries they have.
#include "ops/ops.h"
#include "ops/shared/shapes.h"

namespace shoestring::ops {
namespace {

const AttrDef kAttrs[] = {{"axes", std::vector<int64_t>{}}, {"keep", false}};

Result<Types> infer(const OpArgs& args) {
  Result<Types> types = find("reduce_sum")->infer(args);
  if (types) return types;
  Error e = types.error();  // the rule is the sum's, the name is ours
  if (e.what.starts_with("reduce_sum")) e.what.replace(0, 10, "reduce_mean");
  return fail(std::move(e));
}

std::vector<Value> expand(Expansion& e) {
  const Value sum = reduce_sum(e.input(0), e.attrs().list("axes"), e.attrs().flag("keep"));
  if (!sum.valid()) return {sum};
  const double count = static_cast<double>(e.input(0).type().elements()) /
                       static_cast<double>(std::max<int64_t>(sum.type().elements(), 1));
  return {sum * (1 / count)};
}

}  // namespace

extern const OpDef reduce_mean_op{
    .name = "reduce_mean",
    .doc = "the mean over some axes",
    .attrs = kAttrs,
    .infer = infer,
    .cost = moving_cost,
    .expand = expand,
};

}  // namespace shoestring::ops
