// How large a JSON text is for whoever reads it, before it is read.
#pragma once

#include <cstdint>
#include <string_view>

namespace shoestring::serve {

struct JsonSize {
  int64_t signs = 0;   // brackets, colons, commas, and the beginnings of values
  int64_t commas = 0;  // of these; a list of rows has no more rows than these and one
  int64_t texts = 0;   // bytes in quotes

  // What simdjson takes beside the text, at most: four bytes for each sign, and the texts.
  int64_t reading_bytes() const { return 4 * signs + texts; }
};

// One pass over it. Of what is no JSON the numbers are no smaller than what simdjson finds.
JsonSize json_size(std::string_view text);

}  // namespace shoestring::serve
