// A JSON object that is a table (data/json_layout.h). Its columns or rows stand one behind the other, so the
// text is held whole; what is added to it is the place of each value.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "data/header.h"
#include "data/json_layout.h"
#include "data/json_pieces.h"
#include "data/readers.h"

namespace shoestring::data {
namespace {

using Json = nlohmann::json;

constexpr int64_t kMostBytes = 256 << 20;
constexpr int64_t kBatchRows = 16'384, kBatchBytes = 1 << 20;

class JsonColumnsReader final : public TableReader {
 public:
  JsonColumnsReader(const OpenFile& file, std::string text, JsonLayout layout)
      : text_(std::move(text)), layout_(std::move(layout)), builder_(static_cast<int>(layout_.names.size())) {
    path_ = file.name();
    format_ = TableFormat{.kind = TableKind::json,
                          .delimiter = 0,
                          .quote = 0,
                          .header = false,
                          .compression = file.text->compression(),
                          .encoding = file.text->encoding(),
                          .bom = file.text->bom()};
    names_ = header_names(layout_.names, notes_);
    if (auto note = file.text->take_note()) notes_.push_back(std::move(*note));
  }

  Result<std::optional<RecordBatch>> next() override {
    while (rows_ + builder_.rows() < layout_.rows && builder_.rows() < kBatchRows &&
           builder_.bytes() < kBatchBytes) {
      const int64_t row = rows_ + builder_.rows();
      for (size_t c = 0; c < names_.size(); ++c)
        if (const JsonCell cell = layout_.at(row, static_cast<int64_t>(c)); !add_cell(cell))
          return fail_at(path_, line_at(cell.begin), fmt::format("this value of '{}' is no JSON", names_[c]),
                         "repair the file");
    }
    if (builder_.rows() == 0) return std::nullopt;
    RecordBatch batch = builder_.finish(rows_);
    rows_ += batch.rows();
    return batch;
  }

  int64_t line_of(int64_t row) override { return line_at(layout_.at(row, 0).begin); }
  std::string place(int64_t row) override { return fmt::format("{}, row {}", path_, row + 1); }

 private:
  int64_t line_at(uint32_t offset) const {
    return 1 + count_newlines(std::string_view(text_).substr(0, offset));
  }

  bool add_cell(JsonCell value) {
    const std::string_view written = std::string_view(text_).substr(value.begin, value.size);
    if (json_extent(written).nesting > kDeepestJson) return false;
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
  JsonLayout layout_;
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
  auto layout = json_layout(text, name, options.expected_names);
  if (!layout) return fail(layout.error());
  if (layout->rows == 0)
    return fail(ErrorKind::data, "the columns have no values", name, "give a file with at least one row");
  return std::make_unique<JsonColumnsReader>(file, std::move(text), std::move(*layout));
}

}  // namespace shoestring::data
