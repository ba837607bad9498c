// PNG files (ISO/IEC 15948) of 8-bit pictures, for pages that show them.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace shoestring::data {

// Pixels [height, width, channels], of 1 (grey), 2 (grey and alpha), 3 (RGB) or 4 channels (RGB and alpha).
std::string encode_png(std::span<const uint8_t> pixels, int64_t height, int64_t width, int64_t channels);

}  // namespace shoestring::data
