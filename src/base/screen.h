// How much room UTF-8 text takes on a screen.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace shoestring {

// Columns: two for the wide characters of East Asia and for pictures of faces and things, one for others,
// none for continuation bytes.
size_t screen_width(std::string_view text);

// The beginning that `columns` have room for, with "…" where something is left out. Control characters
// become blanks.
std::string cut_to_width(std::string_view text, size_t columns);

}  // namespace shoestring
