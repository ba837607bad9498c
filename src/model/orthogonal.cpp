#include "model/orthogonal.h"

#include "ops/ops.h"

namespace shoestring::model {

using namespace ops;  // arithmetic, spelled with operators

namespace {

// Singular values s become a s + b s³ + c s⁵. Products are taken over the longer side.
struct Polynomial {
  double a, b, c;
};
constexpr Polynomial kFast{3.4445, -4.775, 2.0315};  // times 3.4 near 0; ends between 0.7 and 1.2
constexpr Polynomial kExact{1.5, -0.5, 0};           // ends at 1, the error squared by each step

Value step(Value x, Polynomial p) {
  const bool tall = x.dims()[0] > x.dims()[1];
  const Value square = ops::matmul(x, x, {.transpose_a = tall, .transpose_b = !tall});
  const Value factor = p.c == 0 ? square * p.b : square * p.b + ops::matmul(square, square) * p.c;
  return x * p.a + (tall ? ops::matmul(x, factor) : ops::matmul(factor, x));
}

Value run(Value x, int64_t fast, int64_t exact) {
  if (!x.valid()) return x;
  const Value norm = ops::sqrt(ops::sum_squares(x));
  x = x / ops::maximum(norm, norm.graph().scalar(norm.type().dtype, 1e-7));
  for (int64_t i = 0; i < fast && x.valid(); ++i) x = step(x, kFast);
  for (int64_t i = 0; i < exact && x.valid(); ++i) x = step(x, kExact);
  return x;
}

}  // namespace

Value nearly_orthogonal(Value matrix, int64_t steps) { return run(matrix, steps, 0); }

// 3.4^18 is 10^9: what is smaller is rounding, and becomes some direction of its own.
Value orthogonal(Value matrix) { return run(matrix, 18, 6); }

}  // namespace shoestring::model
