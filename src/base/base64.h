// Base64 (RFC 4648).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace shoestring {

std::string encode_base64(std::span<const std::byte> bytes);
// The bytes; nothing where the text is no base64. Of a data: URL (RFC 2397) what stands behind its comma.
// White space is passed over, '-' and '_' are '+' and '/', and the padding may be missing.
std::optional<std::string> decode_base64(std::string_view text);

}  // namespace shoestring
