// What the cells of a request become: encoded rows, or faults. The readers of JSON, forms and tensors give it
// cell by cell what they find; it knows nothing of how they came.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "data/batch.h"
#include "serve/description.h"
#include "serve/request.h"
#include "serve/row_layout.h"
#include "task/preprocess_cells.h"
#include "train/raw_columns.h"

namespace shoestring::serve {

// The input features of a model, ready for cells. Several may read one column; readers know a column by the
// first of them, its input.
class CellTable {
 public:
  // All must outlive it.
  CellTable(const task::NetworkSpec& spec, const task::Fits& fits, const RowLayout& layout,
            const Description& description);

  // How a column's cells are encoded: one by one, or, where they are lists or dates or look at their
  // neighbours (ffill, bfill), the whole column of a request as prediction does.
  enum class Way : uint8_t { number, binary, category, column };
  struct Column {
    Way way = Way::number;
    bool required = false;
    size_t offset = 0;  // in the row
    const task::NumberFit* number = nullptr;
    const task::BinaryFit* binary = nullptr;
    std::optional<task::CategoryLookup> category = {};
    size_t described = 0;  // in Description::inputs
    int next = -1;         // the next feature that reads the same column
  };
  const std::vector<Column>& columns() const { return columns_; }
  // The columns' names in the recipe's order, as JSON writes them, with the quote behind: 'age"'.
  struct Key {
    std::string text;
    int input = 0;
  };
  const std::vector<Key>& keys() const { return keys_; }
  const task::Recipe& recipe() const { return *recipe_; }
  const task::Fits& fits() const { return *fits_; }
  const RowLayout& layout() const { return *layout_; }
  const InputColumn& input(int index) const {
    return description_->inputs[columns_[static_cast<size_t>(index)].described];
  }
  const std::vector<uint32_t>& missing_row() const { return missing_row_; }
  bool any_whole() const { return any_whole_; }  // any column of Way::column
  int64_t reading_bytes() const;                 // of a row, at most, while rows are read

  static constexpr int kUnknown = -1, kOutput = -2;
  int find(std::string_view name) const;  // an input's number, or one of these
  std::string nearest_to(std::string_view name) const;
  bool answers(std::string_view column) const;  // whether there is such a column of answers

 private:
  void add_name(const std::string& name);  // of the last column

  const task::Recipe* recipe_;
  const task::Fits* fits_;
  const RowLayout* layout_;
  const Description* description_;
  std::vector<Column> columns_;
  std::vector<Key> keys_;
  std::vector<uint32_t> missing_row_;  // every value missing
  std::unordered_map<std::string_view, int> names_;
  bool any_whole_ = false;
};

// Fills request.cells. Used again and again: it keeps its buffers.
class CellWriter {
 public:
  // What a row takes while it is read, and until its answer is gone.
  struct RowBytes {
    int64_t reading = 0, answered = 0;
  };
  void begin(const CellTable& table, Request& request, const ReadOptions& options, const RowBytes& row);

  // Rows one after the other, or all at once (tensors); cells then go to the row that at() chose. False where
  // there are too many.
  bool add_row();
  bool add_rows(int64_t count);
  void at(int64_t row);
  int64_t row() const { return row_; }
  int64_t rows() const { return request_->rows; }
  // The row is complete: what it lacks is missing.
  void end_row();
  // All rows are there: the inputs that none had are missing in each.
  void end_columns();

  // How a column is encoded, for who wants to save looking at a cell.
  const CellTable::Column& column(int input) const { return table_->columns()[static_cast<size_t>(input)]; }
  const CellTable& table() const { return *table_; }
  const ReadOptions& options() const { return options_; }

  // The input's cell in this row; each once a row. `text` of a number is how it was written.
  void number(int input, double value, std::string_view text);
  void text(int input, std::string_view text);
  void missing(int input);
  // What is no cell at all, a list in a column of numbers.
  void refuse(int input, std::string_view got);
  // A key that is no column.
  void unknown(std::string_view name);
  // A cell that belongs to no row yet, or to a whole column.
  void fault(int64_t row, std::string_view column, std::string expected, std::string_view got);

  // So many faults that nobody reads on.
  bool enough() const { return faults_.size() >= kMostFaults; }
  // Encodes whole columns; request.rows and request.cells are then complete. Or the faults.
  OrRefusal<void> finish();
  Refusal too_many_rows(int64_t rows) const;  // of so many: why not

  // Before a body is read that takes so much beside it, and has no more rows than those: whether that may be,
  // and room for the rows. What a reader keeps is enough for small ones.
  OrRefusal<void> make_room(std::string_view body, int64_t reading_bytes, int64_t rows);

 private:
  void number_of(int input, double value, std::string_view text);
  void text_of(int input, std::string_view text);
  void missing_of(int input);
  int64_t rows_in(int64_t bytes, int64_t reading_bytes) const;
  void limit_rows(int64_t reading_bytes);
  bool take(int input);  // notes that the cell came; false where it came before
  void whole_column(size_t input);
  uint32_t* row_cells() { return request_->cells.data() + static_cast<size_t>(row_) * words_; }
  void put(const CellTable::Column& column, float value);

  const CellTable* table_ = nullptr;
  Request* request_ = nullptr;
  ReadOptions options_;
  size_t words_ = 0;
  RowBytes row_bytes_;
  int64_t most_rows_ = 0, rows_now_ = 0;  // that the request may have, and that there is room for
  int64_t row_ = -1;
  std::vector<int64_t> seen_in_;  // of each input: the row that it was last seen in
  size_t seen_ = 0;               // inputs of this row
  std::vector<Fault> faults_;
  // Of columns that are encoded as a whole.
  std::vector<std::optional<data::BatchBuilder>> whole_;
};

}  // namespace shoestring::serve
