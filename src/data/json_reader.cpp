// JSON lines, one object a line, and an array of objects. The columns are the keys of the first 64 KiB (of at
// most a thousand objects), in the order in which they first appear. Strings are cells as they are; numbers,
// true and false are their JSON text; null and a key that an object lacks are no value; lists and objects are
// kept as JSON text.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "base/text.h"
#include "data/json_pieces.h"
#include "data/readers.h"
#include "data/row_lines.h"

namespace shoestring::data {
namespace {

using Json = nlohmann::ordered_json;

constexpr int64_t kObjectsForNames = 1000;
constexpr int64_t kBatchRows = 16'384, kBatchBytes = 1 << 20;

// An object, and whether a key stands in it more than once: then the last counts.
struct Object {
  Json value;
  bool repeats = false;
};

std::optional<Object> parse_object(std::string_view text) {
  const JsonExtent extent = json_extent(text);
  if (extent.nesting > kDeepestJson) return std::nullopt;
  Object object{Json::parse(text, nullptr, /*allow_exceptions=*/false)};
  if (!object.value.is_object()) return std::nullopt;
  object.repeats = extent.members > static_cast<int64_t>(object.value.size());
  return object;
}

// A key that stands in the object's text more than once.
std::string repeated_key(std::string_view text) {
  std::set<std::string> seen;
  std::string repeated;
  const Json::parser_callback_t look = [&](int depth, Json::parse_event_t event, Json& parsed) {
    if (depth == 1 && event == Json::parse_event_t::key)
      if (auto key = parsed.get<std::string>(); !seen.insert(key).second) repeated = std::move(key);
    return true;
  };
  [[maybe_unused]] const Json read = Json::parse(text, look, /*allow_exceptions=*/false);
  return repeated;
}

// Whether what is wrong is a number that no double holds.
bool has_huge_number(std::string_view text) {
  constexpr int kOutOfRange = 406;
  try {
    [[maybe_unused]] const Json read = Json::parse(text);
  } catch (const Json::exception& e) {
    return e.id == kOutOfRange;
  }
  return false;
}

// The objects of a file with their lines, and the words for what is none.
class Objects {
 public:
  Objects(std::string name, TableKind kind)
      : name_(std::move(name)), lines_(kind == TableKind::jsonl), pieces_(lines_) {}

  JsonPiece next(std::string_view text, bool whole) {
    const JsonPiece piece = pieces_.next(text, at_, whole);
    const size_t begin = piece.what == JsonPiece::part ? piece.next : piece.begin;
    line_ = line_behind_ + count_newlines(text.substr(at_, begin - at_));
    line_behind_ = line_ + (piece.next > begin ? count_newlines(text.substr(begin, piece.next - begin)) : 0);
    at_ = piece.next;
    return piece;
  }
  // Bytes that are done with; the text is to begin behind them from now on.
  int64_t take_used() { return static_cast<int64_t>(std::exchange(at_, 0)); }
  int64_t line() const { return line_; }  // of the last piece, from 1

  Failure fail_no_object(std::string_view text = {}) const {
    if (json_extent(text).nesting <= kDeepestJson && has_huge_number(text))
      return fail_at(name_, line_, "a number here is beyond 1.8e308, the largest that is read",
                     "repair it, or write null where there is no value");
    if (lines_) return fail_at(name_, line_, "this line is not a JSON object", fix());
    return fail_at(name_, line_, "what stands here is not a JSON object", fix());
  }
  Failure fail_wrong(std::string_view text, size_t at) const {
    if (at >= text.size())
      return fail_at(name_, line_, "the JSON array ends too early: a part of it is missing",
                     "copy or download it again");
    return fail_no_object();
  }
  Failure fail_too_long(size_t bytes) const {
    return fail_at(name_, line_,
                   fmt::format("the {} is longer than {} bytes", lines_ ? "line" : "object", bytes),
                   "write one object a line");
  }

 private:
  const char* fix() const {
    return lines_ ? "write one {\"column\": value, ...} a line" : "write [{\"column\": value, ...}, ...]";
  }

  std::string name_;
  bool lines_;
  JsonPieces pieces_;
  size_t at_ = 0;
  int64_t line_ = 1, line_behind_ = 1;
};

class JsonReader final : public TableReader {
 public:
  JsonReader(OpenFile file, TableKind kind, std::vector<std::string> names, std::vector<std::string> notes,
             const ReadOptions& options)
      : source_(std::move(file.text)),
        builder_(static_cast<int>(names.size())),
        window_(std::move(file.head), file.whole, options.block_bytes),
        objects_(file.name(), kind) {
    path_ = file.name();
    format_ = TableFormat{.kind = kind,
                          .delimiter = 0,
                          .quote = 0,
                          .header = false,
                          .compression = source_->compression(),
                          .encoding = source_->encoding(),
                          .bom = source_->bom()};
    names_ = std::move(names);
    notes_ = std::move(notes);
    for (size_t c = 0; c < names_.size(); ++c) columns_.emplace(names_[c], c);
  }

  Result<std::optional<RecordBatch>> next() override {
    while (builder_.rows() < kBatchRows && builder_.bytes() < kBatchBytes && !done_) {
      auto object = next_object();
      if (!object) return fail(std::move(object.error()));
      if (!*object) {
        done_ = true;
        window_ = Window({}, true, 0);
      } else if (Status s = add_row(**object); !s) {
        return fail(std::move(s.error()));
      }
    }
    if (auto note = source_->take_note()) notes_.push_back(std::move(*note));
    if (builder_.rows() == 0) return std::nullopt;
    RecordBatch batch = builder_.finish(rows_);
    rows_ += batch.rows();
    return batch;
  }

  int64_t line_of(int64_t row) override { return lines_.line_of(row); }

 private:
  // A view into the window, valid until the next call.
  Result<std::optional<std::string_view>> next_object() {
    JsonPiece piece = objects_.next(window_.text(), window_.at_end());
    if (piece.what == JsonPiece::part) {
      if (Status s = window_.advance(objects_.take_used(), *source_); !s) return fail(std::move(s.error()));
      piece = objects_.next(window_.text(), window_.at_end());
      if (piece.what == JsonPiece::part) return objects_.fail_too_long(window_.text().size());
    }
    if (piece.what == JsonPiece::end) return std::nullopt;
    if (piece.what == JsonPiece::wrong) return objects_.fail_wrong(window_.text(), piece.begin);
    const std::string_view text = window_.text().substr(piece.begin, piece.size);
    if (const size_t bad = first_bad_byte(text); bad != std::string_view::npos)
      return fail_not_text(text, bad, path_, objects_.line() + count_newlines(text.substr(0, bad)));
    return text;
  }

  Status add_row(std::string_view text) {
    const auto object = parse_object(text);
    if (!object) return objects_.fail_no_object(text);
    if (object->repeats && !noted_repeated_key_) {
      noted_repeated_key_ = true;
      notes_.push_back(fmt::format("the key '{}' stands more than once in line {}: the last value counts",
                                   repeated_key(text), objects_.line()));
    }
    cells_.assign(names_.size(), nullptr);
    for (const auto& [key, value] : object->value.items()) {
      const auto column = columns_.find(key);
      if (column != columns_.end()) {
        cells_[column->second] = &value;
      } else if (!noted_late_key_) {
        noted_late_key_ = true;
        notes_.push_back(
            fmt::format("the key '{}' first appears in line {}: it is left out, like every key "
                        "that the file's beginning lacks",
                        key, objects_.line()));
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
    lines_.add(objects_.line());
    return {};
  }

  std::unique_ptr<TextSource> source_;
  BatchBuilder builder_;
  Window window_;
  Objects objects_;
  bool done_ = false, noted_late_key_ = false, noted_repeated_key_ = false;
  RowLines lines_;
  std::unordered_map<std::string, size_t> columns_;
  std::vector<const Json*> cells_;
};

// Columns without a value for those that rows may lack and none has, with a note each. None where no column
// is there at all or one looks like a slip of the keyboard: then it is an error that one is missing.
std::vector<std::string> add_lacking(std::span<const std::string> may_lack, std::vector<std::string>& names) {
  std::vector<std::string> lacking, others, notes;
  for (const std::string& name : may_lack)
    if (std::ranges::find(names, name) == names.end()) lacking.push_back(name);
  for (const std::string& name : names)
    if (std::ranges::find(may_lack, name) == may_lack.end()) others.push_back(name);
  if (lacking.size() == may_lack.size()) return {};
  if (std::ranges::any_of(lacking, [&](const std::string& name) { return !nearest(name, others).empty(); }))
    return {};
  if (!lacking.empty())
    notes.push_back(fmt::format("no row has the {} {}: missing values", lacking.size() == 1 ? "key" : "keys",
                                listed(lacking)));
  names.insert(names.end(), lacking.begin(), lacking.end());
  return notes;
}

}  // namespace

Result<std::unique_ptr<TableReader>> open_jsonl(OpenFile file, TableKind kind, const ReadOptions& options) {
  std::vector<std::string> names;
  std::unordered_set<std::string> seen;
  Objects objects(file.name(), kind);
  for (int64_t count = 0; count < kObjectsForNames; ++count) {
    const JsonPiece piece = objects.next(file.head, file.whole);
    if (piece.what == JsonPiece::wrong) return objects.fail_wrong(file.head, piece.begin);
    if (piece.what == JsonPiece::part && count == 0) return objects.fail_too_long(file.head.size());
    if (piece.what != JsonPiece::object) break;
    const std::string_view text = std::string_view(file.head).substr(piece.begin, piece.size);
    const auto object = parse_object(text);
    if (!object) return objects.fail_no_object(text);
    for (const auto& [key, value] : object->value.items())
      if (seen.insert(key).second) names.push_back(key);
  }
  if (names.empty()) {
    return fail(ErrorKind::data, kind == TableKind::jsonl ? "no line has a key" : "no object has a key",
                file.name(), "write one {\"column\": value, ...} for each row");
  }
  auto notes = add_lacking(options.may_lack, names);
  return std::make_unique<JsonReader>(std::move(file), kind, std::move(names), std::move(notes), options);
}

}  // namespace shoestring::data
