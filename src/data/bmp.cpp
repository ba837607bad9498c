// BMP as Windows and OS/2 write it: palettes of 1, 4 and 8 bits, 16, 24 and 32 bits, masks of bits; not run
// lengths.
#include <fmt/format.h>

#include <array>
#include <bit>

#include "data/picture_formats.h"

namespace shoestring::data {
namespace {

struct Header {
  int64_t width = 0, height = 0;
  bool top_down = false;
  uint32_t bits = 24;
  size_t pixels_at = 0, palette_at = 0, palette_stride = 4;
  uint32_t colours = 0;                // in the palette
  std::array<uint32_t, 4> masks = {};  // red, green, blue, alpha of 16 and 32 bits

  bool has_palette() const { return bits <= 8; }
  bool has_alpha() const { return masks[3] != 0; }
  size_t stride() const { return static_cast<size_t>((width * bits + 31) / 32 * 4); }
};

void read_masks(EncodedPicture bytes, size_t size, uint32_t compression, Header& header) {
  if (compression == 3 || compression == 6) {
    for (size_t m = 0; m < 3; ++m) header.masks[m] = little32(bytes, 54 + 4 * m);
    if (compression == 6 || size >= 56) header.masks[3] = little32(bytes, 66);
  } else if (header.bits == 16) {
    header.masks = {0x7C00, 0x03E0, 0x001F, 0};
  } else if (header.bits == 32) {
    header.masks = {0xFF0000, 0xFF00, 0xFF, 0};
  }
}

Result<Header> read_header(EncodedPicture bytes) {
  Header header;
  const size_t size = little32(bytes, 14);
  header.pixels_at = little32(bytes, 10);
  uint32_t compression = 0;
  if (size == 12) {  // OS/2
    header.width = little16(bytes, 18);
    header.height = little16(bytes, 20);
    header.bits = little16(bytes, 24);
    header.palette_stride = 3;
  } else if (size >= 40 && size <= 1024) {
    header.width = static_cast<int32_t>(little32(bytes, 18));
    header.height = static_cast<int32_t>(little32(bytes, 22));
    header.top_down = header.height < 0;
    if (header.top_down) header.height = -header.height;
    header.bits = little16(bytes, 28);
    compression = little32(bytes, 30);
    header.colours = little32(bytes, 46);
  } else {
    return broken_picture("the BMP's header is damaged");
  }
  constexpr std::array<uint32_t, 6> kBits{1, 4, 8, 16, 24, 32};
  if (header.width <= 0 || header.height <= 0 ||
      std::find(kBits.begin(), kBits.end(), header.bits) == kBits.end())
    return broken_picture("the BMP's header is damaged");
  if (compression != 0 && compression != 3 && compression != 6)
    return broken_picture("the BMP is compressed, which is not read: save it as PNG");
  header.palette_at = 14 + size;
  const uint32_t most = header.has_palette() ? 1u << header.bits : 0;
  if (header.colours == 0 || header.colours > most) header.colours = most;
  read_masks(bytes, size, compression, header);
  return header;
}

uint8_t masked(uint32_t pixel, uint32_t mask) {
  if (mask == 0) return 0;
  const int shift = std::countr_zero(mask);
  const uint64_t most = mask >> shift;
  return static_cast<uint8_t>((uint64_t{(pixel & mask) >> shift} * 255 + most / 2) / most);
}

void read_row(EncodedPicture bytes, const Header& header, size_t row, std::span<uint8_t> out) {
  const size_t channels = header.has_alpha() ? 4 : 3;
  for (size_t x = 0; x < static_cast<size_t>(header.width); ++x) {
    uint8_t* to = out.data() + x * channels;
    if (header.has_palette()) {
      const size_t bit = x * header.bits;
      const uint32_t index =
          byte_at(bytes, row + bit / 8) >> (8 - header.bits - bit % 8) & ((1u << header.bits) - 1);
      const size_t colour = header.palette_at + std::min(index, header.colours - 1) * header.palette_stride;
      for (size_t c = 0; c < 3; ++c) to[c] = static_cast<uint8_t>(byte_at(bytes, colour + 2 - c));
    } else if (header.bits == 24) {
      for (size_t c = 0; c < 3; ++c) to[c] = static_cast<uint8_t>(bytes[row + 3 * x + 2 - c]);
    } else {
      const uint32_t pixel = header.bits == 16 ? little16(bytes, row + 2 * x) : little32(bytes, row + 4 * x);
      for (size_t c = 0; c < channels; ++c) to[c] = masked(pixel, header.masks[c]);
    }
  }
}

}  // namespace

Result<PictureInfo> look_at_bmp(EncodedPicture bytes) {
  const auto header = read_header(bytes);
  if (!header) return fail(header.error());
  return PictureInfo{.format = PictureFormat::bmp,
                     .height = header->height,
                     .width = header->width,
                     .channels = header->has_alpha() ? 4 : 3,
                     .least_bytes = static_cast<int64_t>(
                         header->pixels_at + header->stride() * static_cast<size_t>(header->height))};
}

Status decode_bmp(EncodedPicture bytes, std::span<uint8_t> out) {
  const auto header = read_header(bytes);
  if (!header) return fail(header.error());
  const auto height = static_cast<size_t>(header->height);
  if (header->pixels_at > bytes.size() || (bytes.size() - header->pixels_at) / header->stride() < height)
    return broken_picture("the BMP ends early");
  const size_t line = out.size() / height;
  for (size_t y = 0; y < height; ++y)
    read_row(bytes, *header, header->pixels_at + (header->top_down ? y : height - 1 - y) * header->stride(),
             out.subspan(y * line, line));
  return {};
}

}  // namespace shoestring::data
