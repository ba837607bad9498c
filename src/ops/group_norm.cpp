// group_norm: the channels of each row in `groups` groups, each group normalised over its channels and all
// axes behind them, then scaled and shifted by channel (Wu, He 2018).
//   x [b, c, ..], scale [c], shift [c] -> [b, c, ..]
// Made of layer_norm, whose kernels do the work on groups as rows.
#include <array>

#include "ops/rows.h"
#include "ops/shared/shapes.h"

namespace shoestring::ops {
namespace {

const AttrDef kAttrs[] = {{"groups", int64_t{1}}, {"epsilon", 1e-5}};

Result<Types> infer(const OpArgs& args) {
  const Type& x = args.in[0];
  if (x.dims.rank() < 2) return wrong(fmt::format("group_norm: {} is no [b, c, ..]", to_string(x)));
  if (x.dtype != DType::f32 && x.dtype != DType::f64)
    return wrong(fmt::format("group_norm: {} is not computed with; cast it to f32", to_string(x)));
  const int64_t groups = args.attrs.integer("groups");
  if (groups < 1 || x.dims[1] % groups != 0)
    return wrong(
        fmt::format("group_norm: the {} channels of {} make no {} groups", x.dims[1], to_string(x), groups));
  const Type channel{x.dtype, {x.dims[1]}};
  constexpr std::array<std::string_view, 2> names = {"scale", "shift"};
  for (size_t i : {size_t{0}, size_t{1}})
    if (args.in[i + 1] != channel)
      return wrong(fmt::format("group_norm: {} needs {} {}, not {}", to_string(x), names[i],
                               to_string(channel), to_string(args.in[i + 1])));
  return Types{x};
}

std::vector<Value> expand(Expansion& e) {
  const Value x = e.input(0);
  const Type& type = x.type();
  const int64_t groups = e.attrs().integer("groups"), rows = type.dims[0] * groups;
  if (type.elements() == 0) return {x};
  const int64_t size = type.elements() / rows;
  const auto all = [&](double value) { return broadcast(e.graph().scalar(type.dtype, value), Shape{size}); };
  const Value normal = layer_norm(reshape(x, {rows, size}), all(1), all(0), e.attrs().number("epsilon"));
  std::vector<int64_t> channels(static_cast<size_t>(type.dims.rank() - 1), 1);  // [c, 1, ..]
  channels[0] = type.dims[1];
  const auto by_channel = [&](Value v) { return broadcast_like(reshape(v, Shape(channels)), x); };
  return {reshape(normal, type.dims) * by_channel(e.input(1)) + by_channel(e.input(2))};
}

}  // namespace

extern const OpDef group_norm_op{
    .name = "group_norm",
    .doc = "channels normalised in groups, then scaled and shifted",
    .min_inputs = 3,
    .max_inputs = 3,
    .attrs = kAttrs,
    .infer = infer,
    .cost =
        [](const OpArgs& args, std::span<const Type> out) {
          return Cost{.flops = 8 * static_cast<double>(out[0].elements()),
                      .bytes = moving_cost(args, out).bytes};
        },
    .expand = expand,
};

}  // namespace shoestring::ops
