// What data/picture.cpp asks of the single formats: headers of all, pixels of those that need no library.
#pragma once

#include <string>

#include "data/picture.h"

namespace shoestring::data {

// An error of a picture: its name is for others to add.
Failure broken_picture(std::string what);

// Bytes at a place, 0 where there are none: a header that is cut reads as one that is wrong.
inline uint32_t byte_at(EncodedPicture bytes, size_t at) {
  return at < bytes.size() ? static_cast<uint32_t>(bytes[at]) : 0;
}
inline uint32_t big16(EncodedPicture b, size_t at) { return byte_at(b, at) << 8 | byte_at(b, at + 1); }
inline uint32_t big32(EncodedPicture b, size_t at) { return big16(b, at) << 16 | big16(b, at + 2); }
inline uint32_t little16(EncodedPicture b, size_t at) { return byte_at(b, at) | byte_at(b, at + 1) << 8; }
inline uint32_t little32(EncodedPicture b, size_t at) { return little16(b, at) | little16(b, at + 2) << 16; }
inline bool says(EncodedPicture b, size_t at, std::string_view text) {
  return at <= b.size() && text.size() <= b.size() - at &&
         std::string_view(reinterpret_cast<const char*>(b.data()) + at, text.size()) == text;
}

// The orientation in a block of EXIF, a TIFF file of its own; 1 where it says none.
int exif_orientation(EncodedPicture tiff);

Result<PictureInfo> look_at_jpeg(EncodedPicture bytes);
Result<PictureInfo> look_at_png(EncodedPicture bytes);
Result<PictureInfo> look_at_webp(EncodedPicture bytes);
Result<PictureInfo> look_at_pnm(EncodedPicture bytes);
Result<PictureInfo> look_at_bmp(EncodedPicture bytes);

// As many channels as the header says, into room for all.
Status decode_pnm(EncodedPicture bytes, std::span<uint8_t> out);
// Likewise; rows come top down.
Status decode_bmp(EncodedPicture bytes, std::span<uint8_t> out);

// Resizes u8 [height, width, channels] to [to_height, to_width, channels] by a triangle filter as wide as the
// scale.
void interpolate(const uint8_t* from, int64_t height, int64_t width, int64_t channels, uint8_t* to,
                 int64_t to_height, int64_t to_width, PictureRoom& room);

}  // namespace shoestring::data
