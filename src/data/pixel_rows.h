// The pictures of a column: one of fixed size a row, [rows, row_bytes] in u8.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "data/packed.h"

namespace shoestring::data {

class PixelRows {
 public:
  // `expected_rows` reserves, so that memory is taken once; it is touched as rows are filled.
  explicit PixelRows(int64_t row_bytes, int64_t expected_rows = 0) : row_bytes_(row_bytes) {
    pixels_.reserve(static_cast<size_t>(expected_rows * row_bytes));
  }

  int64_t row_bytes() const { return row_bytes_; }  // height * width * channels
  int64_t rows() const { return row_bytes_ == 0 ? 0 : static_cast<int64_t>(pixels_.size()) / row_bytes_; }
  int64_t bytes() const { return static_cast<int64_t>(pixels_.capacity()); }

  // Adds `count` black pictures, to be filled through row(), from any thread.
  void append(int64_t count) { resize(rows() + count); }
  std::span<uint8_t> row(int64_t r) {
    return {pixels_.data() + r * row_bytes_, static_cast<size_t>(row_bytes_)};
  }
  std::span<const uint8_t> row(int64_t r) const {
    return {pixels_.data() + r * row_bytes_, static_cast<size_t>(row_bytes_)};
  }

  // For rows in a file (data/packed.h); resize() makes room for so many to be filled from it. Beyond what was
  // reserved it grows by an eighth, so that a copy is seldom and little is spare.
  void resize(int64_t rows);
  void pack(std::span<const uint32_t> rows, std::byte* out, int64_t stride) const {
    data::pack(pixels_.data(), row_bytes_, rows, out, stride);
  }
  void unpack(const std::byte* in, int64_t stride, int64_t first, int64_t count) {
    data::unpack(in, stride, count, pixels_.data() + first * row_bytes_, row_bytes_);
  }

  // out[b, :] = row(rows[b]), out row-major [rows.size(), row_bytes].
  void gather(std::span<const uint32_t> rows, uint8_t* out) const;

 private:
  int64_t row_bytes_;
  std::vector<uint8_t> pixels_;
};

}  // namespace shoestring::data
