// A JSON object of columns: {"a": [1, 2], "b": ["x", null]}, or with rows by name, as pandas writes by
// default:
// {"a": {"0": 1, "1": 2}, ...}. Columns stand one behind the other, so the text is held whole; what is added
// to it is the place of each value.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "data/hash.h"
#include "data/json_pieces.h"
#include "data/readers.h"

namespace shoestring::data {
namespace {

using Json = nlohmann::json;

constexpr int64_t kMostBytes = 256 << 20;
constexpr int64_t kBatchRows = 16'384, kBatchBytes = 1 << 20;
constexpr const char* kFix = "write [{\"column\": value, ...}, ...], or one object a line (JSON lines)";

struct Value {
  uint32_t begin, size;
};

struct ColumnOfValues {
  std::string name;
  std::vector<Value> values;
  uint64_t keys = 0;  // hash of the rows' names, in order
};

// Places of the values; the grammar of each is checked when it is read.
class Splitter {
 public:
  Splitter(std::string_view text, const std::string& name) : text_(text), name_(name) {}

  Result<std::vector<ColumnOfValues>> split() {
    std::vector<ColumnOfValues> columns;
    at_ = skip_json_space(text_, 0);
    auto ok = members('}', true, [&](std::string key, uint64_t) -> Status {
      ColumnOfValues column{.name = std::move(key), .values = {}};
      const char open = at_ < text_.size() ? text_[at_] : 0;
      if (open != '[' && open != '{')
        return failure(fmt::format("'{}' is neither a list nor an object of values", column.name));
      auto inner = members(open == '[' ? ']' : '}', open == '{', [&](const std::string& row, uint64_t hash) {
        column.keys = (column.keys ^ (row.empty() ? 0 : hash)) * 0x9E3779B97F4A7C15;
        const size_t end = end_of_json_value(text_, at_);
        if (end == std::string_view::npos) return too_early();
        column.values.push_back({static_cast<uint32_t>(at_), static_cast<uint32_t>(end - at_)});
        at_ = end;
        return Status();
      });
      columns.push_back(std::move(column));
      return inner;
    });
    if (!ok) return fail(ok.error());
    if (skip_json_space(text_, at_) < text_.size()) return fail(failure("text follows the table").error());
    if (columns.empty()) return fail(failure("the object has no columns").error());
    for (const ColumnOfValues& c : columns) {
      if (c.values.size() != columns[0].values.size())
        return fail(ErrorKind::data,
                    fmt::format("the column '{}' has {} values where '{}' has {}", c.name, c.values.size(),
                                columns[0].name, columns[0].values.size()),
                    name_, kFix);
      if (c.keys != columns[0].keys)
        return fail(
            ErrorKind::data,
            fmt::format("the rows of '{}' have other names than those of '{}'", c.name, columns[0].name),
            name_, kFix);
    }
    return columns;
  }

  Status failure(std::string what) const {
    return fail_at(name_, 1 + count_newlines(text_.substr(0, at_)), std::move(what), kFix);
  }

 private:
  Status too_early() const {
    return fail_at(name_, 1 + count_newlines(text_), "the JSON ends too early: a part of it is missing",
                   "copy or download it again");
  }

  // The members of the list or object that opens here; `take(key, hash)` moves behind a value.
  template <class Take>
  Status members(char close, bool keys, Take&& take) {
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
      uint64_t hash = 0;
      if (keys) {
        const size_t end = end_of_json_value(text_, at_);
        if (end == std::string_view::npos) return too_early();
        const std::string_view written = text_.substr(at_, end - at_);
        const Json parsed = Json::parse(written, nullptr, false);
        if (!parsed.is_string()) return failure("this is not a JSON object");
        key = parsed.get<std::string>();
        hash = hash_text(key);
        at_ = skip_json_space(text_, end);
        if (at_ == text_.size()) return too_early();
        if (text_[at_] != ':') return failure("a colon is missing");
        at_ = skip_json_space(text_, at_ + 1);
      }
      if (at_ == text_.size()) return too_early();
      if (Status s = take(std::move(key), hash); !s) return s;
    }
    ++at_;
    return {};
  }

  std::string_view text_;
  const std::string& name_;
  size_t at_ = 0;
};

class JsonColumnsReader final : public TableReader {
 public:
  JsonColumnsReader(const OpenFile& file, std::string text, std::vector<ColumnOfValues> columns)
      : text_(std::move(text)), columns_(std::move(columns)), builder_(static_cast<int>(columns_.size())) {
    path_ = file.name();
    format_ = TableFormat{.kind = TableKind::json,
                          .delimiter = 0,
                          .quote = 0,
                          .header = false,
                          .compression = file.text->compression(),
                          .encoding = file.text->encoding(),
                          .bom = file.text->bom()};
    for (const auto& column : columns_) names_.push_back(column.name);
    if (auto note = file.text->take_note()) notes_.push_back(std::move(*note));
  }

  Result<std::optional<RecordBatch>> next() override {
    const auto all = static_cast<int64_t>(columns_[0].values.size());
    while (rows_ + builder_.rows() < all && builder_.rows() < kBatchRows && builder_.bytes() < kBatchBytes) {
      const auto row = static_cast<size_t>(rows_ + builder_.rows());
      for (const auto& column : columns_)
        if (!add_cell(column.values[row]))
          return fail_at(path_, line_at(column.values[row].begin),
                         fmt::format("this value of '{}' is no JSON", column.name), "repair the file");
    }
    if (builder_.rows() == 0) return std::nullopt;
    RecordBatch batch = builder_.finish(rows_);
    rows_ += batch.rows();
    return batch;
  }

  int64_t line_of(int64_t row) override {
    return line_at(columns_[0].values[static_cast<size_t>(row)].begin);
  }
  std::string place(int64_t row) override { return fmt::format("{}, row {}", path_, row + 1); }

 private:
  int64_t line_at(uint32_t offset) const {
    return 1 + count_newlines(std::string_view(text_).substr(0, offset));
  }

  bool add_cell(Value value) {
    const std::string_view written = std::string_view(text_).substr(value.begin, value.size);
    if (json_nesting(written) > kDeepestJson) return false;
    const Json parsed = Json::parse(written, nullptr, /*allow_exceptions=*/false);
    if (parsed.is_discarded()) return false;
    if (parsed.is_null())
      builder_.null();
    else if (parsed.is_string())
      builder_.cell(parsed.get_ref<const std::string&>());
    else if (parsed.is_structured())
      builder_.cell(parsed.dump(-1, ' ', false, Json::error_handler_t::replace));
    else
      builder_.cell(trim(written.substr(0, written.find_last_not_of(" \t\r\n") + 1)));
    return true;
  }

  std::string text_;
  std::vector<ColumnOfValues> columns_;
  BatchBuilder builder_;
};

}  // namespace

Result<std::unique_ptr<TableReader>> open_json_columns(OpenFile file, const ReadOptions& options) {
  std::string text = std::move(file.head);
  for (bool whole = file.whole; !whole;) {
    const size_t have = text.size();
    if (static_cast<int64_t>(have) >= kMostBytes)
      return fail(ErrorKind::data,
                  fmt::format("a JSON object of columns is read whole, and this one exceeds {}",
                              human_bytes(kMostBytes)),
                  file.name(), "write one object a line (JSON lines): it may have any size");
    text.resize(have + static_cast<size_t>(options.block_bytes));
    const auto n = file.text->read(text.data() + have, options.block_bytes);
    text.resize(have + static_cast<size_t>(n.value_or(0)));
    if (!n) return fail(n.error());
    whole = *n < options.block_bytes;
  }
  if (const size_t bad = first_bad_byte(text); bad != std::string_view::npos)
    return fail_not_text(text, bad, file.name(), 1 + count_newlines(std::string_view(text).substr(0, bad)));
  const std::string name = file.name();
  auto columns = Splitter(text, name).split();
  if (!columns) return fail(columns.error());
  if (columns->front().values.empty())
    return fail(ErrorKind::data, "the columns have no values", name, "give a file with at least one row");
  return std::make_unique<JsonColumnsReader>(file, std::move(text), std::move(*columns));
}

}  // namespace shoestring::data
