// Which rows train, which validate, which test: what the recipe's split needs of a table, read beside the
// features, and what comes of it. Sampling before the split and balancing after it stand here too.
#pragma once

#include "base/log.h"
#include "data/dates.h"
#include "data/split.h"
#include "data/table.h"
#include "train/encoded.h"

namespace shoestring::train {

class RowSplit {
 public:
  // Begins with a table. `of_file`: the split that all its rows belong to, or kUnused: as the recipe says.
  // Fails with ErrorKind::data where the table lacks the column.
  Status open(const task::Recipe& recipe, const data::TableReader& table, uint8_t of_file);
  // The table's column that it reads, -1 if it reads none.
  int column() const { return column_; }
  // Reads a batch's rows. ErrorKind::data where a fixed split's cell is no split.
  Status append(const data::RecordBatch& batch, data::TableReader& table);
  // The table is read. ErrorKind::data where it has no dates to go by, or too many cells that are none; fewer
  // are told.
  Status close(data::TableReader& table, double tolerance, const LogSink& log);

  // Whether each row's own cell, file or number says its split; then take() tells it as the rows are read,
  // those appended since the last call, which begin with row `first_row` of all tables.
  bool by_row() const;
  std::vector<uint8_t> take(int64_t first_row, int64_t rows, uint64_t seed);

  // A split for every row; rows to drop and rows that sampling leaves out belong to none. ErrorKind::data
  // where there are fewer rows, or groups, than folds. Splits that should have rows and have none are told.
  Result<std::vector<uint8_t>> split(const task::Preprocessing& preprocessing,
                                     const std::vector<uint8_t>& drop, uint64_t seed,
                                     const LogSink& log) const;

 private:
  Status check_folds(std::span<const int32_t> codes) const;
  std::vector<uint8_t> split_kept(std::span<const uint32_t> kept, std::span<const int32_t> codes,
                                  uint64_t seed, const LogSink& log) const;
  std::vector<uint8_t> split_by_age(const task::DatetimeSplit& spec, std::span<const uint32_t> kept,
                                    const LogSink& log) const;

  task::SplitSpec spec_;
  uint8_t of_file_ = data::kUnused;
  int column_ = -1;
  std::string path_;            // of the last table
  std::string name_;            // of the column
  std::vector<uint8_t> known_;  // of each row, where the cell or the file says it
  std::optional<Words> words_;  // of a split or fold that is stratified or by groups
  std::vector<data::DateStamp> stamps_;
  std::vector<double> numbers_;
  data::BadCells no_dates_, no_numbers_;
  bool by_number_ = false;
};

// The training rows with those of rare classes repeated or those of frequent ones left out, as the recipe
// says; told in one line. The same rows where it says nothing.
std::vector<uint32_t> balanced(const task::Recipe& recipe, const task::Fits& fits,
                               const EncodedTargets& targets, std::vector<uint32_t> training, uint64_t seed,
                               const LogSink& log);

}  // namespace shoestring::train
