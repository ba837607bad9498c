#include "ops/shared/product.h"

#include <cmath>

namespace shoestring::ops {

tl::expected<DType, std::string> product_type(DType a, DType b, const std::string& wanted) {
  const auto no = [](std::string why) { return tl::unexpected(std::move(why)); };
  if (a != b) return no("their types differ");
  if (a != DType::f32 && a != DType::f64 && a != DType::bf16) return no("not computed with; cast to f32");
  const std::optional<DType> result = wanted.empty() ? a : dtype_named(wanted);
  if (!result || (*result != a && *result != summed(a)))
    return no(fmt::format("the result cannot be '{}'", wanted));
  return *result;
}

std::optional<Activation> activation_named(std::string_view name) {
  for (Activation a :
       {Activation::none, Activation::relu, Activation::tanh, Activation::sigmoid, Activation::gelu})
    if (to_string(a) == name) return a;
  return std::nullopt;
}

double activated(double x, Activation activation) {
  switch (activation) {
    case Activation::none:
      return x;
    case Activation::relu:
      return x > 0 || std::isnan(x) ? x : 0;
    case Activation::tanh:
      return std::tanh(x);
    case Activation::sigmoid:
      return 1 / (1 + std::exp(-x));
    case Activation::gelu:
      return 0.5 * x * (1 + std::erf(x * M_SQRT1_2));
  }
  return x;
}

Value wide(Value v) {
  const DType to = summed(v.type().dtype);
  return v.type().dtype == to ? v : cast(v, to);
}

void add_as_input(Backward& b, int input, Value gradient) {
  const DType to = b.input(input).type().dtype;
  b.add(input, gradient.type().dtype == to ? gradient : cast(gradient, to));
}

}  // namespace shoestring::ops
