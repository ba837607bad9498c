#include "data/png.h"

#include <zlib.h>

namespace shoestring::data {
namespace {

void append_u32(std::string& out, size_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 255);
}

void append_chunk(std::string& out, std::string_view type, std::string_view data) {
  append_u32(out, data.size());
  const size_t begin = out.size();
  out.append(type).append(data);
  append_u32(out, crc32_z(0, reinterpret_cast<const Bytef*>(out.data() + begin), out.size() - begin));
}

}  // namespace

std::string encode_png(std::span<const uint8_t> pixels, int64_t height, int64_t width, int64_t channels) {
  constexpr char kColours[] = {0, 4, 2, 6};
  std::string out = "\x89PNG\r\n\x1A\n", header;
  append_u32(header, static_cast<size_t>(width));
  append_u32(header, static_cast<size_t>(height));
  header += {8, kColours[channels - 1], 0, 0, 0};
  append_chunk(out, "IHDR", header);
  std::string rows;  // each begins with its filter: none
  const auto row_bytes = static_cast<size_t>(width * channels);
  for (size_t y = 0; y < static_cast<size_t>(height); ++y) {
    rows += '\0';
    rows.append(reinterpret_cast<const char*>(pixels.data()) + y * row_bytes, row_bytes);
  }
  uLongf size = compressBound(rows.size());
  std::string packed(size, '\0');
  compress2(reinterpret_cast<Bytef*>(packed.data()), &size, reinterpret_cast<const Bytef*>(rows.data()),
            rows.size(), Z_BEST_COMPRESSION);
  packed.resize(size);
  append_chunk(out, "IDAT", packed);
  append_chunk(out, "IEND", {});
  return out;
}

}  // namespace shoestring::data
