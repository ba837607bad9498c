#include "data/tokenize.h"

#include <algorithm>

namespace shoestring::data {
namespace {

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// Letters, digits, the underscore, and every byte of a character beyond ASCII.
bool is_word(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x80 || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         c == '_';
}

std::string_view stripped(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

// How many bytes the character at the front takes; a byte that begins none stands alone.
size_t character(std::string_view text) {
  const auto first = static_cast<unsigned char>(text.front());
  const size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC0 ? 2 : 1;
  if (length > text.size()) return 1;
  for (size_t i = 1; i < length; ++i)
    if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80) return 1;
  return length;
}

std::vector<std::string_view> split_at(std::string_view text, char separator) {
  std::vector<std::string_view> tokens;
  while (true) {
    const size_t end = std::min(text.find(separator), text.size());
    if (const auto token = stripped(text.substr(0, end)); !token.empty()) tokens.push_back(token);
    if (end == text.size()) return tokens;
    text.remove_prefix(end + 1);
  }
}

std::vector<std::string_view> words_of(std::string_view text, bool (*belongs)(char), bool signs) {
  std::vector<std::string_view> tokens;
  while (!text.empty()) {
    size_t n = 0;
    while (n < text.size() && belongs(text[n])) ++n;
    if (n == 0 && signs && !is_space(text.front())) n = 1;
    if (n > 0) tokens.push_back(text.substr(0, n));
    text.remove_prefix(std::max<size_t>(n, 1));
  }
  return tokens;
}

}  // namespace

std::vector<std::string_view> tokenize(std::string_view text, Tokenizer tokenizer) {
  switch (tokenizer) {
    case Tokenizer::space:
      return words_of(
          text, [](char c) { return !is_space(c); }, false);
    case Tokenizer::space_punct:
      return words_of(text, is_word, true);
    case Tokenizer::underscore:
      return split_at(text, '_');
    case Tokenizer::comma:
      return split_at(text, ',');
    case Tokenizer::stripped:
      text = stripped(text);
      [[fallthrough]];
    case Tokenizer::untokenized:
      return text.empty() ? std::vector<std::string_view>() : std::vector{text};
    case Tokenizer::characters:
      break;
  }
  std::vector<std::string_view> tokens;
  for (; !text.empty(); text.remove_prefix(tokens.back().size()))
    tokens.push_back(text.substr(0, character(text)));
  return tokens;
}

}  // namespace shoestring::data
