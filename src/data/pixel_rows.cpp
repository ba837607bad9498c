#include "data/pixel_rows.h"

#include <algorithm>

namespace shoestring::data {

void PixelRows::resize(int64_t rows) {
  const auto wanted = static_cast<size_t>(rows * row_bytes_);
  if (wanted > pixels_.capacity()) pixels_.reserve(std::max(wanted, pixels_.capacity() / 8 * 9));
  pixels_.resize(wanted);
}

void PixelRows::gather(std::span<const uint32_t> rows, uint8_t* out) const {
  for (const uint32_t row : rows) {
    std::memcpy(out, pixels_.data() + int64_t{row} * row_bytes_, static_cast<size_t>(row_bytes_));
    out += row_bytes_;
  }
}

}  // namespace shoestring::data
