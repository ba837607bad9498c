// Which encoding a text is in. All that is decided here stands as numbers in kRules.
#include <algorithm>
#include <array>

#include "data/text.h"

namespace shoestring::data {
namespace {

struct EncodingRules {
  double few_zeros = 4;      // fewer say nothing about UTF-16
  double zeros = 0.1;        // of the pairs that hold one zero byte, in UTF-16
  double usual = 0.7;        // of GB18030's characters that are usual ones
  double accents = 0.4;      // of letters, above which a text is not in a Latin script
  int64_t few_letters = 16;  // of which any share may be accents
};
constexpr EncodingRules kRules;

unsigned byte_at(std::string_view text, size_t at) { return static_cast<unsigned char>(text[at]); }

// Tab, line feed, carriage return and form feed are text; other controls are not.
bool is_control(unsigned byte) {
  return byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r' && byte != '\f';
}

std::optional<Encoding> find_utf16(std::string_view sample) {
  if (sample.starts_with("\xFF\xFE")) return Encoding::utf16le;
  if (sample.starts_with("\xFE\xFF")) return Encoding::utf16be;
  std::array<int64_t, 2> zeros{};
  const size_t even = sample.size() & ~size_t{1};
  for (size_t i = 0; i < even; ++i) zeros[i & 1] += sample[i] == 0;
  const auto pairs = static_cast<int64_t>(even / 2);
  const double enough = std::max(kRules.few_zeros, kRules.zeros * static_cast<double>(pairs));
  for (const size_t high : {size_t{1}, size_t{0}}) {
    if (static_cast<double>(zeros[high]) < enough || zeros[1 - high] > 0) continue;
    // The characters below 256 are text.
    bool text = true;
    for (size_t i = 0; i + 1 < even && text; i += 2)
      text = sample[i + high] != 0 || !is_control(byte_at(sample, i + 1 - high));
    if (text) return high == 1 ? Encoding::utf16le : Encoding::utf16be;
  }
  return {};
}

struct Utf8Count {
  int64_t good = 0, bad = 0;  // characters of several bytes, bytes that are none
};

Utf8Count count_utf8(std::string_view sample) {
  Utf8Count count;
  // What first_bad_byte skips may hold characters of several bytes: their first bytes are counted.
  const auto add_good = [&](std::string_view text) {
    count.good += std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) == 0xC0; });
  };
  while (!sample.empty()) {
    const size_t bad = first_bad_byte(sample);
    add_good(sample.substr(0, bad));
    if (bad == std::string_view::npos || bad + 4 > sample.size()) break;  // may be cut
    ++count.bad;
    sample.remove_prefix(bad + 1);
  }
  return count;
}

bool is_gb18030(std::string_view sample) {
  int64_t characters = 0, usual = 0;
  const auto in = [](unsigned byte, unsigned low, unsigned high) { return byte >= low && byte <= high; };
  for (size_t i = 0; i < sample.size();) {
    const unsigned first = byte_at(sample, i);
    if (is_control(first)) return false;
    if (first < 0x80) {
      ++i;
      continue;
    }
    if (!in(first, 0x81, 0xFE)) return false;
    if (i + 1 >= sample.size()) break;  // cut
    const unsigned second = byte_at(sample, i + 1);
    ++characters;
    if (in(second, 0x30, 0x39)) {  // four bytes
      if (i + 3 >= sample.size()) break;
      if (!in(byte_at(sample, i + 2), 0x81, 0xFE) || !in(byte_at(sample, i + 3), 0x30, 0x39)) return false;
      i += 4;
      continue;
    }
    if (!in(second, 0x40, 0xFE) || second == 0x7F) return false;
    // GB 2312's punctuation and full-width letters, and its first level of characters.
    usual += second >= 0xA1 && (in(first, 0xA1, 0xA3) || in(first, 0xB0, 0xD7));
    i += 2;
  }
  return characters > 0 && static_cast<double>(usual) >= kRules.usual * static_cast<double>(characters);
}

bool is_windows1252(std::string_view sample) {
  int64_t letters = 0, accents = 0;
  for (const char c : sample) {
    const auto byte = static_cast<unsigned char>(c);
    if (is_control(byte)) return false;
    if (byte == 0x81 || byte == 0x8D || byte == 0x8F || byte == 0x90 || byte == 0x9D) return false;  // unused
    letters += (byte | 0x20) >= 'a' && (byte | 0x20) <= 'z';
    accents += byte >= 0xC0;
  }
  letters += accents;
  return letters < kRules.few_letters ||
         static_cast<double>(accents) <= kRules.accents * static_cast<double>(letters);
}

}  // namespace

std::string_view to_string(Encoding encoding) {
  constexpr std::array<std::string_view, 5> kNames{"UTF-8", "UTF-16LE", "UTF-16BE", "WINDOWS-1252",
                                                   "GB18030"};
  return kNames[static_cast<size_t>(encoding)];
}

std::optional<Encoding> find_encoding(std::string_view sample) {
  if (const auto utf16 = find_utf16(sample)) return utf16;
  const Utf8Count utf8 = count_utf8(sample);
  if (utf8.bad == 0) return Encoding::utf8;
  if (is_gb18030(sample)) return Encoding::gb18030;
  if (utf8.good > utf8.bad) return Encoding::utf8;
  if (is_windows1252(sample)) return Encoding::windows1252;
  return {};
}

}  // namespace shoestring::data
