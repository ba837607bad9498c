// Is it UTF-8, and where not?
#include <cstring>

#include "data/text.h"

namespace shoestring::data {
namespace {

// How many bytes the UTF-8 sequence at p takes, or 0 if it is none (overlong, surrogate, too large).
int utf8_length(const unsigned char* p, const unsigned char* end) {
  const auto continues = [&](int i) { return p + i < end && (p[i] & 0xC0) == 0x80; };
  if (p[0] < 0x80) return 1;
  if (p[0] >= 0xC2 && p[0] <= 0xDF) return continues(1) ? 2 : 0;
  if ((p[0] & 0xF0) == 0xE0) {
    if (!continues(1) || !continues(2)) return 0;
    if (p[0] == 0xE0 && p[1] < 0xA0) return 0;
    if (p[0] == 0xED && p[1] > 0x9F) return 0;
    return 3;
  }
  if (p[0] >= 0xF0 && p[0] <= 0xF4) {
    if (!continues(1) || !continues(2) || !continues(3)) return 0;
    if (p[0] == 0xF0 && p[1] < 0x90) return 0;
    if (p[0] == 0xF4 && p[1] > 0x8F) return 0;
    return 4;
  }
  return 0;
}

}  // namespace

size_t first_bad_byte(std::string_view text) {
  constexpr uint64_t kHigh = 0x8080808080808080, kLow = 0x0101010101010101;
  const auto* const begin = reinterpret_cast<const unsigned char*>(text.data());
  const unsigned char* const end = begin + text.size();
  const unsigned char* p = begin;
  while (p < end) {
    uint64_t word;
    if (end - p >= 8) {
      std::memcpy(&word, p, 8);
      // Eight bytes of ASCII, none of them zero.
      if (((word | (word - kLow)) & kHigh) == 0) {
        p += 8;
        continue;
      }
    }
    const int length = utf8_length(p, end);
    if (length == 0 || *p == 0) return static_cast<size_t>(p - begin);
    p += length;
  }
  return std::string_view::npos;
}

int64_t count_newlines(std::string_view text) {
  constexpr uint64_t kNewlines = 0x0A0A0A0A0A0A0A0A, kLow = 0x7F7F7F7F7F7F7F7F, kOnes = 0x0101010101010101;
  constexpr uint64_t kEven = 0x00FF00FF00FF00FF, kSum = 0x0001000100010001;
  int64_t lines = 0;
  size_t at = 0;
  while (text.size() - at >= sizeof(uint64_t)) {
    uint64_t counts = 0;  // of each byte of a word, up to 255
    for (int i = 0; i < 255 && text.size() - at >= sizeof(uint64_t); ++i, at += sizeof(uint64_t)) {
      uint64_t word;
      std::memcpy(&word, text.data() + at, sizeof word);
      word ^= kNewlines;
      counts += (~(((word & kLow) + kLow) | word) >> 7) & kOnes;  // bytes that are zero now
    }
    lines += static_cast<int64_t>((((counts & kEven) + (counts >> 8 & kEven)) * kSum) >> 48);
  }
  for (; at < text.size(); ++at) lines += text[at] == '\n';
  return lines;
}

}  // namespace shoestring::data
