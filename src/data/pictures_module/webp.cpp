// WebP, through libwebp.
#include <webp/decode.h>

#include "data/pictures_module/parts.h"

namespace shoestring::data {

bool decode_webp(DecodeRequest& request) noexcept {
  WebPDecoderConfig config;
  if (!WebPInitDecoderConfig(&config)) return refuse(request, "libwebp is of another version");
  const auto size = static_cast<size_t>(request.size);
  const VP8StatusCode looked = WebPGetFeatures(request.bytes, size, &config.input);
  if (looked == VP8_STATUS_OK && config.input.has_animation)
    return refuse(request, "this is an animated WebP, of which no still is read");
  if (looked == VP8_STATUS_OK &&
      (config.input.width != request.width || config.input.height != request.height))
    return refuse(request, "the WebP has two headers, of different sizes");
  config.output.colorspace = request.channels == 3 ? MODE_RGB : MODE_RGBA;
  config.output.is_external_memory = 1;
  config.output.u.RGBA.rgba = request.out;
  config.output.u.RGBA.stride = static_cast<int>(request.width * request.channels);
  config.output.u.RGBA.size = static_cast<size_t>(request.height * request.width * request.channels);
  const VP8StatusCode done = looked == VP8_STATUS_OK ? WebPDecode(request.bytes, size, &config) : looked;
  switch (done) {
    case VP8_STATUS_OK:
      return true;
    case VP8_STATUS_NOT_ENOUGH_DATA:
    case VP8_STATUS_SUSPENDED:
      return refuse(request, "the WebP ends early");
    case VP8_STATUS_OUT_OF_MEMORY:
      return refuse(request, "out of memory");
    case VP8_STATUS_UNSUPPORTED_FEATURE:
      return refuse(request, "the WebP uses a feature that is not read");
    default:
      return refuse(request, "the WebP is damaged");
  }
}

}  // namespace shoestring::data
