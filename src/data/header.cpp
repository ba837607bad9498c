#include "data/header.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <unordered_set>

#include "base/text.h"
#include "data/dates.h"
#include "data/parse.h"

namespace shoestring::data {
namespace {

constexpr size_t kLongestName = 64;
constexpr auto kUsualNames = std::to_array<std::string_view>(
    {"text",    "name",    "label",    "sentence", "review", "title",  "word",  "content",  "body",
     "comment", "message", "question", "query",    "input",  "target", "class", "category", "id",
     "url",     "path",    "file",     "filename", "image",  "value",  "date"});

enum class Look { missing, number, date, text };

Look look_of(std::string_view cell) {
  if (is_missing(cell)) return Look::missing;
  if (parse_number(cell)) return Look::number;
  return looks_like_date(cell) ? Look::date : Look::text;
}

// The common look of a column below its first cell; text if it is mixed, missing if nothing is there.
Look look_below(std::span<const Cells> records, size_t column) {
  Look common = Look::missing;
  for (const Cells& record : records.subspan(1)) {
    if (column >= record.size()) continue;
    const Look look = look_of(record[column]);
    if (look == Look::missing) continue;
    if (common != Look::missing && look != common) return Look::text;
    common = look;
  }
  return common;
}

bool occurs_below(std::span<const Cells> records, size_t column) {
  return std::any_of(records.begin() + 1, records.end(), [&](const Cells& record) {
    return column < record.size() && record[column] == records[0][column];
  });
}

bool is_numbered_name(std::string_view name) {
  return name.starts_with("column_") && name.size() > 7 &&
         std::all_of(name.begin() + 7, name.end(), [](unsigned char c) { return std::isdigit(c); });
}

}  // namespace

bool first_is_header(std::span<const Cells> records, std::span<const std::string> expected_names) {
  if (records.empty()) return false;
  const Cells& first = records[0];

  for (const std::string& name : expected_names) {  // 1
    if (std::find(first.begin(), first.end(), name) != first.end()) return true;
  }
  if (!expected_names.empty() &&
      std::all_of(expected_names.begin(), expected_names.end(), is_numbered_name)) {
    return false;
  }

  for (size_t c = 0; c < first.size(); ++c) {  // 2
    const Look below = look_below(records, c);
    if (look_of(first[c]) == Look::text && (below == Look::number || below == Look::date)) return true;
  }
  for (size_t c = 0; c < first.size(); ++c) {  // 3
    const bool nameless_index = c == 0 && first[c].empty() && first.size() > 1;
    if (look_of(first[c]) != Look::text && !nameless_index) return false;
  }
  if (records.size() == 1) return true;    // 4
  for (const std::string& cell : first) {  // 5
    if (cell.size() > kLongestName) return false;
  }
  if (first.size() == 1) {  // 6
    return std::find(kUsualNames.begin(), kUsualNames.end(), lowered(first[0])) != kUsualNames.end();
  }
  std::unordered_set<std::string_view> seen;
  for (size_t c = 0; c < first.size(); ++c) {  // 7
    if (!seen.insert(first[c]).second || (!first[c].empty() && occurs_below(records, c))) return false;
  }
  return true;  // 8
}

std::vector<std::string> numbered_names(int columns) {
  std::vector<std::string> names;
  for (int c = 1; c <= columns; ++c) names.push_back(fmt::format("column_{}", c));
  return names;
}

std::vector<std::string> header_names(const Cells& header, std::vector<std::string>& notes) {
  std::vector<std::string> names;
  std::unordered_set<std::string> taken(header.begin(), header.end());
  std::unordered_set<std::string> used;
  for (size_t c = 0; c < header.size(); ++c) {
    std::string name = header[c];
    if (name.empty()) {
      name = fmt::format("column_{}", c + 1);
      notes.push_back(fmt::format("column {} has no name: it is called '{}'", c + 1, name));
    }
    if (used.contains(name)) {
      const std::string twice = name;
      for (int n = 2; used.contains(name) || taken.contains(name); ++n) name = fmt::format("{}_{}", twice, n);
      notes.push_back(
          fmt::format("the name '{}' occurs more than once: column {} is called '{}'", twice, c + 1, name));
    }
    used.insert(name);
    names.push_back(std::move(name));
  }
  return names;
}

}  // namespace shoestring::data
