#include "data/json_pieces.h"

#include <algorithm>

#include "data/batch.h"

namespace shoestring::data {

constexpr size_t kNone = std::string_view::npos;

size_t skip_json_space(std::string_view text, size_t at) {
  return std::min(text.find_first_not_of(" \t\r\n", at), text.size());
}

size_t end_of_json_value(std::string_view text, size_t at) {
  int depth = 0;
  bool in_string = false;
  for (size_t i = at; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        in_string = false;
        if (depth == 0) return i + 1;
      }
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      if (depth == 0) return i;  // of what is around a word
      if (--depth == 0) return i + 1;
    } else if (depth == 0 && (c == ',' || c == ':')) {
      return i;
    }
  }
  return kNone;
}

JsonExtent json_extent(std::string_view text) {
  JsonExtent extent;
  int depth = 0;
  bool any = false;
  bool in_string = false, escaped = false;
  for (const char c : text) {
    any = any || (depth == 1 && c != ' ' && c != '\t' && c != '\n' && c != '\r' && c != '}' && c != ']');
    if (in_string) {
      if (!escaped && c == '"') in_string = false;
      escaped = !escaped && c == '\\';
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      extent.nesting = std::max(extent.nesting, ++depth);
    } else if (c == ']' || c == '}') {
      --depth;
    } else if (c == ',' && depth == 1) {
      ++extent.members;
    }
  }
  extent.members += any;
  return extent;
}

JsonPiece JsonPieces::next_line(std::string_view text, size_t at, bool whole) {
  while (at < text.size()) {
    const size_t end = text.find('\n', at);
    if (end == kNone && !whole) break;
    const size_t next = end == kNone ? text.size() : end + 1;
    const std::string_view line = text.substr(at, end == kNone ? kNone : end - at);
    if (!trim(line).empty()) return {JsonPiece::object, at, line.size(), next};
    at = next;
  }
  return {whole ? JsonPiece::end : JsonPiece::part, at, 0, at};
}

JsonPiece JsonPieces::next_element(std::string_view text, size_t at, bool whole) {
  const auto ended = [&](size_t from) {
    return JsonPiece{whole ? JsonPiece::wrong : JsonPiece::part, text.size(), 0, from};
  };
  const auto wrong = [&] { return JsonPiece{JsonPiece::wrong, at, 0, at}; };
  at = skip_json_space(text, at);
  if (at == text.size()) return ended(at);
  if (!inside_) {
    if (text[at] != '[') return wrong();
    inside_ = true;
    at = skip_json_space(text, at + 1);
    if (at == text.size()) return ended(at);
  }
  if (text[at] == ']') {
    const size_t behind = skip_json_space(text, at + 1);
    if (behind < text.size()) return {JsonPiece::wrong, behind, 0, behind};
    return {whole ? JsonPiece::end : JsonPiece::part, at, 0, at};
  }
  const size_t from = at;
  if (after_one_) {
    if (text[at] != ',') return wrong();
    at = skip_json_space(text, at + 1);
    if (at == text.size()) return ended(from);
  }
  if (text[at] != '{') return wrong();
  const size_t end = end_of_json_value(text, at);
  if (end == kNone) return ended(from);
  after_one_ = true;
  return {JsonPiece::object, at, end - at, end};
}

}  // namespace shoestring::data
