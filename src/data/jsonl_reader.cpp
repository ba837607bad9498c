// JSON lines: one object a line. The columns are the keys of the first 64 KiB (of at most a thousand
// lines), in the order in which they first appear. Strings are cells as they are; numbers, true and false are
// their JSON text; null and a key that a line lacks are no value; lists and objects are kept as JSON text.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "data/readers.h"
#include "data/row_lines.h"

namespace shoestring::data {
namespace {

using Json = nlohmann::ordered_json;

constexpr int64_t kLinesForNames = 1000;
constexpr int64_t kBatchRows = 16'384;
constexpr int kDeepest = 100;

// How deep lists and objects stand in one another, at most.
int nesting(std::string_view line) {
  int depth = 0, deepest = 0;
  bool in_string = false, escaped = false;
  for (const char c : line) {
    if (in_string) {
      if (!escaped && c == '"') in_string = false;
      escaped = !escaped && c == '\\';
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      deepest = std::max(deepest, ++depth);
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return deepest;
}

std::optional<Json> parse_object(std::string_view line) {
  if (nesting(line) > kDeepest) return std::nullopt;  // writing it again would take a stack as deep
  Json value = Json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!value.is_object()) return std::nullopt;
  return value;
}

Failure fail_no_object(const std::string& name, int64_t line) {
  return fail_at(name, line, "this line is not a JSON object", "write one {\"column\": value, ...} a line");
}

Failure fail_too_long(const std::string& name, int64_t line, size_t bytes) {
  return fail_at(name, line, fmt::format("the line is longer than {} bytes", bytes),
                 "write one object a line");
}

class JsonlReader final : public TableReader {
 public:
  JsonlReader(OpenFile file, std::vector<std::string> names, const ReadOptions& options)
      : bytes_(std::move(file.bytes)),
        builder_(static_cast<int>(names.size())),
        window_(std::move(file.head), file.whole, options.block_bytes) {
    path_ = file.path == "-" ? "stdin" : file.path;
    format_ = TableFormat{.kind = TableKind::jsonl,
                          .delimiter = 0,
                          .quote = 0,
                          .header = false,
                          .gzip = bytes_->gzip(),
                          .bom = file.bom};
    names_ = std::move(names);
    for (size_t c = 0; c < names_.size(); ++c) columns_.emplace(names_[c], c);
  }

  Result<std::optional<RecordBatch>> next() override {
    while (builder_.rows() < kBatchRows && !done_) {
      auto line = next_line();
      if (!line) return fail(std::move(line.error()));
      if (!*line) {
        done_ = true;
      } else if (!trim(**line).empty()) {
        if (Status s = add_row(**line); !s) return fail(std::move(s.error()));
      }
      if (builder_.bytes() > (1 << 20)) break;
    }
    if (builder_.rows() == 0) return std::nullopt;
    RecordBatch batch = builder_.finish(rows_);
    rows_ += batch.rows();
    return batch;
  }

  int64_t line_of(int64_t row) override { return lines_.line_of(row); }

 private:
  // A view into the window, valid until the next call.
  Result<std::optional<std::string_view>> next_line() {
    size_t end = window_.text().find('\n', at_);
    if (end == std::string_view::npos && !window_.at_end()) {
      if (Status s = window_.advance(static_cast<int64_t>(at_), *bytes_); !s)
        return fail(std::move(s.error()));
      at_ = 0;
      end = window_.text().find('\n');
      if (end == std::string_view::npos && !window_.at_end()) {
        return fail_too_long(path_, line_ + 1, window_.text().size());
      }
    }
    const std::string_view text = window_.text();
    if (at_ >= text.size()) return std::nullopt;
    const std::string_view line = text.substr(at_, end - at_);
    at_ = end == std::string_view::npos ? text.size() : end + 1;
    ++line_;
    if (const size_t bad = first_bad_byte(line); bad != std::string_view::npos) {
      return fail_not_text(line, bad, path_, line_);
    }
    return line;
  }

  Status add_row(std::string_view line) {
    const auto object = parse_object(line);
    if (!object) return fail_no_object(path_, line_);
    cells_.assign(names_.size(), nullptr);
    for (const auto& [key, value] : object->items()) {
      const auto column = columns_.find(key);
      if (column != columns_.end()) {
        cells_[column->second] = &value;
      } else if (!noted_late_key_) {
        noted_late_key_ = true;
        notes_.push_back(
            fmt::format("the key '{}' first appears in line {}: it is left out, like every key "
                        "that the file's beginning lacks",
                        key, line_));
      }
    }
    for (const Json* value : cells_) {
      if (value == nullptr || value->is_null())
        builder_.null();
      else if (value->is_string())
        builder_.cell(value->get_ref<const std::string&>());
      else
        builder_.cell(value->dump(-1, ' ', false, Json::error_handler_t::replace));
    }
    lines_.add(line_);
    return {};
  }

  std::unique_ptr<ByteSource> bytes_;
  BatchBuilder builder_;
  Window window_;
  size_t at_ = 0;     // in the window
  int64_t line_ = 0;  // lines taken
  bool done_ = false, noted_late_key_ = false;
  RowLines lines_;
  std::unordered_map<std::string, size_t> columns_;
  std::vector<const Json*> cells_;
};

}  // namespace

Result<std::unique_ptr<TableReader>> open_jsonl(OpenFile file, const ReadOptions& options) {
  std::vector<std::string> names;
  std::unordered_map<std::string, bool> seen;
  std::string_view text = file.head;
  for (int64_t line = 1; line <= kLinesForNames && !text.empty(); ++line) {
    const size_t end = text.find('\n');
    if (end == std::string_view::npos && !file.whole) {  // a part of a line
      if (line > 1) break;
      return fail_too_long(file.name(), line, text.size());
    }
    const std::string_view one = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (trim(one).empty()) continue;
    const auto object = parse_object(one);
    if (!object) return fail_no_object(file.name(), line);
    for (const auto& [key, value] : object->items()) {
      if (seen.emplace(key, true).second) names.push_back(key);
    }
  }
  if (names.empty()) {
    return fail(ErrorKind::data, "no line has a key", file.name(),
                "write one {\"column\": value, ...} a line");
  }
  return std::make_unique<JsonlReader>(std::move(file), std::move(names), options);
}

}  // namespace shoestring::data
