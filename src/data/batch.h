// A record batch: some rows of a table, every column as text, held as an Arrow array behind the C data
// interface. Numbers stay text here: data/parse.h reads them, so that "text in a number column" can be
// counted and named.
#pragma once

#include <cstdint>
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
        offsets_(static_cast<const int32_t*>(utf8.buffers[1]) + utf8.offset),
        bytes_(static_cast<const char*>(utf8.buffers[2])),
        offset_(utf8.offset),
        rows_(utf8.length) {}

  int64_t rows() const { return rows_; }

  // The cell as it stands in the file (quotes of the CSV removed). Empty where there is none.
  std::string_view raw(int64_t row) const {
    return {bytes_ + offsets_[row], static_cast<size_t>(offsets_[row + 1] - offsets_[row])};
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
  const uint8_t* validity_;
  const int32_t* offsets_;
  const char* bytes_;
  int64_t offset_, rows_;
};

// Owns its rows. Move-only.
class RecordBatch {
 public:
  RecordBatch() = default;
  // Takes over a struct array whose children are utf8. `first_row` is the number of its first row in
  // the table, from 0, rows that were left out not counted.
  RecordBatch(ArrowArray array, int64_t first_row)
      : array_(array), first_row_(first_row), columns_(static_cast<int>(array.n_children)) {}
  RecordBatch(RecordBatch&& other) noexcept;
  RecordBatch& operator=(RecordBatch&& other) noexcept;
  ~RecordBatch();

  int64_t rows() const { return array_.length; }
  int64_t first_row() const { return first_row_; }
  int columns() const { return columns_; }
  TextColumn column(int index) const { return TextColumn(*array_.children[index]); }

  // Puts the columns that `order` names (each at most once) into its order and leaves out the others; the
  // batch begins at another row of the table.
  void arrange(std::span<const int> order, int64_t first_row);

 private:
  ArrowArray array_{};
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
