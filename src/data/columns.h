// Encoded columns, as narrow as their content allows, and the gather that fills a batch from them: the
// training loop's path, so it neither allocates nor checks.
#pragma once

#include <cstdint>
#include <span>
#include <variant>
#include <vector>

#include "base/memory.h"

namespace shoestring::data {

// The number columns of a table together, row-major [rows, width] f32: a row of a batch is then one
// run of memory (108 columns: 7 cache lines) where column-major storage would touch 108 of them.
class FloatRows {
 public:
  // Rows are appended batch by batch; `expected_rows` reserves, so that memory is taken once.
  explicit FloatRows(int width, int64_t expected_rows = 0);

  int width() const { return width_; }
  int64_t rows() const { return width_ == 0 ? rows_ : static_cast<int64_t>(values_.size()) / width_; }
  int64_t bytes() const { return static_cast<int64_t>(values_.capacity() * sizeof(float)); }

  // Adds `count` rows of zeros; fill them with column(c), whose stride is width().
  void append(int64_t count);
  float* column(int c, int64_t first_row = 0) { return values_.data() + first_row * width_ + c; }
  const float* row(int64_t r) const { return values_.data() + r * width_; }

  // out[b, :] = row(rows[b]), out row-major [rows.size(), width].
  void gather(std::span<const uint32_t> rows, float* out) const;
  // The columns [first, first + count) only; rows of `out` are `out_stride` floats apart.
  void gather(std::span<const uint32_t> rows, int first, int count, float* out, int64_t out_stride) const;

 private:
  int width_;
  int64_t rows_ = 0;  // for a width of 0
  std::vector<float> values_;
};

// Codes of one column in u8, u16 or i32, the narrowest that holds [0, cardinality).
class CodeColumn {
 public:
  explicit CodeColumn(int64_t cardinality, int64_t expected_rows = 0);

  int64_t rows() const;
  int64_t bytes() const;
  int bytes_per_row() const;
  void append(std::span<const int32_t> codes);  // each in [0, cardinality)
  int32_t at(int64_t row) const;
  // out[b * stride] = codes[rows[b]], widened.
  void gather(std::span<const uint32_t> rows, int32_t* out, int64_t stride = 1) const;
  void gather(std::span<const uint32_t> rows, float* out, int64_t stride = 1) const;

 private:
  std::variant<std::vector<uint8_t>, std::vector<uint16_t>, std::vector<int32_t>> codes_;
};

}  // namespace shoestring::data
