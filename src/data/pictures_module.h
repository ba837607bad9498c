// What the module that links the decoders of JPEG, PNG and WebP offers. They cost every process's start, so
// they sit in shoestring_pictures.so, which is opened when the first picture is decoded. Plain functions and
// structs: no exception crosses, and the module has no state.
#pragma once

#include <cstdint>

#include "base/error.h"

namespace shoestring::data {

inline constexpr int kPicturesModuleVersion = 1;

// One picture to decode. The size is what data/picture.cpp read in the header and took room for: a decoder
// that finds another refuses.
struct DecodeRequest {
  const uint8_t* bytes;
  int64_t size;
  int64_t height, width;  // of the pixels that come out
  int channels;  // of the pixels that come out: 1, 3 or 4 for JPEG (4: CMYK), 1 to 4 for PNG, 3 or 4 for WebP
  int denominator = 1;     // JPEG: decoded at 1/1, 1/2, 1/4 or 1/8
  uint8_t* out;            // [height, width, channels]
  char message[160] = {};  // why it failed, "the JPEG ends early"
};

using Decode = bool (*)(DecodeRequest& request) noexcept;

struct PicturesModule {
  int version;
  Decode jpeg, png, webp;
};

// The module, opened at the first call. It fails (ErrorKind::machine) where the installation is not whole.
Result<const PicturesModule*> pictures_module();

}  // namespace shoestring::data

extern "C" const shoestring::data::PicturesModule* shoestring_pictures_module();
