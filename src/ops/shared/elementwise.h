// What elementwise operators share: inputs and output of one type, f32 or f64, computed element by
// element. An operator is a file like any other; see ops/square.cpp for the shortest and
// elementwise-inl.h for its tiles.
#pragma once

#include "ir/graph.h"
#include "ops/ops.h"

namespace shoestring::ops {

// The shape rule: all inputs of one type, which is the output's.
inline Result<Types> one_type(std::string_view name, const OpArgs& args) {
  for (const Type& t : args.in)
    if (t != args.in[0])
      return fail(ErrorKind::usage,
                  fmt::format("{}: {} and {} differ", name, to_string(args.in[0]), to_string(t)));
  if (const DType d = args.in[0].dtype; d != DType::f32 && d != DType::f64)
    return fail(ErrorKind::usage,
                fmt::format("{}: {} is not computed with; cast it to f32", name, to_string(args.in[0])));
  return Types{args.in[0]};
}

// The cost of `kFlops` operations an element. A transcendental function counts about what it takes in
// vector instructions.
template <int kFlops>
Cost elementwise_cost(const OpArgs& args, std::span<const Type> out) {
  const auto n = static_cast<double>(out[0].elements());
  return {.flops = kFlops * n,
          .bytes = static_cast<double>(out[0].bytes()) * static_cast<double>(args.in.size() + 1)};
}
inline constexpr int kTranscendental = 20;

// A constant of the type of `like`, for gradients.
inline Value full_like(Value like, double value) {
  if (!like.valid()) return like;
  return broadcast_like(like.graph().scalar(like.type().dtype, value), like);
}

// Gradients of masks and signs: zero wherever they exist.
inline void no_slope(Backward&) {}

}  // namespace shoestring::ops
