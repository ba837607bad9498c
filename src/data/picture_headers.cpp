// The headers of JPEG, PNG and WebP: size, channels, orientation, without a decoder.
#include <algorithm>

#include "data/picture_formats.h"

namespace shoestring::data {
namespace {

constexpr std::string_view kExif{"Exif\0\0", 6};

EncodedPicture part(EncodedPicture bytes, size_t at, size_t length) {
  at = std::min(at, bytes.size());
  return bytes.subspan(at, std::min(length, bytes.size() - at));
}

bool is_frame_header(uint32_t marker) {
  return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

}  // namespace

int exif_orientation(EncodedPicture tiff) {
  const bool little = says(tiff, 0, "II");
  if (!little && !says(tiff, 0, "MM")) return 1;
  const auto u16 = [&](size_t at) { return little ? little16(tiff, at) : big16(tiff, at); };
  const auto u32 = [&](size_t at) { return little ? little32(tiff, at) : big32(tiff, at); };
  const size_t directory = u32(4);
  const uint32_t entries = u16(directory);
  for (uint32_t e = 0; e < entries && directory + 2 + 12 * e < tiff.size(); ++e) {
    const size_t entry = directory + 2 + 12 * size_t{e};
    if (u16(entry) != 0x0112) continue;
    const uint32_t value = u16(entry + 8);
    return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return 1;
}

Result<PictureInfo> look_at_jpeg(EncodedPicture bytes) {
  PictureInfo info{.format = PictureFormat::jpeg};
  for (size_t at = 2; at + 4 <= bytes.size();) {
    if (byte_at(bytes, at) != 0xFF) return broken_picture("the JPEG's header is damaged");
    const uint32_t marker = byte_at(bytes, at + 1);
    if (marker == 0xFF) {  // a byte that fills
      ++at;
      continue;
    }
    if (marker == 0xD9 || marker == 0xDA) break;
    const size_t length = big16(bytes, at + 2);
    if (marker == 0x01 || (marker >= 0xD0 && marker <= 0xD7)) {
      at += 2;
      continue;
    }
    if (marker == 0xE1 && says(bytes, at + 4, kExif) && length > 8)
      info.orientation = exif_orientation(part(bytes, at + 10, length - 8));
    if (is_frame_header(marker)) {
      if (at + 10 > bytes.size()) break;
      info.bits = static_cast<int>(byte_at(bytes, at + 4));
      info.height = big16(bytes, at + 5);
      info.width = big16(bytes, at + 7);
      const uint32_t components = byte_at(bytes, at + 9);
      if (components != 1 && components != 3 && components != 4)
        return broken_picture("the JPEG has " + std::to_string(components) + " components");
      info.channels = components == 1 ? 1 : 3;
      info.inks = components == 4;
      return info;
    }
    at += 2 + length;
  }
  return broken_picture("the JPEG ends early");
}

Result<PictureInfo> look_at_png(EncodedPicture bytes) {
  if (bytes.size() < 33) return broken_picture("the PNG ends early");
  if (!says(bytes, 12, "IHDR")) return broken_picture("the PNG's header is damaged");
  PictureInfo info{.format = PictureFormat::png};
  info.width = big32(bytes, 16);
  info.height = big32(bytes, 20);
  info.bits = static_cast<int>(byte_at(bytes, 24));
  const uint32_t colours = byte_at(bytes, 25);
  info.channels = colours == 0 ? 1 : colours == 4 ? 2 : colours == 6 ? 4 : 3;
  for (size_t at = 8; at + 8 <= bytes.size();) {
    const size_t length = big32(bytes, at);
    if (says(bytes, at + 4, "eXIf")) info.orientation = exif_orientation(part(bytes, at + 8, length));
    if (length > bytes.size()) break;
    at += 12 + length;
  }
  return info;
}

Result<PictureInfo> look_at_webp(EncodedPicture bytes) {
  if (bytes.size() < 30) return broken_picture("the WebP ends early");
  PictureInfo info{.format = PictureFormat::webp};
  const auto u24 = [&](size_t at) { return little16(bytes, at) | byte_at(bytes, at + 2) << 16; };
  if (says(bytes, 12, "VP8 ")) {
    info.width = little16(bytes, 26) & 0x3FFF;
    info.height = little16(bytes, 28) & 0x3FFF;
  } else if (says(bytes, 12, "VP8L")) {
    const uint32_t sizes = little32(bytes, 21);
    info.width = 1 + (sizes & 0x3FFF);
    info.height = 1 + (sizes >> 14 & 0x3FFF);
    info.channels = (sizes >> 28 & 1) != 0 ? 4 : 3;
  } else if (says(bytes, 12, "VP8X")) {
    const uint32_t flags = byte_at(bytes, 20);
    info.width = 1 + u24(24);
    info.height = 1 + u24(27);
    info.channels = (flags & 0x10) != 0 ? 4 : 3;
    for (size_t at = 12; (flags & 0x08) != 0 && at + 8 <= bytes.size();) {
      const size_t length = little32(bytes, at + 4);
      if (says(bytes, at, "EXIF")) {
        const size_t skip = says(bytes, at + 8, kExif) ? kExif.size() : 0;
        info.orientation = exif_orientation(part(bytes, at + 8 + skip, length - std::min(length, skip)));
      }
      at += 8 + length + length % 2;
    }
  } else {
    return broken_picture("the WebP's header is damaged");
  }
  return info;
}

}  // namespace shoestring::data
