#include "base/base64.h"

#include <array>
#include <cstdint>

namespace shoestring {
namespace {

constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr int8_t kNone = -1, kSpace = -2;

constexpr std::array<int8_t, 256> kValues = [] {
  std::array<int8_t, 256> values{};
  values.fill(kNone);
  for (size_t i = 0; i < kDigits.size(); ++i)
    values[static_cast<uint8_t>(kDigits[i])] = static_cast<int8_t>(i);
  values['-'] = 62, values['_'] = 63;
  for (const char space : {' ', '\t', '\r', '\n'}) values[static_cast<uint8_t>(space)] = kSpace;
  return values;
}();

}  // namespace

std::string encode_base64(std::span<const std::byte> bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t at = 0; at < bytes.size(); at += 3) {
    uint32_t three = 0;
    for (size_t i = at; i < at + 3; ++i)
      three = three << 8 | (i < bytes.size() ? static_cast<uint32_t>(bytes[i]) : 0);
    for (size_t digit = 0; digit < 4; ++digit)
      out += at + digit <= bytes.size() ? kDigits[three >> (18 - 6 * digit) & 63] : '=';
  }
  return out;
}

std::optional<std::string> decode_base64(std::string_view text) {
  if (text.starts_with("data:")) text.remove_prefix(std::min(text.find(',') + 1, text.size()));
  std::string out;
  out.reserve(text.size() / 4 * 3 + 3);
  uint32_t bits = 0;
  int count = 0;  // bits that are held
  size_t at = 0, digits = 0;
  for (; at < text.size() && text[at] != '='; ++at) {
    const int8_t value = kValues[static_cast<uint8_t>(text[at])];
    if (value == kSpace) continue;
    if (value == kNone) return std::nullopt;
    bits = bits << 6 | static_cast<uint32_t>(value);
    count += 6, ++digits;
    if (count >= 8) out += static_cast<char>(bits >> (count -= 8) & 255);
  }
  size_t padding = 0;
  for (; at < text.size(); ++at)
    if (text[at] == '=')
      ++padding;
    else if (kValues[static_cast<uint8_t>(text[at])] != kSpace)
      return std::nullopt;
  if (digits % 4 == 1 || padding > 2 || (padding > 0 && (digits + padding) % 4 != 0)) return std::nullopt;
  return out;
}

}  // namespace shoestring
