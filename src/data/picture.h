// Pictures: from encoded bytes to pixels [height, width, channels] in u8.
//
//   PictureRoom room;                                        // one a thread, used again and again
//   auto done = decode_into(bytes, {.height = 32, .width = 32, .channels = 3}, row, room);
//
// JPEG, PNG, WebP (stills), PGM, PPM, PBM and PAM (binary and as text) and BMP. What a picture is is told by
// its content, never by its name. Sizes are checked before anything is decoded or taken from the heap.
//
// What comes out is what Pillow's convert("L"), ("RGB"), ("RGBA") give: alpha is dropped, not blended; grey
// is 0.299 R + 0.587 G + 0.114 B (of a JPEG its own luma); CMYK is taken as Adobe writes it. Of 16 bits a
// value the upper 8 count (Pillow clips grey ones). The orientation that a camera wrote into EXIF is applied.
//
// An error is ErrorKind::data and says why in a few words, "the JPEG ends early"; its `where` is empty:
// whoever knows the picture's name puts it there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/error.h"

namespace shoestring::data {

using EncodedPicture = std::span<const std::byte>;

// A picture with more pixels is an error, not memory: a quarter GiB of RGB, the bound that Pillow warns from.
inline constexpr int64_t kMostPixels = 89'478'485;
inline constexpr int64_t kLongestSide = 100'000;

enum class PictureFormat { jpeg, png, webp, pnm, bmp };

// What the header says.
struct PictureInfo {
  PictureFormat format = PictureFormat::jpeg;
  int64_t height = 0, width = 0;  // as it is shown: turned by its orientation
  int channels = 3;               // 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha; palettes count as 3
  int bits = 8;                   // a value
  int orientation = 1;            // EXIF's: 1 to 8; 5 and above change height with width
  bool inks = false;              // a JPEG in CMYK, which becomes RGB
  int64_t least_bytes = 0;        // that a whole file of it has, where its header tells
};

// Reads the header only. Sizes beyond the bounds above are an error.
Result<PictureInfo> look_at(EncodedPicture bytes);

// Whether the bytes begin as a picture that is read does, or as one that is not (GIF, TIFF, AVIF, HEIC): a
// dozen bytes tell.
bool is_picture(EncodedPicture head);

// Pixels that are somebody else's, [height, width, channels].
struct PixelView {
  std::span<const uint8_t> values;
  int64_t height = 0, width = 0, channels = 0;
};

struct Picture {
  int64_t height = 0, width = 0, channels = 0;
  std::vector<uint8_t> pixels;  // [height, width, channels]

  PixelView view() const { return {pixels, height, width, channels}; }
};

enum class ResizeMethod {
  interpolate,  // the whole picture, by a triangle filter as wide as the scale (antialiasing)
  crop_or_pad   // the middle at its own size; where the picture is smaller, its edges are repeated
};

// What every picture of a column is made into.
struct PictureForm {
  int64_t height = 0, width = 0;
  int64_t channels = 3;  // 1 to 4
  ResizeMethod method = ResizeMethod::interpolate;

  int64_t bytes() const { return height * width * channels; }
};

// Memory that decoding works in, kept from one picture to the next. Of one thread at a time.
struct PictureRoom {
  std::vector<uint8_t> decoded, small;
  std::vector<int32_t> spans;
  std::vector<float> weights, line;
};

// As large as it is; `channels` 0 keeps its own.
Result<Picture> decode_picture(EncodedPicture bytes, int64_t channels = 0);

// Decoded, turned, with form.channels channels, resized, into `out` of form.bytes(). A JPEG that is much
// larger than the form is decoded at a half, a quarter or an eighth of its size, never below kDecodeMargin
// times the form. Safe from any thread.
Status decode_into(EncodedPicture bytes, const PictureForm& form, std::span<uint8_t> out, PictureRoom& room);
inline constexpr double kDecodeMargin = 1.5;

// Pixels that are decoded already, in the same way.
Status fit_into(const PixelView& pixels, const PictureForm& form, std::span<uint8_t> out, PictureRoom& room);

}  // namespace shoestring::data
