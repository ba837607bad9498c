#include "ops/values.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

#include "base/philox.h"

namespace shoestring::optest {
namespace {

double uniform(Philox& random) { return (random.next() + 0.5) * 0x1p-32; }

// The corners of a type, with ordinary numbers between.
std::vector<double> corners(DType dtype) {
  if (!info(dtype).floating) return {0, 1, -1, 127, -128, 3, 2147483647.0, -2147483648.0};
  double large = std::numeric_limits<float>::max(), small = 0x1p-126, denormal = 0x1p-149;
  if (dtype == DType::f64)
    large = std::numeric_limits<double>::max(), small = 0x1p-1022, denormal = 0x1p-1074;
  if (dtype == DType::bf16) large = 0x1.FEp127, denormal = 0x1p-133;
  if (dtype == DType::f16) large = 65504, small = 0x1p-14, denormal = 0x1p-24;
  const double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  return {0.0,  1.0,       -0.0,  inf,    -1.0,      -inf,  0.5,    nan,  -0.25, denormal,
          2.0,  -denormal, small, 30.0,   -30.0,     large, -large, 3.5,  88.0,  nan,
          1e-4, -1e-4,     100.0, -100.0, 0.9999999, 7.0,   inf,    -2.0, 0.0};
}

uint32_t hash(std::string_view text) {
  uint32_t h = 2166136261u;
  for (char c : text) h = (h ^ static_cast<uint8_t>(c)) * 16777619u;
  return h;
}

double one(const Operand& o, Philox& random) {
  if (o.source == Operand::Source::choice)
    return o.values[random.below(static_cast<uint32_t>(o.values.size()))];
  if (!info(o.type.dtype).floating) return o.low + random.below(static_cast<uint32_t>(o.high - o.low) + 1);
  return o.low + (o.high - o.low) * uniform(random);
}

// Special numbers turn once in the first operand for each one of the second, so that n² elements hold every
// pair.
size_t turn(size_t element, size_t operand, size_t n) {
  for (; operand > 0; --operand) element /= n;
  return element % n;
}

Tensor64 draw_one(const Operand& o, size_t operand, const Tensor64* first, Philox& random) {
  const auto n = static_cast<size_t>(o.type.elements());
  Tensor64 x(n);
  const std::vector<double> repeated =
      o.source == Operand::Source::special ? corners(o.type.dtype) : o.values;
  for (size_t i = 0; i < n; ++i) {
    if (o.source == Operand::Source::list) {
      x[i] = repeated[i % repeated.size()];
    } else if (o.source == Operand::Source::special) {
      x[i] = repeated[turn(i, operand, repeated.size())];
    } else if (o.distinct) {
      x[i] = o.low + (o.high - o.low) * (static_cast<double>(i) + 0.5) / static_cast<double>(n);
    } else {
      x[i] = one(o, random);
      auto wrong = [&] {
        for (double v : o.avoid)
          if (std::abs(x[i] - v) < 0.1) return true;
        return o.apart && first && std::abs(x[i] - (*first)[i % first->size()]) < 0.1;
      };
      for (int tries = 0; wrong() && tries < 1000; ++tries) x[i] = one(o, random);
    }
  }
  if (o.distinct)
    for (size_t i = n; i > 1; --i) std::swap(x[i - 1], x[random.below(static_cast<uint32_t>(i))]);
  return x;
}

std::string place(const Shape& dims, int64_t index) {
  std::string text;
  for (int axis = dims.rank() - 1; axis >= 0; --axis) {
    text = std::to_string(index % dims[axis]) + (text.empty() ? "" : ",") + text;
    index /= dims[axis];
  }
  return "[" + text + "]";
}

}  // namespace

Data encoded(const Type& type, const Tensor64& values) {
  Data data{std::vector<std::byte>(static_cast<size_t>(type.bytes())), values};
  encode(type.dtype, values.data(), data.bytes.data(), type.elements());
  decode(type.dtype, data.bytes.data(), data.values.data(), type.elements());
  return data;
}

std::vector<Data> draw(const Row& row, uint32_t salt) {
  std::vector<Data> data;
  for (size_t i = 0; i < row.in.size(); ++i) {
    Philox random(
        hash(row.op->name) + static_cast<uint64_t>(row.line) * 1000 + static_cast<uint64_t>(row.variant),
        static_cast<uint32_t>(i) + 64 * salt);
    data.push_back(encoded(row.in[i].type, draw_one(row.in[i], i, i ? &data[0].values : nullptr, random)));
  }
  return data;
}

Tensor64 normal(int64_t n, uint32_t salt) {
  Philox random(7, salt);
  Tensor64 x(static_cast<size_t>(n));
  for (double& v : x) {
    const double r = std::sqrt(-2 * std::log(uniform(random)));
    v = r * std::cos(2 * std::numbers::pi * uniform(random));
  }
  return x;
}

double default_tolerance(DType dtype) {
  switch (dtype) {
    case DType::f32:
      return 4e-6;
    case DType::f64:
      return 1e-12;
    case DType::bf16:
      return 4e-3;
    case DType::f16:
      return 1e-3;
    default:
      return 0;
  }
}

std::optional<std::string> difference(const Type& type, const Tensor64& got, const Tensor64& exact,
                                      double tolerance, bool relative) {
  const Tensor64 reference = encoded(type, exact).values;
  double largest = std::numeric_limits<double>::max(), smallest = 0x1p-1022;
  if (type.dtype == DType::f32 || type.dtype == DType::bf16) largest = 0x1p127, smallest = 0x1p-126;
  if (type.dtype == DType::f16) largest = 65504, smallest = 0x1p-14;
  double scale = 0, finite = 0;
  for (double r : reference)
    if (std::isfinite(r)) scale += std::min(std::abs(r), 1e300), ++finite;
  scale = relative || finite == 0 ? 0 : scale / finite;
  double worst = 0;
  size_t where = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    const double g = got[i], r = reference[i];
    if (g == r || (std::isnan(g) && std::isnan(r))) continue;
    double excess;
    if (std::isnan(g) || std::isnan(r) || std::signbit(g) != std::signbit(r)) {
      excess = std::isfinite(g) && std::isfinite(r)
                   ? std::abs(g - r) / (tolerance * (std::abs(r) + scale) + smallest)
                   : HUGE_VAL;
    } else if (std::isinf(g) || std::isinf(r)) {  // one side of overflow each: only at its brink
      excess = tolerance > 0 && std::min(std::abs(g), std::abs(r)) >= 0.999 * largest ? 0 : HUGE_VAL;
    } else {
      // Below the smallest normal number a kernel may flush to zero.
      excess = std::abs(g - r) / (tolerance * (std::abs(r) + scale) + smallest);
    }
    if (excess > std::max(worst, 1.0)) worst = excess, where = i;
  }
  if (worst <= 1) return std::nullopt;
  return fmt::format("element {} is {:.9g}, not {:.9g} ({:.3g} times what is allowed)",
                     place(type.dims, static_cast<int64_t>(where)), got[where], reference[where], worst);
}

}  // namespace shoestring::optest
