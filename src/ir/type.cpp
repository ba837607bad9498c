#include "ir/type.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>

#include "base/arith.h"
#include "ir/dynamic_code.h"

namespace shoestring {
namespace {

constexpr std::array<DTypeInfo, 12> kDTypes{{
    {"f32", 1, 4, true, true},
    {"f64", 1, 8, true, true},
    {"bf16", 1, 2, true, false},
    {"f16", 1, 2, true, false},
    {"i8", 1, 1, false, false},
    {"i16", 1, 2, false, false},
    {"i32", 1, 4, false, true},
    {"i64", 1, 8, false, false},
    {"u8", 1, 1, false, false},
    {"u16", 1, 2, false, false},
    {"dyn8", kDynamicElements, kDynamicBytes, true, false},
    {"udyn8", kDynamicElements, kDynamicBytes, true, false},
}};

// To nearest even, rounded once: the f32 between is rounded to odd, so that it is never a false half.
// A NaN keeps a payload bit so that it stays a NaN.
uint16_t to_bf16(double exact) {
  const auto x = static_cast<float>(exact);
  auto bits = std::bit_cast<uint32_t>(x);
  if (std::isnan(x)) return static_cast<uint16_t>((bits >> 16) | 0x40);
  if (static_cast<double>(x) != exact && (bits & 1) == 0 && !std::isinf(x))
    bits += std::abs(static_cast<double>(x)) < std::abs(exact) ? 1 : -1;
  return static_cast<uint16_t>((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
}
float from_bf16(uint16_t h) { return std::bit_cast<float>(uint32_t{h} << 16); }

template <class T>
void widen(const void* source, double* out, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    T x;
    std::memcpy(&x, static_cast<const char*>(source) + i * static_cast<int64_t>(sizeof(T)), sizeof x);
    out[i] = static_cast<double>(x);
  }
}
// Integers are rounded to nearest and clamped to their range; a NaN becomes 0.
template <class T>
void narrow(const double* source, void* out, int64_t n) {
  auto* to = static_cast<T*>(out);
  for (int64_t i = 0; i < n; ++i) {
    if constexpr (std::is_floating_point_v<T>) {
      to[i] = static_cast<T>(source[i]);
    } else {
      const double lo = static_cast<double>(std::numeric_limits<T>::min());
      const double hi = static_cast<double>(std::numeric_limits<T>::max());
      const double x = std::isnan(source[i]) ? 0.0 : std::nearbyint(source[i]);
      to[i] = x >= hi ? std::numeric_limits<T>::max() : static_cast<T>(std::max(x, lo));
    }
  }
}

}  // namespace

std::span<const DTypeInfo> all_dtypes() { return kDTypes; }
const DTypeInfo& info(DType dtype) { return kDTypes[static_cast<size_t>(dtype)]; }

std::optional<DType> dtype_named(std::string_view name) {
  for (size_t i = 0; i < kDTypes.size(); ++i)
    if (kDTypes[i].name == name) return static_cast<DType>(i);
  return std::nullopt;
}

void decode(DType from, const void* source, double* out, int64_t n) {
  switch (from) {
    case DType::f32:
      return widen<float>(source, out, n);
    case DType::f64:
      return widen<double>(source, out, n);
    case DType::f16:
      return widen<_Float16>(source, out, n);
    case DType::i8:
      return widen<int8_t>(source, out, n);
    case DType::i16:
      return widen<int16_t>(source, out, n);
    case DType::i32:
      return widen<int32_t>(source, out, n);
    case DType::i64:
      return widen<int64_t>(source, out, n);
    case DType::u8:
      return widen<uint8_t>(source, out, n);
    case DType::u16:
      return widen<uint16_t>(source, out, n);
    case DType::bf16:
      for (int64_t i = 0; i < n; ++i) out[i] = from_bf16(static_cast<const uint16_t*>(source)[i]);
      return;
    case DType::dyn8:
    case DType::udyn8:
      return decode_blocks(dynamic_code(from == DType::dyn8), source, out, n);
  }
}

void encode(DType to, const double* source, void* out, int64_t n) {
  switch (to) {
    case DType::f32:
      return narrow<float>(source, out, n);
    case DType::f64:
      return narrow<double>(source, out, n);
    case DType::i8:
      return narrow<int8_t>(source, out, n);
    case DType::i16:
      return narrow<int16_t>(source, out, n);
    case DType::i32:
      return narrow<int32_t>(source, out, n);
    case DType::i64:
      return narrow<int64_t>(source, out, n);
    case DType::u8:
      return narrow<uint8_t>(source, out, n);
    case DType::u16:
      return narrow<uint16_t>(source, out, n);
    case DType::f16:
      for (int64_t i = 0; i < n; ++i) static_cast<_Float16*>(out)[i] = static_cast<_Float16>(source[i]);
      return;
    case DType::bf16:
      for (int64_t i = 0; i < n; ++i) static_cast<uint16_t*>(out)[i] = to_bf16(source[i]);
      return;
    case DType::dyn8:
    case DType::udyn8:
      return encode_blocks(dynamic_code(to == DType::dyn8), source, out, n);
  }
}

Shape::Shape(std::span<const int64_t> dims) : rank_(static_cast<int>(dims.size())) {
  std::copy(dims.begin(), dims.end(), dims_.begin());
}
int64_t Shape::elements() const {
  if (std::find(begin(), end(), 0) != end()) return 0;
  std::optional<int64_t> n = 1;
  for (int64_t d : dims())
    if (n) n = checked_mul(*n, d);
  return n.value_or(INT64_MAX);
}
Shape Shape::with(int axis, int64_t size) const {
  Shape s = *this;
  s.dims_[static_cast<size_t>(axis)] = size;
  return s;
}
Shape Shape::without(int axis) const {
  std::vector<int64_t> d(begin(), end());
  d.erase(d.begin() + axis);
  return Shape(d);
}
Shape Shape::plus(int64_t size) const {
  std::vector<int64_t> d(begin(), end());
  d.push_back(size);
  return Shape(d);
}

namespace {
std::optional<int64_t> bytes_of(DType dtype, int64_t elements) {
  const auto& row = info(dtype);
  return checked_mul(elements / row.block_elements + (elements % row.block_elements != 0), row.block_bytes);
}
}  // namespace

int64_t Type::bytes() const { return bytes_of(dtype, elements()).value_or(INT64_MAX); }

std::optional<int64_t> checked_extent(const Type& type) {
  std::optional<int64_t> elements = 1;
  for (int64_t d : type.dims)
    if (elements) elements = checked_mul(*elements, std::max<int64_t>(d, 1));
  return elements ? bytes_of(type.dtype, *elements) : std::nullopt;
}

std::string to_string(const Shape& shape) {
  std::string text = "[";
  for (int i = 0; i < shape.rank(); ++i) text += (i ? "," : "") + std::to_string(shape[i]);
  return text + "]";
}
std::string to_string(const Type& type) { return std::string(info(type.dtype).name) + to_string(type.dims); }

std::optional<Type> type_named(std::string_view text) {
  const size_t open = text.find('[');
  if (open == std::string_view::npos || text.back() != ']') return std::nullopt;
  const auto dtype = dtype_named(text.substr(0, open));
  if (!dtype) return std::nullopt;
  std::vector<int64_t> dims;
  for (std::string_view rest = text.substr(open + 1, text.size() - open - 2); !rest.empty();) {
    int64_t d = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), d);
    if (error != std::errc{} || d < 0 || dims.size() == Shape::kMaxRank) return std::nullopt;
    dims.push_back(d);
    rest.remove_prefix(static_cast<size_t>(end - rest.data()));
    if (!rest.empty() && (rest.front() != ',' || rest.size() == 1)) return std::nullopt;
    if (!rest.empty()) rest.remove_prefix(1);
  }
  // Sizes that overflow make no type: the text may come from a file.
  const Type type{*dtype, Shape(dims)};
  return checked_extent(type) ? std::optional(type) : std::nullopt;
}

}  // namespace shoestring
