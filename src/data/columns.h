// Encoded columns, as narrow as their content allows, and the gather that fills a batch from them: the
// training loop's path, so it neither allocates nor checks.
#pragma once

#include <cstdint>
#include <span>
#include <variant>
#include <vector>

#include "base/memory.h"
#include "data/packed.h"

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

  // For rows in a file (data/packed.h): bytes of each, and room for so many rows to be filled from it.
  int64_t row_bytes() const { return static_cast<int64_t>(sizeof(float)) * width_; }
  void resize(int64_t rows) { append(rows - this->rows()); }
  void pack(std::span<const uint32_t> rows, std::byte* out, int64_t stride) const {
    data::pack(values_.data(), width_, rows, out, stride);
  }
  void unpack(const std::byte* in, int64_t stride, int64_t first, int64_t count) {
    data::unpack(in, stride, count, values_.data() + first * width_, width_);
  }

  // out[b, :] = row(rows[b]), out row-major [rows.size(), width].
  void gather(std::span<const uint32_t> rows, float* out) const;
  // The columns [first, first + count) only; rows of `out` are `out_stride` floats apart.
  void gather(std::span<const uint32_t> rows, int first, int count, float* out, int64_t out_stride) const;

 private:
  int width_;
  int64_t rows_ = 0;  // for a width of 0
  std::vector<float> values_;
};

// Codes in u8, u16 or i32, the narrowest that holds [0, cardinality); `width` of them a row.
class CodeColumn {
 public:
  explicit CodeColumn(int64_t cardinality, int64_t expected_rows = 0, int64_t width = 1);

  int64_t cardinality() const { return cardinality_; }
  int64_t width() const { return width_; }
  int64_t rows() const;
  int64_t bytes() const;
  int64_t row_bytes() const;
  // For rows in a file (data/packed.h); resize() makes room for so many to be filled from it.
  void resize(int64_t rows);
  void pack(std::span<const uint32_t> rows, std::byte* out, int64_t stride) const;
  void unpack(const std::byte* in, int64_t stride, int64_t first, int64_t count);
  void append(std::span<const int32_t> codes);  // of whole rows, each in [0, cardinality)
  int32_t at(int64_t row, int64_t place = 0) const;
  // out[b * stride], of several a row out[b, :], = codes[rows[b]], widened.
  void gather(std::span<const uint32_t> rows, int32_t* out, int64_t stride = 1) const;
  void gather(std::span<const uint32_t> rows, float* out, int64_t stride = 1) const;

 private:
  int64_t cardinality_, width_;
  std::variant<std::vector<uint8_t>, std::vector<uint16_t>, std::vector<int32_t>> codes_;
};

// Dates and times of day, 12 bytes a row.
class DateRows {
 public:
  // What a row is for a network, each as a float: the year as it was scaled, then, from 0: month, day,
  // weekday (Monday), day of the year, hour, minute, second, second of the day.
  static constexpr int kWidth = 9;

  void reserve(int64_t rows) { dates_.reserve(static_cast<size_t>(rows)); }
  void append(int64_t seconds, float year);  // seconds since 1970

  int64_t rows() const { return static_cast<int64_t>(dates_.size()); }
  int64_t bytes() const { return static_cast<int64_t>(dates_.capacity() * sizeof(Date)); }
  // For rows in a file (data/packed.h); resize() makes room for so many to be filled from it.
  int64_t row_bytes() const { return sizeof(Date); }
  void resize(int64_t rows) { dates_.resize(static_cast<size_t>(rows)); }
  void pack(std::span<const uint32_t> rows, std::byte* out, int64_t stride) const {
    data::pack(dates_.data(), 1, rows, out, stride);
  }
  void unpack(const std::byte* in, int64_t stride, int64_t first, int64_t count) {
    data::unpack(in, stride, count, dates_.data() + first, 1);
  }
  // out row-major [rows.size(), kWidth].
  void gather(std::span<const uint32_t> rows, float* out) const;

 private:
  struct Date {
    float year;
    uint16_t yearday;
    uint8_t month, day, weekday, hour, minute, second;
  };
  std::vector<Date> dates_;
};

}  // namespace shoestring::data
