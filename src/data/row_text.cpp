#include "data/row_text.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <charconv>
#include <cmath>
#include <cstring>

namespace shoestring::data {
namespace {

// A byte that stands for itself in a JSON string.
bool is_plain(char c) { return static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\'; }

// Whether a text would read back as something else without quotes.
bool needs_quotes(std::string_view text, char delimiter) {
  if (text.empty()) return false;
  if (text.front() == ' ' || text.back() == ' ') return true;
  return std::ranges::any_of(
      text, [delimiter](char c) { return c == delimiter || c == '"' || c == '\r' || c == '\n'; });
}

template <class T>
std::string_view digits_of(T value, std::array<char, 32>& digits) {
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  return {digits.data(), static_cast<size_t>(end - digits.data())};
}

}  // namespace

void append_json(std::string& out, std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    if (is_plain(c)) {
      out += c;
    } else if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c == '\r') {
      out += "\\r";
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += "\\u00";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    }
  }
  out += '"';
}

void append_decimal(std::string& out, int64_t value, int places) {
  assert(places >= 0 && places <= 18);
  std::array<char, 32> digits;
  char* const end = digits.data() + digits.size();
  char* at = end;
  uint64_t left = value < 0 ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
  for (int i = 0; i <= places || left > 0; ++i) {
    if (i == places && places > 0) *--at = '.';
    *--at = static_cast<char>('0' + left % 10);
    left /= 10;
  }
  if (value < 0) *--at = '-';
  out.append(at, end);
}

RowText::RowText(WriteKind kind, const std::vector<std::string>& names)
    : kind_(kind), delimiter_(kind == WriteKind::tsv ? '\t' : ',') {
  for (const std::string& name : names) {
    if (is_json()) {
      append_json(buffer_, name);
      buffer_ += ": ";
    } else {
      append_delimited(name);
    }
    names_.push_back(std::move(buffer_));
    buffer_.clear();
  }
}

void RowText::names() {
  if (is_json()) return;
  for (size_t i = 0; i < names_.size(); ++i) {
    if (i > 0) buffer_ += delimiter_;
    buffer_ += names_[i];
  }
  buffer_ += '\n';
}

void RowText::begin_cell() {
  assert(column_ < names_.size());
  if (!is_json()) {
    if (column_ > 0) buffer_ += delimiter_;
  } else if (kind_ == WriteKind::arrays) {
    buffer_ += column_ == 0 ? "[" : ", ";
  } else {
    buffer_ += column_ == 0 ? "{" : ", ";
    buffer_ += names_[column_];
  }
  ++column_;
}

void RowText::append_delimited(std::string_view text) {
  if (!needs_quotes(text, delimiter_)) {
    buffer_ += text;
    return;
  }
  buffer_ += '"';
  for (const char c : text) {
    if (c == '"') buffer_ += '"';
    buffer_ += c;
  }
  buffer_ += '"';
}

void RowText::text(std::string_view value) {
  begin_cell();
  if (is_json())
    append_json(buffer_, value);
  else if (value.empty() && names_.size() == 1)
    buffer_ += "\"\"";
  else
    append_delimited(value);
}

void RowText::append(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  Written& written = recent_[(bits ^ bits >> 12) % recent_.size()];
  if (written.size == 0 || std::bit_cast<uint32_t>(written.value) != bits) {
    std::array<char, 32> digits;
    const std::string_view text = digits_of(value, digits);
    assert(text.size() <= written.text.size());
    std::memcpy(written.text.data(), text.data(), text.size());
    written.value = value;
    written.size = static_cast<uint8_t>(text.size());
  }
  buffer_.append(written.text.data(), written.size);
}

void RowText::number(float value) {
  if (!std::isfinite(value)) return null();
  begin_cell();
  append(value);
}

void RowText::number(double value) {
  if (!std::isfinite(value)) return null();
  begin_cell();
  std::array<char, 32> digits;
  buffer_ += digits_of(value, digits);
}

void RowText::integer(int64_t value) {
  begin_cell();
  std::array<char, 32> digits;
  buffer_ += digits_of(value, digits);
}

void RowText::decimal(int64_t value, int places) {
  begin_cell();
  append_decimal(buffer_, value, places);
}

void RowText::null() {
  begin_cell();
  if (is_json())
    buffer_ += "null";
  else if (names_.size() == 1)
    buffer_ += "\"\"";  // a blank line would be no row
}

void RowText::numbers(const float* values, int count) {
  begin_cell();
  const bool quoted = kind_ == WriteKind::csv && count > 1;  // only then does the list hold a comma
  if (quoted) buffer_ += '"';
  buffer_ += '[';
  for (int i = 0; i < count; ++i) {
    if (i > 0) buffer_ += ", ";
    if (std::isfinite(values[i]))
      append(values[i]);
    else
      buffer_ += "null";
  }
  buffer_ += ']';
  if (quoted) buffer_ += '"';
}

void RowText::texts(std::span<const std::string_view> values) {
  std::string list = "[";
  for (const std::string_view value : values) {
    if (list.size() > 1) list += ", ";
    append_json(list, value);
  }
  list += ']';
  begin_cell();
  if (is_json())
    buffer_ += list;
  else
    append_delimited(list);
}

void RowText::end_row() {
  assert(column_ == names_.size());
  if (kind_ == WriteKind::jsonl) buffer_ += names_.empty() ? "{}" : "}";
  if (kind_ == WriteKind::arrays) buffer_ += names_.empty() ? "[]" : "]";
  buffer_ += '\n';
  column_ = 0;
}

}  // namespace shoestring::data
