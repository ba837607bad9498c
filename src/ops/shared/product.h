// What products share, those of matrices and convolutions: the types they take and give, and the activation
// that may end them. Operands in bf16 are summed in f32, with a bias in f32; an attribute `dtype` says
// whether the result is rounded to bf16.
#pragma once

#include <bit>
#include <optional>
#include <string>

#include "ops/ops.h"

namespace shoestring::ops {

// What operands of this type are summed in, and what their bias is.
inline DType summed(DType operands) { return operands == DType::bf16 ? DType::f32 : operands; }

// The result's type, of two operands and the attribute `dtype` (empty: the operands'); or why there is none.
tl::expected<DType, std::string> product_type(DType a, DType b, const std::string& wanted);

std::optional<Activation> activation_named(std::string_view name);
double activated(double x, Activation activation);

// A value in what products are summed in: gradients are not rounded here, whatever the operands are.
Value wide(Value v);

// The gradient in front of the activation, told from the output where that is possible; `before` makes the
// input of the others (gelu) again.
template <class F>
Value before_activation(Backward& b, Activation activation, F&& before) {
  const Value y = wide(b.output()), g = wide(b.upstream());
  const Value zero = g.graph().scalar(g.type().dtype, 0);
  switch (activation) {
    case Activation::none:
      return g;
    case Activation::relu:
      return where(less(broadcast_like(zero, y), y), g, broadcast_like(zero, g));
    case Activation::tanh:
      return mul(g, 1.0 - square(y));
    case Activation::sigmoid:
      return mul(g, sub(y, square(y)));
    case Activation::gelu:
      break;
  }
  return mul(g, gelu_slope(before()));
}

// A gradient in its input's type.
void add_as_input(Backward& b, int input, Value gradient);

// An element as it is kept.
struct Bf16 {
  uint16_t bits;
  Bf16() = default;
  explicit Bf16(double x) { encode(DType::bf16, &x, this, 1); }
  explicit operator float() const { return std::bit_cast<float>(uint32_t{bits} << 16); }
};

// f for the types that a product of such operands is made of: f(sum, operand, result), each a value of its
// type.
template <class F>
auto with_product_types(DType operands, DType result, F&& f) {
  if (operands == DType::f64) return f(double{}, double{}, double{});
  if (operands == DType::f32) return f(float{}, float{}, float{});
  return result == DType::f32 ? f(float{}, Bf16{}, float{}) : f(float{}, Bf16{}, Bf16{});
}

}  // namespace shoestring::ops
