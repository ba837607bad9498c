#include "base/screen.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace shoestring {
namespace {

bool continues(char c) { return (c & 0xC0) == 0x80; }

// The code point that begins at `at`; what is no UTF-8 is whatever its bits say.
uint32_t code_point(std::string_view text, size_t at) {
  const auto first = static_cast<unsigned char>(text[at]);
  uint32_t code = first < 0x80   ? first
                  : first < 0xE0 ? first & 0x1F
                  : first < 0xF0 ? first & 0x0F
                                 : first & 0x07;
  for (size_t i = at + 1; i < text.size() && continues(text[i]); ++i)
    code = code << 6 | (static_cast<unsigned char>(text[i]) & 0x3F);
  return code;
}

// Unicode's East Asian Width W and F (UAX 11), in the blocks that hold nearly all of them.
size_t width_at(std::string_view text, size_t at) {
  if (continues(text[at])) return 0;
  struct Range {
    uint32_t first, last;
  };
  static constexpr std::array<Range, 8> kWide{{{0x1100, 0x115F},
                                               {0x2E80, 0xA4CF},
                                               {0xAC00, 0xD7A3},
                                               {0xF900, 0xFAFF},
                                               {0xFE30, 0xFE6F},
                                               {0xFF00, 0xFF60},
                                               {0x1F300, 0x1FAFF},
                                               {0x20000, 0x3FFFD}}};
  const uint32_t code = code_point(text, at);
  return std::ranges::any_of(kWide, [&](const Range& r) { return code >= r.first && code <= r.last; }) ? 2
                                                                                                       : 1;
}

}  // namespace

size_t screen_width(std::string_view text) {
  size_t width = 0;
  for (size_t at = 0; at < text.size(); ++at) width += width_at(text, at);
  return width;
}

std::string cut_to_width(std::string_view text, size_t columns) {
  std::string out(text);
  for (char& c : out)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  if (screen_width(out) <= columns) return out;
  size_t end = 0, width = 0;
  while (end < out.size()) {
    const size_t wide = width_at(out, end);
    if (width + wide + 1 > columns) break;
    width += wide;
    ++end;
  }
  return out.substr(0, end) + "…";
}

}  // namespace shoestring
