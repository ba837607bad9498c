#include "data/lists.h"

#include <cmath>
#include <nlohmann/json.hpp>

namespace shoestring::data {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kUnknown = "<UNK>";

// Python's list of strings as JSON: 'it\'s' becomes "it's", and None null. What else is different is no JSON
// then.
std::string as_json(std::string_view python) {
  std::string out;
  char quote = 0;
  for (size_t i = 0; i < python.size(); ++i) {
    const char c = python[i];
    if (quote == 0) {
      if (c == 'N' && python.substr(i, 4) == "None") {
        out += "null";
        i += 3;
        continue;
      }
      if (c == '\'' || c == '"') quote = c;
      out += c == '\'' ? '"' : c;
    } else if (c == '\\' && i + 1 < python.size()) {
      if (python[i + 1] != '\'') out += c;
      out += python[++i];
    } else if (c == quote) {
      quote = 0;
      out += '"';
    } else {
      if (c == '"') out += '\\';
      out += c;
    }
  }
  return out;
}

bool is_separator(char c) { return c == ' ' || c == ',' || c == ';' || c == '\t' || c == '\n' || c == '\r'; }

}  // namespace

std::optional<std::vector<std::string>> read_list(std::string_view cell) {
  if (cell.size() < 2 || cell.front() != '[' || cell.back() != ']') return std::nullopt;
  Json json = Json::parse(cell, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) json = Json::parse(as_json(cell), nullptr, /*allow_exceptions=*/false);
  if (!json.is_array()) return std::nullopt;
  std::vector<std::string> words;
  for (const Json& item : json) {
    if (item.is_null()) continue;
    if (item.is_structured()) return std::nullopt;
    words.push_back(item.is_string() ? item.get<std::string>() : item.dump());
  }
  return words;
}

bool read_vector(std::string_view cell, std::vector<float>& out) {
  if (cell.size() >= 2 &&
      ((cell.front() == '[' && cell.back() == ']') || (cell.front() == '(' && cell.back() == ')')))
    cell = cell.substr(1, cell.size() - 2);
  const size_t before = out.size();
  while (true) {
    while (!cell.empty() && is_separator(cell.front())) cell.remove_prefix(1);
    if (cell.empty()) break;
    size_t n = 1;
    while (n < cell.size() && !is_separator(cell[n])) ++n;
    const auto number = parse_number(cell.substr(0, n));
    const float value = number ? static_cast<float>(*number) : 0;
    if (!number || !std::isfinite(value)) {
      out.resize(before);
      return false;
    }
    out.push_back(value);
    cell.remove_prefix(n);
  }
  return out.size() > before;
}

std::vector<std::string> words_of(std::string_view cell, Tokenizer tokenizer) {
  if (cell == kUnknown) return {std::string(cell)};
  if (auto list = read_list(cell)) return std::move(*list);
  const auto tokens = tokenize(cell, tokenizer);
  return {tokens.begin(), tokens.end()};
}

void append_words(const TextColumn& column, Tokenizer tokenizer, Dictionary& dictionary,
                  Lists<int32_t>& out) {
  const auto add = [&](std::string_view word) {
    if (const int32_t code = dictionary.add(word); code != kMissingCode) out.values.push_back(code);
  };
  for (int64_t r = 0; r < column.rows(); ++r) {
    if (column.is_null(r)) {
      out.end_row(true);
      continue;
    }
    const std::string_view cell = tokenizer == Tokenizer::untokenized ? column.raw(r) : column[r];
    if (cell == kUnknown)
      add(cell);
    else if (const auto list = read_list(cell))
      for (const std::string& word : *list) add(word);
    else
      for (const std::string_view word : tokenize(cell, tokenizer)) add(word);
    out.end_row();
  }
}

void append_vectors(const TextColumn& column, int64_t first_row, Lists<float>& out, BadCells& bad) {
  for (int64_t r = 0; r < column.rows(); ++r) {
    const bool present = !column.is_null(r);
    const bool read = present && read_vector(column[r], out.values);
    if (present && !read) bad.add(first_row + r, column[r]);
    out.end_row(!read);
  }
}

}  // namespace shoestring::data
