// What is wrong with the rows of a table: counted as they come, all at once or block by block, then told, or
// above the tolerance refused, once all have been seen.
#pragma once

#include "base/log.h"
#include "train/encoded.h"
#include "train/read_tables.h"

namespace shoestring::train {

class RowFaults {
 public:
  explicit RowFaults(const task::Recipe& recipe);

  int64_t rows() const { return rows_; }  // seen by drop_missing()

  // A flag for each row that is left out before anything is fitted: its target is missing, or an input that
  // the recipe says to drop for. The first is row `first_row` of the tables.
  std::vector<uint8_t> drop_missing(RawColumns& columns, int64_t first_row);
  // Of targets above the tolerance it is ErrorKind::data.
  Status judge_missing(const FilesRead& read, const LogSink& log) const;

  // Counts what encoding found in these rows: cells that are not what the fitted column takes (words that a
  // binary feature does not know, vectors of another length), and rows of a class that no training row has.
  void add_encoded(const RawColumns& encoded, const EncodedTargets& targets, std::span<const uint8_t> splits,
                   std::span<const uint8_t> drop, int64_t first_row);
  // Of such cells above the tolerance it is ErrorKind::data.
  Status judge_encoded(const task::Fits& fits, const FilesRead& read, const LogSink& log) const;
  // No metric can judge them.
  void tell_unknown_classes(const FilesRead& read, const LogSink& log) const;

 private:
  struct Feature {
    std::string column;
    bool drops_missing = false;
    task::MissingRows missing = {}, unknown_class = {};
  };
  int64_t rows_ = 0;
  std::vector<Feature> inputs_, outputs_;
  std::vector<data::BadCells> bad_inputs_, bad_outputs_;
};

// Adds counts; the first of all stays the first.
void add_bad_cells(const std::vector<data::BadCells>& more, std::vector<data::BadCells>& to);

}  // namespace shoestring::train
