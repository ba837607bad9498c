// The cells of a recipe's features, parsed from record batches: numbers to f64 (NaN where missing),
// words to codes of a dictionary. Nothing is fitted yet; training and prediction begin here alike.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "data/columns.h"
#include "data/parse.h"
#include "data/table.h"
#include "task/preprocess.h"

namespace shoestring::train {

// Which column of a table each feature reads.
struct ColumnMap {
  std::vector<int> inputs, outputs;  // outputs empty where targets are not wanted
};
// Fails with ErrorKind::data where the table lacks one; names the nearest that it has.
Result<ColumnMap> locate(const task::Recipe& recipe, const data::TableReader& table, bool with_targets);

// The columns that the recipe reads, for ReadOptions::expected_names.
std::vector<std::string> column_names(const task::Recipe& recipe, bool with_targets);

struct Words {
  data::Dictionary dictionary;
  std::vector<int32_t> codes;
  task::WordColumn column() const { return {&dictionary, codes}; }
};

class RawColumns {
 public:
  RawColumns(const task::Recipe& recipe, bool with_targets);

  void append(const data::RecordBatch& batch, const ColumnMap& map);
  void clear();  // no rows; memory is kept where it can be

  int64_t rows() const { return rows_; }
  int64_t bytes() const;

  std::vector<int> number_column;  // of each input: its column of the encoded numbers, -1 for a category
  int number_columns = 0;
  std::vector<std::vector<double>> input_numbers;  // of each input: of a number
  std::vector<std::optional<Words>> input_words;   // of each input: of a binary or category
  std::vector<std::optional<Words>> output_words;
  std::vector<std::vector<double>> output_numbers;      // of each output: of a number
  std::vector<data::BadCells> bad_inputs, bad_outputs;  // cells of number features that are no number

  task::NumberColumn input_column(size_t input);  // of a number
  task::NumberColumn output_column(size_t output);

 private:
  int64_t rows_ = 0;
  bool with_targets_;
};

}  // namespace shoestring::train
