// A record batch: some rows of a table, every column as text, held as an Arrow array behind the C data
// interface or as the text of the file with the places of its cells. Numbers stay text here: data/parse.h
// reads them, so that "text in a number column" can be counted and named.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/arrow_c.h"

namespace shoestring::data {

// Whether a trimmed cell says "no value". The spellings, exactly so, quoted or not:
//   (empty)  ?  NA  N/A  n/a  #N/A  #NA  <NA>  NaN  nan  NAN  -nan  -NaN  null  NULL  Null  None
// Words that are often a value of their own ("none", "unknown", "na", "-", ".") are not missing.
bool is_missing(std::string_view trimmed);

// Without leading and trailing spaces, tabs and carriage returns.
inline std::string_view trim(std::string_view text) {
  const auto is_space = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

// One column of a batch: a view, valid as long as its batch.
class TextColumn {
 public:
  explicit TextColumn(const ArrowArray& utf8)
      : validity_(static_cast<const uint8_t*>(utf8.buffers[0])),
        ends_(static_cast<const int32_t*>(utf8.buffers[1]) + utf8.offset),
        bytes_(static_cast<const char*>(utf8.buffers[2])),
        offset_(utf8.offset),
        rows_(utf8.length) {}
  // Cells that stand in rows of text: the cell of a row begins `gap` behind where the one before it ended,
  // ends[row * stride], and ends `tail` before ends[row * stride + 1].
  TextColumn(const char* bytes, const int32_t* ends, int64_t rows, int64_t stride, int gap, int tail)
      : ends_(ends), bytes_(bytes), rows_(rows), stride_(stride), gap_(gap), tail_(tail) {}

  int64_t rows() const { return rows_; }

  // The cell as it stands in the file (quotes of the CSV removed). Empty where there is none.
  std::string_view raw(int64_t row) const {
    const int32_t* ends = ends_ + row * stride_;
    const int32_t begin = ends[0] + gap_;
    return {bytes_ + begin, static_cast<size_t>(ends[1] - tail_ - begin)};
  }
  // The cell, trimmed.
  std::string_view operator[](int64_t row) const { return trim(raw(row)); }

  // No value: a null of the format, or a cell that is_missing().
  bool is_null(int64_t row) const { return absent(row) || is_missing((*this)[row]); }

  // A null of the format itself (JSON's null, a key that a line lacks).
  bool absent(int64_t row) const {
    const int64_t bit = row + offset_;
    return validity_ != nullptr && (validity_[bit >> 3] >> (bit & 7) & 1) == 0;
  }

 private:
  const uint8_t* validity_ = nullptr;
  const int32_t* ends_;
  const char* bytes_;
  int64_t offset_ = 0, rows_, stride_ = 1;
  int gap_ = 0, tail_ = 0;
};

// Rows of text as they stand in a file, one byte between cells: see TextColumn.
struct TextRows {
  std::string text;
  std::vector<int32_t> ends;  // [rows * columns + 1]
  int64_t rows = 0;
  int columns = 0;
  int tail = 0;  // of the last column: the return of a CRLF
};

// Owns its rows. Move-only.
class RecordBatch {
 public:
  RecordBatch() = default;
  // Takes over a struct array whose children are utf8. `first_row` is the number of its first row in
  // the table, from 0, rows that were left out not counted.
  RecordBatch(ArrowArray array, int64_t first_row)
      : array_(array), first_row_(first_row), columns_(static_cast<int>(array.n_children)) {}
  RecordBatch(TextRows text, int64_t first_row);
  RecordBatch(RecordBatch&& other) noexcept;
  RecordBatch& operator=(RecordBatch&& other) noexcept;
  ~RecordBatch();

  int64_t rows() const { return text_ ? text_->rows : array_.length; }
  int64_t first_row() const { return first_row_; }
  int columns() const { return columns_; }
  TextColumn column(int index) const {
    return text_ ? text_column(index) : TextColumn(*array_.children[index]);
  }

  // Puts the columns that `order` names (each at most once) into its order and leaves out the others; the
  // batch begins at another row of the table.
  void arrange(std::span<const int> order, int64_t first_row);

 private:
  TextColumn text_column(int index) const;

  ArrowArray array_{};
  std::unique_ptr<TextRows> text_;  // in the array's place
  std::vector<int> order_;          // of the text's columns
  int64_t first_row_ = 0;
  int columns_ = 0;
};

// Builds a batch row by row: rows that come as JSON, from the library's caller, or from a test.
class BatchBuilder {
 public:
  explicit BatchBuilder(int columns);
  void cell(std::string_view text);  // the next cell of the row
  void null();                       // the next cell, without a value
  int64_t rows() const;              // complete rows so far
  int64_t bytes() const { return bytes_; }
  // The batch, and the builder empty again. Every row must be complete.
  RecordBatch finish(int64_t first_row = 0);

 private:
  struct Column {
    std::vector<uint8_t> validity;  // one bit a row
    std::vector<int32_t> offsets{0};
    std::string text;
  };
  std::vector<Column> columns_;
  int64_t cells_ = 0, bytes_ = 0;
};

// A batch from literal rows; all of one width. For tests and for the public interface.
RecordBatch make_batch(const std::vector<std::vector<std::string>>& rows, int64_t first_row = 0);

}  // namespace shoestring::data
