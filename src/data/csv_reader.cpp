// CSV: blocks of text become batches, by their separators alone where they are regular (csv_cells.h), else
// through Arrow's parser.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "data/arrow_module.h"
#include "data/csv_cells.h"
#include "data/csv_text.h"
#include "data/readers.h"
#include "data/row_lines.h"
#include "data/sniff.h"

namespace shoestring::data {
namespace {

struct NoSink {
  void character(char) {}
  void cell_end(bool) {}
  void record_end(const CsvRecord&) {}
};

// Notes the line of each row that has as many cells as the table has columns.
struct LineSink {
  RowLines& lines;
  int columns;

  void character(char) {}
  void cell_end(bool) {}
  void record_end(const CsvRecord& record) {
    if (record.cells == columns) lines.add(record.line);
  }
};

class CsvReader final : public TableReader {
 public:
  CsvReader(OpenFile file, CsvLayout layout, const ReadOptions& options, const ArrowModule* arrow)
      : source_(file.path),
        bytes_(std::move(file.text)),
        tolerance_(options.tolerance),
        arrow_(arrow),
        unused_(layout.first_row_at),
        line_(1 + count_newlines(
                      std::string_view(file.head).substr(0, static_cast<size_t>(layout.first_row_at)))),
        scanner_(layout.format.delimiter, layout.format.quote, line_),
        window_(std::move(file.head), file.whole, options.block_bytes) {
    path_ = file.path == "-" ? "stdin" : file.path;
    format_ = layout.format;
    names_ = std::move(layout.names);
    notes_ = std::move(layout.notes);
    ragged_.expected_cells = static_cast<int>(names_.size());
  }

  Result<std::optional<RecordBatch>> next() override {
    while (!done_) {
      if (Status s = window_.advance(unused_, *bytes_); !s) return fail(std::move(s.error()));
      if (auto note = bytes_->take_note()) notes_.push_back(std::move(*note));
      auto batch = parse_block();
      if (!batch) return fail(std::move(batch.error()));
      done_ = window_.at_end();
      if (done_) window_ = Window({}, true, 0);
      if (batch->rows() > 0) return std::move(*batch);
    }
    if (Status s = check_ragged(); !s) return fail(std::move(s.error()));
    return std::nullopt;
  }

  int64_t line_of(int64_t row) override {
    if (source_ != "-") rescan(row);
    return lines_.line_of(row);
  }

 private:
  // The window's rows where they are as regular as most, without a copy.
  std::optional<RecordBatch> cut_block() {
    RegularBlock block;
    const auto columns = static_cast<int>(names_.size());
    const std::string_view text = window_.text();
    if (window_.at_end() && !text.ends_with('\n')) return {};
    if (!cut_regular(text, format_.delimiter, format_.quote, columns, block)) return {};
    const std::string_view used = text.substr(0, static_cast<size_t>(block.consumed));
    if (!block.ascii && first_bad_byte(used) != std::string_view::npos) return {};
    if (source_ == "-") scanner_.feed(used, LineSink{lines_, columns});
    TextRows rows{.text = window_.take(block.consumed),
                  .ends = std::move(block.ends),
                  .rows = block.rows,
                  .columns = columns,
                  .tail = block.crlf ? 1 : 0};
    RecordBatch batch(std::move(rows), rows_);
    rows_ += block.rows;
    line_ += block.rows;
    return batch;
  }

  // Parses the window; counts what it held and remembers how much of it is used.
  Result<RecordBatch> parse_block() {
    unused_ = 0;
    if (window_.text().empty()) return RecordBatch{};
    if (auto batch = cut_block()) return std::move(*batch);
    const std::string_view text = window_.text();
    const CsvGrammar grammar{format_.delimiter, format_.quote, static_cast<int32_t>(names_.size())};
    CsvBlock block;
    if (!arrow_->parse_csv(grammar, text.data(), static_cast<int64_t>(text.size()), window_.at_end(),
                           block)) {
      return fail_at(path_, line_, fmt::format("the table cannot be parsed: {}", block.message),
                     "check the lines from there on");
    }
    RecordBatch batch(block.rows, rows_);
    const bool too_long = block.consumed == 0 && !window_.at_end();
    if (too_long || window_.at_end())
      if (Status s = check_quotes(text); !s) return fail(std::move(s.error()));
    if (too_long) {
      return fail_at(path_, line_,
                     fmt::format("the row is longer than {}", human_bytes(static_cast<int64_t>(text.size()))),
                     "shorten it: a row must fit in one block of text");
    }
    const std::string_view used = text.substr(0, static_cast<size_t>(block.consumed));
    if (const size_t bad = first_bad_byte(used); bad != std::string_view::npos) {
      return fail_not_text(used, bad, path_, line_ + count_newlines(used.substr(0, bad)));
    }
    if (ragged_.count == 0 && block.ragged > 0) {
      ragged_.first_line = line_ + count_newlines(used.substr(0, static_cast<size_t>(block.ragged_at)));
      ragged_.first_cells = block.ragged_cells;
    }
    if (source_ == "-") scanner_.feed(used, LineSink{lines_, ragged_.expected_cells});
    ragged_.count += block.ragged;
    rows_ += batch.rows();
    line_ += count_newlines(used);
    unused_ = block.consumed;
    return batch;
  }

  // The parser takes all that follows an unclosed quote for one cell.
  Status check_quotes(std::string_view text) const {
    CsvScanner scanner(format_.delimiter, format_.quote, line_);
    scanner.feed(text, NoSink{});
    if (scanner.open_quote_line() == 0) return {};
    return fail_at(path_, scanner.open_quote_line(),
                   window_.at_end() ? std::string("the quote that opens here is never closed")
                                    : fmt::format("the quote that opens here is not closed within {}",
                                                  human_bytes(static_cast<int64_t>(text.size()))),
                   "close it, or write a quote that belongs to the text doubled within quotes");
  }

  Status check_ragged() const {
    const int64_t all = rows_ + ragged_.count;
    if (static_cast<double>(ragged_.count) <= tolerance_ * static_cast<double>(all)) return {};
    return fail_at(
        path_, ragged_.first_line,
        fmt::format("{} of {} do not have {}; this one has {}", ragged_.count, count_of(all, "row"),
                    count_of(ragged_.expected_cells, "cell"), ragged_.first_cells),
        fmt::format("repair them, or check the delimiter (taken for '{}')",
                    format_.delimiter == '\t' ? std::string("\\t") : std::string(1, format_.delimiter)));
  }

  // Reads the file again until the row's line is known.
  void rescan(int64_t row) {
    if (row < lines_.rows()) return;
    auto text = open_text(source_, bytes_->encoding());
    if (!text) return;
    lines_ = RowLines{};
    CsvScanner scanner(format_.delimiter, format_.quote);
    bool header = format_.header;
    // The header is a record too, but no row.
    struct Sink : LineSink {
      bool& header;
      void record_end(const CsvRecord& record) {
        if (header)
          header = false;
        else
          LineSink::record_end(record);
      }
    } sink{{lines_, ragged_.expected_cells}, header};
    std::string block(1 << 16, '\0');
    while (lines_.rows() <= row) {
      const auto n = (*text)->read(block.data(), static_cast<int64_t>(block.size()));
      if (!n || *n == 0) break;
      scanner.feed(std::string_view(block).substr(0, static_cast<size_t>(*n)), sink);
    }
    scanner.finish(sink);
  }

  std::string source_;
  std::unique_ptr<TextSource> bytes_;
  double tolerance_;
  const ArrowModule* arrow_;
  int64_t unused_;      // bytes at the window's front that are done with
  int64_t line_;        // of the window's first byte after those
  CsvScanner scanner_;  // follows stdin, which cannot be read again
  RowLines lines_;
  Window window_;
  bool done_ = false;
};

}  // namespace

Result<std::unique_ptr<TableReader>> open_csv(OpenFile file, const ReadOptions& options) {
  auto layout = sniff_csv(file.head, file.whole, file.name(), options);
  if (!layout) return fail(std::move(layout.error()));
  layout->format.compression = file.text->compression();
  layout->format.encoding = file.text->encoding();
  layout->format.bom = file.text->bom();
  auto arrow = arrow_module();
  if (!arrow) return fail(std::move(arrow.error()));
  return std::make_unique<CsvReader>(std::move(file), std::move(*layout), options, *arrow);
}

}  // namespace shoestring::data
