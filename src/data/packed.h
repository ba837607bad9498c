// Cells of columns as bytes of rows: a row of a file that is read in any order is one run of bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace shoestring::data {

// The `width` values of each of these rows, into rows that lie `stride` bytes apart.
template <class T>
void pack(const T* values, int64_t width, std::span<const uint32_t> rows, std::byte* out, int64_t stride) {
  for (size_t i = 0; i < rows.size(); ++i) {
    std::byte* to = out + static_cast<int64_t>(i) * stride;
    const T* from = values + rows[i] * width;
    if (width == 1)
      std::memcpy(to, from, sizeof(T));
    else
      std::memcpy(to, from, static_cast<size_t>(width) * sizeof(T));
  }
}

// And back, into `count` rows that begin at `values`.
template <class T>
void unpack(const std::byte* in, int64_t stride, int64_t count, T* values, int64_t width) {
  for (int64_t i = 0; i < count; ++i) {
    const std::byte* from = in + i * stride;
    if (width == 1)
      std::memcpy(values + i, from, sizeof(T));
    else
      std::memcpy(values + i * width, from, static_cast<size_t>(width) * sizeof(T));
  }
}

}  // namespace shoestring::data
