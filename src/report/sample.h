// Some rows of each split, to look at the data by: as many as a fixed number of cells allows, evenly from the
// whole split where the rows are in memory, and from its first window where they are in a file.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "train/batches.h"
#include "train/packed_rows.h"

namespace shoestring::report {

class DataSample {
 public:
  // Where the rows are in a file, that is read once for each split. The data set must outlive it.
  explicit DataSample(const train::Dataset& data);

  const train::EncodedInputs& inputs() const { return copied_ ? copied_->inputs : data_->inputs; }
  const train::EncodedTargets& targets() const { return copied_ ? copied_->targets : data_->targets; }
  // Their places in these, in the split's order.
  const std::vector<uint32_t>& rows(task::SplitName split) const { return rows_[static_cast<size_t>(split)]; }

 private:
  const train::Dataset* data_;
  std::optional<train::EncodedRows> copied_;
  std::array<std::vector<uint32_t>, 3> rows_;
};

// Rows that are the same in all inputs, by hashes; of very many rows those whose hashes end in as many zeros
// as it takes, so that all copies of a row are looked at or none.
struct Duplicates {
  int64_t rows = 0;           // looked at
  int64_t repeated = 0;       // of them, those whose inputs an earlier training row has, among training rows
  int64_t training_rows = 0;  // looked at
  int64_t held_out = 0, seen = 0;  // rows of the held-out split, and those whose inputs a training row has
  // Training rows whose inputs another has with another class: whatever a model answers, at least
  // `contradicted` of training_rows are wrong. Of the first output, if it is a class.
  int64_t contradicted = 0;
};
Duplicates find_duplicates(const train::Dataset& data, const DataSample& sample, task::SplitName held_out);

}  // namespace shoestring::report
