#include "report/json_text.h"

#include <fmt/format.h>

#include <cmath>

namespace shoestring::report {
namespace {

// Bytes of the UTF-8 character that begins here; 0 where none does.
size_t character(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  const size_t size = first < 0x80   ? 1
                      : first < 0xC2 ? 0
                      : first < 0xE0 ? 2
                      : first < 0xF0 ? 3
                      : first < 0xF5 ? 4
                                     : 0;
  if (size == 0 || size > text.size()) return 0;
  for (size_t i = 1; i < size; ++i)
    if ((byte(i) & 0xC0) != 0x80) return 0;
  // Overlong forms, surrogates, and what lies beyond Unicode.
  if ((first == 0xE0 && byte(1) < 0xA0) || (first == 0xED && byte(1) >= 0xA0) ||
      (first == 0xF0 && byte(1) < 0x90) || (first == 0xF4 && byte(1) >= 0x90))
    return 0;
  return size;
}

}  // namespace

void JsonText::comma() {
  if (!text_.empty() && text_.back() != '{' && text_.back() != '[' && text_.back() != ':') text_ += ',';
}

JsonText& JsonText::open(char bracket) {
  comma();
  text_ += bracket;
  return *this;
}

JsonText& JsonText::close(char bracket) {
  text_ += bracket;
  return *this;
}

JsonText& JsonText::key(std::string_view name) {
  value(name);
  text_ += ':';
  return *this;
}

JsonText& JsonText::raw(std::string_view json) {
  comma();
  text_ += json;
  return *this;
}

// '<' is escaped too, so that no text ends the script that holds it.
JsonText& JsonText::value(std::string_view text) {
  comma();
  text_ += '"';
  while (!text.empty()) {
    const size_t size = character(text);
    if (size == 0) {
      text_ += "\xEF\xBF\xBD";  // U+FFFD
    } else if (const auto c = static_cast<unsigned char>(text[0]); c == '"' || c == '\\') {
      text_ += '\\';
      text_ += text[0];
    } else if (c < 0x20 || c == '<' || c == 0x7F) {
      fmt::format_to(std::back_inserter(text_), "\\u{:04x}", c);
    } else {
      text_ += text.substr(0, size);
    }
    text.remove_prefix(std::max<size_t>(size, 1));
  }
  text_ += '"';
  return *this;
}

JsonText& JsonText::value(double number) {
  if (!std::isfinite(number)) return raw("null");
  comma();
  fmt::format_to(std::back_inserter(text_), "{:.6g}", number);
  return *this;
}

JsonText& JsonText::whole(int64_t number) {
  comma();
  fmt::format_to(std::back_inserter(text_), "{}", number);
  return *this;
}

}  // namespace shoestring::report
