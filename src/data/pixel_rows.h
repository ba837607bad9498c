// The pictures of a column: one of fixed size a row, [rows, row_bytes] in u8. They lie in blocks of about a
// MiB, so that a column that grows is never there twice.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <vector>

namespace shoestring::data {

class PixelRows {
 public:
  explicit PixelRows(int64_t row_bytes);  // height * width * channels, at least 1
  PixelRows(const PixelRows& other);
  PixelRows(PixelRows&& other) noexcept;  // which has no rows then
  PixelRows& operator=(PixelRows other) noexcept;
  ~PixelRows() = default;

  int64_t row_bytes() const { return row_bytes_; }
  int64_t rows() const { return rows_; }
  int64_t bytes() const { return static_cast<int64_t>(blocks_.size()) * (row_bytes_ << shift_); }

  // Adds `count` black pictures, to be filled through row(), each from any thread.
  void append(int64_t count) { resize(rows_ + count); }
  std::span<uint8_t> row(int64_t r) { return {at(r), static_cast<size_t>(row_bytes_)}; }
  std::span<const uint8_t> row(int64_t r) const { return {at(r), static_cast<size_t>(row_bytes_)}; }

  // For rows in a file (data/packed.h); resize() makes room for so many to be filled from it. What is new is
  // black.
  void resize(int64_t rows);
  void pack(std::span<const uint32_t> rows, std::byte* out, int64_t stride) const;
  void unpack(const std::byte* in, int64_t stride, int64_t first, int64_t count);

  // out[b, :] = row(rows[b]), out row-major [rows.size(), row_bytes].
  void gather(std::span<const uint32_t> rows, uint8_t* out) const;

 private:
  struct Free {
    void operator()(uint8_t* block) const { std::free(block); }
  };

  uint8_t* at(int64_t r) const {
    const int64_t inside = r & ((int64_t{1} << shift_) - 1);
    return blocks_[static_cast<size_t>(r >> shift_)].get() + inside * row_bytes_;
  }

  int64_t row_bytes_, rows_ = 0;
  int shift_ = 0;  // rows of a block: 1 << shift_
  std::vector<std::unique_ptr<uint8_t[], Free>> blocks_;
};

}  // namespace shoestring::data
