#include "data/json_layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/text.h"
#include "data/hash.h"
#include "data/json_pieces.h"
#include "data/readers.h"

namespace shoestring::data {
namespace {

constexpr const char* kFix = "write [{\"column\": value, ...}, ...], or one object a line (JSON lines)";

// A member of the outermost object and the cells in it, which follow one another.
struct Member {
  std::string name;
  char open;  // of its value: [ or {
  size_t first, count = 0;
  uint64_t keys = 0;  // hash of the keys within, in order
};

bool is_whole_number(std::string_view key) {
  if (key.starts_with('-')) key.remove_prefix(1);
  return !key.empty() && std::all_of(key.begin(), key.end(), [](char c) { return c >= '0' && c <= '9'; });
}

class Reading {
 public:
  Reading(std::string_view text, const std::string& path) : text_(text), path_(path) {}

  Result<JsonLayout> layout(std::span<const std::string> expected_names) {
    if (Status s = read_members(); !s) return fail(s.error());
    if (const Member* names = member("columns"), *data = member("data"); names && data && only_split())
      return split(*names, *data);
    if (members_.size() == 2 && member("schema") && member("data"))
      return fail(ErrorKind::data, "this JSON is written with orient='table', which is not read", path_,
                  "write it with orient='records', lines=True");
    return is_index(expected_names) ? index() : columns();
  }

 private:
  Status failure(std::string what) const {
    return fail_at(path_, 1 + count_newlines(text_.substr(0, at_)), std::move(what), kFix);
  }
  Status too_early() const {
    return fail_at(path_, 1 + count_newlines(text_), "the JSON ends too early: a part of it is missing",
                   "copy or download it again");
  }

  const Member* member(std::string_view name) const {
    const auto found = std::ranges::find(members_, name, &Member::name);
    return found == members_.end() ? nullptr : &*found;
  }

  Status read_members() {
    at_ = skip_json_space(text_, 0);
    auto ok = each('}', true, [&](std::string key, uint64_t) -> Status {
      const char open = at_ < text_.size() ? text_[at_] : '\0';
      if (open != '[' && open != '{')
        return failure(fmt::format("'{}' is neither a list nor an object of values", key));
      Member& m = members_.emplace_back(Member{std::move(key), open, cells_.size()});
      const bool first = members_.size() == 1;
      auto inner = each(open == '[' ? ']' : '}', open == '{', [&](std::string name, uint64_t hash) {
        m.keys = (m.keys ^ (name.empty() ? 0 : hash)) * 0x9E3779B97F4A7C15;
        if (first) keys_.push_back(std::move(name));
        return take_cell();
      });
      m.count = cells_.size() - m.first;
      return inner;
    });
    if (!ok) return ok;
    if (skip_json_space(text_, at_) < text_.size()) return failure("text follows the table");
    if (members_.empty()) return failure("the object has no columns");
    return {};
  }

  Status take_cell() {
    const size_t end = end_of_json_value(text_, at_);
    if (end == std::string_view::npos) return too_early();
    cells_.push_back({static_cast<uint32_t>(at_), static_cast<uint32_t>(end - at_)});
    at_ = end;
    return {};
  }

  // The members of the list or object that opens here; `take(key, hash)` moves behind a value.
  template <class Take>
  Status each(char close, bool keys, Take&& take) {
    ++at_;
    for (bool first = true;; first = false) {
      at_ = skip_json_space(text_, at_);
      if (at_ == text_.size()) return too_early();
      if (text_[at_] == close) break;
      if (!first) {
        if (text_[at_] != ',') return failure("a comma is missing");
        at_ = skip_json_space(text_, at_ + 1);
      }
      std::string key;
      if (keys) {
        const size_t end = end_of_json_value(text_, at_);
        if (end == std::string_view::npos) return too_early();
        auto written = word(text_.substr(at_, end - at_));
        if (!written) return failure("this is not a JSON object");
        key = std::move(*written);
        at_ = skip_json_space(text_, end);
        if (at_ == text_.size()) return too_early();
        if (text_[at_] != ':') return failure("a colon is missing");
        at_ = skip_json_space(text_, at_ + 1);
      }
      if (at_ == text_.size()) return too_early();
      const uint64_t hash = hash_text(key);
      if (Status s = take(std::move(key), hash); !s) return s;
    }
    ++at_;
    return {};
  }

  static std::optional<std::string> word(std::string_view written) {
    const auto parsed = nlohmann::json::parse(written, nullptr, /*allow_exceptions=*/false);
    return parsed.is_string() ? std::optional(parsed.get<std::string>()) : std::nullopt;
  }

  bool is_index(std::span<const std::string> expected_names) const {
    if (members_[0].open != '{' || keys_.empty()) return false;
    const auto asked_for = [&](const std::string& key) {
      return std::ranges::find(expected_names, key) != expected_names.end();
    };
    if (std::ranges::any_of(members_, asked_for, &Member::name)) return false;
    if (std::ranges::any_of(keys_, asked_for)) return true;
    return std::ranges::all_of(members_, is_whole_number, &Member::name) &&
           !std::ranges::all_of(keys_, is_whole_number);
  }

  Result<JsonLayout> index() {
    for (const Member& m : members_)
      if (m.keys != members_[0].keys || m.count != members_[0].count)
        return fail(ErrorKind::data,
                    fmt::format("the row '{}' has other keys than the row '{}'", m.name, members_[0].name),
                    path_, kFix);
    const auto rows = static_cast<int64_t>(members_.size()), width = static_cast<int64_t>(keys_.size());
    return JsonLayout{std::move(keys_), rows, std::move(cells_), width, 1};
  }

  Result<JsonLayout> columns() {
    JsonLayout out{.rows = static_cast<int64_t>(members_[0].count)};
    out.column_stride = out.rows;
    for (Member& m : members_) {
      if (m.count != members_[0].count)
        return fail(ErrorKind::data,
                    fmt::format("the column '{}' has {} where '{}' has {}", m.name,
                                count_of(static_cast<int64_t>(m.count), "value"), members_[0].name,
                                members_[0].count),
                    path_, kFix);
      if (m.keys != members_[0].keys)
        return fail(
            ErrorKind::data,
            fmt::format("the rows of '{}' have other names than those of '{}'", m.name, members_[0].name),
            path_, kFix);
    }
    for (Member& m : members_) out.names.push_back(std::move(m.name));
    out.cells = std::move(cells_);
    return out;
  }

  bool only_split() const {
    return std::ranges::all_of(members_, [](const Member& m) {
      return m.open == '[' && (m.name == "columns" || m.name == "index" || m.name == "data");
    });
  }

  Result<JsonLayout> split(const Member& names, const Member& data) {
    JsonLayout out{.rows = static_cast<int64_t>(data.count)};
    for (const JsonCell& cell : cells_of(names)) {
      at_ = cell.begin;
      auto name = word(text_.substr(cell.begin, cell.size));
      if (!name) return fail(failure("the name of a column is not a string").error());
      out.names.push_back(std::move(*name));
    }
    if (out.names.empty()) return fail(failure("the list of columns is empty").error());
    out.row_stride = static_cast<int64_t>(out.names.size());
    const std::vector<JsonCell> rows = cells_of(data);
    cells_.clear();
    for (const JsonCell& row : rows) {
      at_ = row.begin;
      if (text_[at_] != '[') return fail(failure("this row is not a list of values").error());
      const size_t before = cells_.size();
      if (Status s = each(']', false, [&](const std::string&, uint64_t) { return take_cell(); }); !s)
        return fail(s.error());
      const size_t width = cells_.size() - before;
      if (at_ = row.begin; width != out.names.size())
        return fail(failure(fmt::format("this row has {} where there are {} columns",
                                        count_of(static_cast<int64_t>(width), "value"), out.names.size()))
                        .error());
    }
    out.cells = std::move(cells_);
    return out;
  }

  std::vector<JsonCell> cells_of(const Member& m) const {
    const auto first = cells_.begin() + static_cast<std::ptrdiff_t>(m.first);
    return {first, first + static_cast<std::ptrdiff_t>(m.count)};
  }

  std::string_view text_;
  const std::string& path_;
  size_t at_ = 0;
  std::vector<Member> members_;
  std::vector<std::string> keys_;  // within the first member
  std::vector<JsonCell> cells_;
};

}  // namespace

Result<JsonLayout> json_layout(std::string_view text, const std::string& path,
                               std::span<const std::string> expected_names) {
  return Reading(text, path).layout(expected_names);
}

}  // namespace shoestring::data
