// The fields of a form: application/x-www-form-urlencoded and multipart/form-data.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace shoestring::serve {

struct FormField {
  std::string name, value;
};
// Nothing where the body is no such form, or `content_type` neither of the two. At most kMostFields.
std::optional<std::vector<FormField>> read_fields(std::string_view body, std::string_view content_type);
inline constexpr size_t kMostFields = 1 << 14;

}  // namespace shoestring::serve
