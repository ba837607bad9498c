// Columns that give the target away, found on a sample of rows.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/philox.h"
#include "data/batch.h"
#include "data/profile.h"

namespace shoestring::data {

// A uniform sample of rows (a reservoir), each cell as an identity and a number: 16 bytes a cell.
class RowSample {
 public:
  // Of as many rows as so many bytes hold, 500 to 8,192.
  RowSample(int columns, int64_t most_bytes);
  void add(const RecordBatch& batch);

  struct Cell {
    double number;      // NaN if it is none
    uint32_t identity;  // equal for equal texts; 0: missing
  };
  int64_t rows() const { return columns_ == 0 ? 0 : static_cast<int64_t>(cells_.size()) / columns_; }
  const Cell& at(int64_t row, int column) const { return cells_[row * columns_ + column]; }
  int64_t bytes() const { return static_cast<int64_t>(cells_.capacity() * sizeof(Cell)); }

 private:
  void put(int64_t place, const RecordBatch& batch, int64_t row);

  int columns_;
  int64_t most_rows_, seen_ = 0;
  Philox random_;
  std::vector<Cell> cells_;
};

// A column leaks if, over the rows where it and the target have values (at least kRules.leak_rows):
//   each of its values goes with one value of the target (in all rows but one in a thousand), it has at
//   most half as many values as rows, not counting copies of rows where the values are many, and the values
//   seen more than once show two classes; or
//   the target is a number and its correlation with it is beyond kRules.leak_correlation; or
//   the target has two values and it, as a number, ranks them with an AUC beyond kRules.leak_auc.
std::vector<Leak> find_leaks(const RowSample& sample, const std::vector<ColumnSummary>& columns, int target);

}  // namespace shoestring::data
