// A few operators for tests of the graph itself, so that these do not depend on the vocabulary.
#pragma once

#include <array>

#include "ir/graph.h"

namespace shoestring::test {

// sum: any number of equal operands.
inline Result<Types> infer_sum(const OpArgs& args) {
  for (const Type& t : args.in)
    if (t != args.in[0])
      return fail(ErrorKind::usage,
                  fmt::format("sum: {} and {} differ", to_string(args.in[0]), to_string(t)));
  return Types{args.in[0]};
}
inline const OpDef sum_op{
    .name = "sum", .doc = "Adds.", .min_inputs = 1, .max_inputs = 4, .infer = infer_sum};

// same: its operand, in its operand's own memory.
inline Result<Types> infer_same(const OpArgs& args) { return Types{args.in[0]}; }
inline std::optional<int64_t> view_same(const OpArgs&, const Type&) { return 0; }
inline const OpDef same_op{.name = "same", .doc = "Itself.", .infer = infer_same, .view = view_same};

// split: [n, …] -> [at, …]; [n - at, …], with an attribute of every kind.
inline Result<Types> infer_split(const OpArgs& args) {
  const int64_t at = args.attrs.integer("at");
  const Type& in = args.in[0];
  if (in.dims.rank() == 0 || at < 0 || at > in.dims[0])
    return fail(ErrorKind::usage, fmt::format("split: {} at {}", to_string(in), at));
  return Types{{in.dtype, in.dims.with(0, at)}, {in.dtype, in.dims.with(0, in.dims[0] - at)}};
}
inline const std::array<AttrDef, 5> kSplitAttrs{{{"at", int64_t{1}},
                                                 {"scale", 1.0},
                                                 {"exact", false},
                                                 {"mode", std::string("near")},
                                                 {"order", std::vector<int64_t>{}}}};
inline const OpDef split_op{.name = "split", .doc = "Splits.", .attrs = kSplitAttrs, .infer = infer_split};

// draw: a random node.
inline Result<Types> infer_draw(const OpArgs&) { return Types{{DType::f32, {3}}}; }
inline const std::array<AttrDef, 1> kDrawAttrs{{{"stream", int64_t{0}}}};
inline const OpDef draw_op{.name = "draw",
                           .doc = "Draws.",
                           .min_inputs = 0,
                           .max_inputs = 0,
                           .traits = kRandom | kNoFold,
                           .attrs = kDrawAttrs,
                           .infer = infer_draw};

// holds: a node with a body; its type is that of the body's first output.
inline Result<Types> infer_holds(const OpArgs& args) {
  if (!args.body || args.body->outputs().empty()) return fail(ErrorKind::usage, "holds: no body");
  return Types{args.body->type(args.body->outputs()[0].value)};
}
inline const OpDef holds_op{.name = "holds", .doc = "Holds.", .max_inputs = 3, .infer = infer_holds};

inline const std::array<const OpDef*, 4> kOps{&draw_op, &holds_op, &split_op, &sum_op};

}  // namespace shoestring::test
