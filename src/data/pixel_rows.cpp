#include "data/pixel_rows.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

namespace shoestring::data {
namespace {

constexpr int64_t kBlockBytes = 1 << 20;

}  // namespace

PixelRows::PixelRows(int64_t row_bytes) : row_bytes_(row_bytes) {
  while (row_bytes << (shift_ + 1) <= kBlockBytes) ++shift_;
}

PixelRows::PixelRows(const PixelRows& other) : PixelRows(other.row_bytes_) {
  resize(other.rows_);
  for (int64_t r = 0; r < rows_; ++r) std::memcpy(at(r), other.at(r), static_cast<size_t>(row_bytes_));
}

PixelRows::PixelRows(PixelRows&& other) noexcept
    : row_bytes_(other.row_bytes_),
      rows_(std::exchange(other.rows_, 0)),
      shift_(other.shift_),
      blocks_(std::exchange(other.blocks_, {})) {}

PixelRows& PixelRows::operator=(PixelRows other) noexcept {
  row_bytes_ = other.row_bytes_;
  rows_ = other.rows_;
  shift_ = other.shift_;
  blocks_.swap(other.blocks_);
  return *this;
}

void PixelRows::resize(int64_t rows) {
  const int64_t block_rows = int64_t{1} << shift_;
  const auto wanted = static_cast<size_t>((rows + block_rows - 1) / block_rows);
  // What a block had beyond its last row is black again.
  const int64_t end = std::min(rows, static_cast<int64_t>(blocks_.size()) * block_rows);
  for (int64_t r = rows_; r < end; ++r) std::memset(at(r), 0, static_cast<size_t>(row_bytes_));
  blocks_.resize(std::min(wanted, blocks_.size()));
  while (blocks_.size() < wanted) {
    // Pages that are zero until they are filled.
    auto* block =
        static_cast<uint8_t*>(std::calloc(static_cast<size_t>(block_rows), static_cast<size_t>(row_bytes_)));
    if (block == nullptr) throw std::bad_alloc();
    blocks_.emplace_back(block);
  }
  rows_ = rows;
}

void PixelRows::pack(std::span<const uint32_t> rows, std::byte* out, int64_t stride) const {
  for (const uint32_t row : rows) {
    std::memcpy(out, at(row), static_cast<size_t>(row_bytes_));
    out += stride;
  }
}

void PixelRows::unpack(const std::byte* in, int64_t stride, int64_t first, int64_t count) {
  for (int64_t i = 0; i < count; ++i)
    std::memcpy(at(first + i), in + i * stride, static_cast<size_t>(row_bytes_));
}

void PixelRows::gather(std::span<const uint32_t> rows, uint8_t* out) const {
  for (const uint32_t row : rows) {
    std::memcpy(out, at(row), static_cast<size_t>(row_bytes_));
    out += row_bytes_;
  }
}

}  // namespace shoestring::data
