// The cells of a recipe's features, parsed from record batches: numbers to f64 (NaN where missing), words to
// codes of a dictionary, and so on. Nothing is fitted yet; training and prediction begin here alike.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "data/columns.h"
#include "data/parse.h"
#include "data/picture_files.h"
#include "data/table.h"
#include "task/preprocess.h"

namespace shoestring::train {

// Which column of a table each feature reads.
struct ColumnMap {
  std::vector<int> inputs, outputs;                         // outputs empty where targets are not wanted
  std::shared_ptr<const data::PictureFiles> pictures = {};  // that its cells name
};
// Fails with ErrorKind::data where the table lacks one; names the nearest that it has.
Result<ColumnMap> locate(const task::Recipe& recipe, const data::TableReader& table, bool with_targets);

// The columns that the recipe reads, for ReadOptions::expected_names.
std::vector<std::string> column_names(const task::Recipe& recipe, bool with_targets);

// One feature's cells as read. What a kind of cell needs stands in its type: append() reads a batch's cells,
// view() is what fitting and encoding take.
struct Numbers {
  std::vector<double> values;
  void append(const data::TextColumn& column, int64_t first_row, data::BadCells& bad);
  task::NumberColumn view() { return {values.data(), static_cast<int64_t>(values.size())}; }
  int64_t bytes() const { return static_cast<int64_t>(values.capacity() * sizeof(double)); }
};

struct Words {
  data::Dictionary dictionary;
  std::vector<int32_t> codes;
  void append(const data::TextColumn& column, int64_t first_row, data::BadCells& bad);
  task::WordColumn view() const { return {&dictionary, codes}; }
  int64_t bytes() const {
    return dictionary.bytes() + static_cast<int64_t>(codes.capacity() * sizeof(int32_t));
  }
};

struct Vectors {
  data::Lists<float> lists;
  void append(const data::TextColumn& column, int64_t first_row, data::BadCells& bad);
  const data::Lists<float>& view() const { return lists; }
  int64_t bytes() const { return lists.bytes(); }
};

struct WordLists {
  data::Tokenizer tokenizer = data::Tokenizer::space;
  data::Dictionary dictionary{};
  data::Lists<int32_t> lists{};
  void append(const data::TextColumn& column, int64_t first_row, data::BadCells& bad);
  task::WordListColumn view() const { return {&dictionary, &lists}; }
  int64_t bytes() const { return dictionary.bytes() + lists.bytes(); }
};

struct Dates {
  std::string format;  // "": found by looking
  std::vector<data::DateStamp> stamps{};
  void append(const data::TextColumn& column, int64_t first_row, data::BadCells& bad);
  std::span<const data::DateStamp> view() const { return stamps; }
  int64_t bytes() const { return static_cast<int64_t>(stamps.capacity() * sizeof(data::DateStamp)); }
};

// Decoded as they come, all of one form: as they lie in their files they would be many times as slow to train
// on, and often larger.
struct Pictures {
  data::PictureForm form;
  bool keeps_missing = false;  // a row without a picture gets one of one colour
  data::PixelRows pixels{form.bytes()};
  std::vector<task::PictureState> states{};
  // Of many on all threads of the team: not to be called within a region. Without files the cells are bytes.
  void append(const data::TextColumn& column, int64_t first_row, data::BadCells& bad,
              const data::PictureFiles* files = nullptr);
  task::PictureColumn view() { return {&pixels, states, keeps_missing}; }
  int64_t bytes() const { return pixels.bytes() + static_cast<int64_t>(states.capacity()); }
};

// monostate: encoded, so no longer held.
using RawColumn = std::variant<std::monostate, Numbers, Words, Vectors, WordLists, Dates, Pictures>;

// Flags the rows without a value.
task::MissingRows mark_missing(RawColumn& column, std::vector<uint8_t>& drop);

// Cells that have no value.
int64_t missing_cells(const RawColumn& column);

class RawColumns {
 public:
  RawColumns(const task::Recipe& recipe, bool with_targets);

  void append(const data::RecordBatch& batch, const ColumnMap& map);
  // The same in parts, one a column, which may be appended at the same time; then appended(rows), once.
  int parts() const { return static_cast<int>(inputs.size() + outputs.size()); }
  void append_part(int part, const data::RecordBatch& batch, const ColumnMap& map);
  // Columns of pictures are no parts: each is spread over the team by itself.
  void append_pictures(const data::RecordBatch& batch, const ColumnMap& map);
  void appended(int64_t rows) { rows_ += rows; }

  int64_t rows() const { return rows_; }
  int64_t bytes() const;

  std::vector<RawColumn> inputs, outputs;               // outputs empty where targets are not wanted
  std::vector<data::BadCells> bad_inputs, bad_outputs;  // cells that are not what the feature's type wants

  std::vector<int>
      number_column;  // of each input: its column of the encoded numbers, -1 where it has a port of its own
  int number_columns = 0;

 private:
  int64_t rows_ = 0;
};

}  // namespace shoestring::train
