// The fields of a form: application/x-www-form-urlencoded and multipart/form-data.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace shoestring::serve {

struct FormField {
  std::string name, value;  // kBehindValue bytes behind a value may be read
};
inline constexpr size_t kBehindValue = 64;
// At most kMostFields. Where the body is no such form, what is wrong with it and how it should be.
tl::expected<std::vector<FormField>, std::string> read_fields(std::string_view body,
                                                              std::string_view content_type);
inline constexpr size_t kMostFields = 1 << 12;  // some 250 bytes each

}  // namespace shoestring::serve
