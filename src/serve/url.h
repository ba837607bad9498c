// Pieces of URLs and of urlencoded forms.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace shoestring::serve {

// %41 is an A and, with `plus_is_space` as in queries and forms, '+' a space; nothing where a '%' has no two
// digits behind it. The text has room for `room_behind` more.
std::optional<std::string> percent_decoded(std::string_view text, bool plus_is_space, size_t room_behind = 0);

// The next part of a path: "models/a/infer" -> "models", and "a/infer" is left.
std::string_view take_part(std::string_view& path);

}  // namespace shoestring::serve
