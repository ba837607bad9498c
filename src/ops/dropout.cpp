// dropout: a share `rate` of the elements becomes 0, the others are scaled by 1 / (1 - rate) (Srivastava and
// others, JMLR 2014). Made of random_uniform and a choice; the gradient draws the same numbers.
#include "ops/ops.h"
#include "ops/shared/shapes.h"

namespace shoestring::ops {
namespace {

const AttrDef kAttrs[] = {{"rate", 0.5}, {"stream", int64_t{0}}};

Result<Types> infer(const OpArgs& args) {
  const double rate = args.attrs.number("rate");
  if (!(rate >= 0 && rate <= 1)) return wrong(fmt::format("dropout: rate is in [0,1], not {}", rate));
  if (const DType d = args.in[0].dtype; d != DType::f32 && d != DType::f64)
    return wrong(fmt::format("dropout: {} is not computed with; cast it to f32", to_string(args.in[0])));
  return Types{args.in[0]};
}

std::vector<Value> expand(Expansion& e) {
  const Value x = e.input(0);
  const double rate = e.attrs().number("rate");
  if (rate == 0) return {x};
  const Value u = random_uniform(e.graph(), x.type(), 0, 1, e.attrs().integer("stream"));
  const Value zero = broadcast_like(e.graph().scalar(x.type().dtype, 0), x);
  if (rate == 1) return {zero};
  const Value dropped = less(u, broadcast_like(e.graph().scalar(x.type().dtype, rate), x));
  return {where(dropped, zero, x * (1 / (1 - rate)))};
}

}  // namespace

extern const OpDef dropout_op{
    .name = "dropout",
    .doc = "zeros a share of the elements and scales the others",
    .traits = kRandom | kNoFold,
    .attrs = kAttrs,
    .infer = infer,
    .cost = moving_cost,
    .expand = expand,
};

}  // namespace shoestring::ops
