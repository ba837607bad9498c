// The logical type of a tensor: an element type and a row-major shape. No layout, no device.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace shoestring {

enum class DType : uint8_t { f32, f64, bf16, f16, i8, i16, i32, i64, u8, u16, dyn8, udyn8 };

// A row of the dtype table. Sizes come from bytes(), never sizeof: some rows hold blocks of several elements
// (ir/dynamic_code.h), row-major through the whole tensor, the last one filled up. Only operators that say so
// (kBlocks) take such operands; the others get them through `cast`.
struct DTypeInfo {
  std::string_view name;
  int32_t block_elements, block_bytes;
  bool floating;
  bool compute;  // kernels calculate in it; the others are storage, widened on use
};
const DTypeInfo& info(DType dtype);
std::span<const DTypeInfo> all_dtypes();  // indexed by DType
std::optional<DType> dtype_named(std::string_view name);

inline bool in_blocks(DType dtype) { return info(dtype).block_elements != 1; }

// Widen or narrow n elements through f64 (exact for every dtype but i64 beyond 2^53). Begins at a block.
void decode(DType from, const void* source, double* out, int64_t n);
void encode(DType to, const double* source, void* out, int64_t n);

class Shape {
 public:
  static constexpr int kMaxRank = 8;
  Shape() = default;  // rank 0: a scalar, one element
  Shape(std::initializer_list<int64_t> dims) : Shape(std::span(dims.begin(), dims.size())) {}
  explicit Shape(std::span<const int64_t> dims);

  int rank() const { return rank_; }
  int64_t operator[](int axis) const { return dims_[static_cast<size_t>(axis)]; }
  int64_t back() const { return dims_[static_cast<size_t>(rank_ - 1)]; }
  int64_t elements() const;  // INT64_MAX where it would be more
  std::span<const int64_t> dims() const { return {dims_.data(), static_cast<size_t>(rank_)}; }
  auto begin() const { return dims().begin(); }
  auto end() const { return dims().end(); }

  Shape with(int axis, int64_t size) const;  // one axis resized
  Shape without(int axis) const;             // one axis dropped
  Shape plus(int64_t size) const;            // one axis appended
  bool operator==(const Shape&) const = default;

 private:
  std::array<int64_t, kMaxRank> dims_{};  // unused dims stay 0, so == compares whole arrays
  int rank_ = 0;
};

struct Type {
  DType dtype = DType::f32;
  Shape dims;
  int64_t elements() const { return dims.elements(); }
  int64_t bytes() const;  // INT64_MAX where it would be more
  bool operator==(const Type&) const = default;
};

// The bytes with every empty axis counted as one: what strides and offsets need to fit. Nothing where that is
// more than an int64_t holds.
std::optional<int64_t> checked_extent(const Type& type);

std::string to_string(const Shape& shape);              // "[70,5]", "[]"
std::string to_string(const Type& type);                // "f32[70,5]"
std::optional<Type> type_named(std::string_view text);  // the inverse

}  // namespace shoestring
