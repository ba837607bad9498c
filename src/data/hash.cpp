#include "data/hash.h"

#include <zlib.h>

namespace shoestring::data {

uint32_t crc32_of(std::string_view text) {
  return static_cast<uint32_t>(crc32_z(0, reinterpret_cast<const Bytef*>(text.data()), text.size()));
}

}  // namespace shoestring::data
