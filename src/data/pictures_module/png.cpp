// PNG, through libspng.
#include <spng.h>

#include <memory>

#include "data/pictures_module/parts.h"

namespace shoestring::data {
namespace {

// Of what is not pixels (profiles, texts), for one chunk and for all.
constexpr size_t kMostChunk = 16 << 20, kMostChunks = 64 << 20;

const char* words_of(int error) {
  switch (error) {
    case SPNG_IO_EOF:
    case SPNG_EIDAT_TOO_SHORT:
      return "the PNG ends early";
    case SPNG_EZLIB:
    case SPNG_EIDAT_STREAM:
      return "the PNG's compressed data is damaged";
    case SPNG_ECHUNK_CRC:
      return "a checksum in the PNG does not match: it is damaged";
    case SPNG_EMEM:
      return "out of memory";
    default:
      return nullptr;
  }
}

}  // namespace

bool decode_png(DecodeRequest& request) noexcept {
  const std::unique_ptr<spng_ctx, void (*)(spng_ctx*)> png(spng_ctx_new(0), spng_ctx_free);
  if (!png) return refuse(request, "out of memory");
  const int format = request.channels == 1   ? SPNG_FMT_G8
                     : request.channels == 3 ? SPNG_FMT_RGB8
                                             : SPNG_FMT_RGBA8;
  const auto bytes = static_cast<size_t>(request.height * request.width * request.channels);
  spng_ihdr header{};
  size_t wanted = 0;
  int error = spng_set_png_buffer(png.get(), request.bytes, static_cast<size_t>(request.size));
  if (error == 0) error = spng_set_chunk_limits(png.get(), kMostChunk, kMostChunks);
  if (error == 0) error = spng_get_ihdr(png.get(), &header);
  if (error == 0) error = spng_decoded_image_size(png.get(), format, &wanted);
  if (error == 0 && (wanted != bytes || header.width != request.width))
    return refuse(request, "the PNG has two headers, of different sizes");
  if (error == 0)
    error = spng_decode_image(png.get(), request.out, bytes, format,
                              request.channels == 4 ? SPNG_DECODE_TRNS : 0);
  if (error == 0) return true;
  if (const char* words = words_of(error)) return refuse(request, words);
  std::snprintf(request.message, sizeof request.message, "the PNG is damaged: %s", spng_strerror(error));
  return false;
}

}  // namespace shoestring::data
