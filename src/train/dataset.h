// A table on its way to a model: read, parsed, rows without a target left out, split, preprocessing
// fitted on the training rows, everything encoded.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "base/log.h"
#include "train/encoded.h"

namespace shoestring::train {

// Either one table, split here, or a file for each split.
struct DataFiles {
  std::string dataset = {};
  std::string training_set = {}, validation_set = {}, test_set = {};
  std::string format = {};  // as --data_format has it; "": found by looking
  bool given() const { return !dataset.empty() || !training_set.empty(); }
};

// A file that was read, for the run's description.
struct SourceFile {
  std::string path;
  int64_t bytes = 0, rows = 0;
  std::string crc32 = {};  // of its bytes, 8 digits; "" where they can be read but once
};

struct Dataset {
  task::NetworkSpec spec;  // the recipe and the sizes that were found
  task::Fits fits;
  std::vector<uint32_t> training, validation, test;  // rows of each split; train/batches.h hands them out
  std::vector<SourceFile> files;
  int64_t rows = 0;  // as read, before any was left out

  EncodedInputs inputs;
  EncodedTargets targets;

  const std::vector<uint32_t>& rows_of(task::SplitName split) const {
    return split == task::SplitName::training     ? training
           : split == task::SplitName::validation ? validation
                                                  : test;
  }
  int64_t split_rows() const {
    return count(task::SplitName::training) + count(task::SplitName::validation) +
           count(task::SplitName::test);
  }
  int64_t count(task::SplitName split) const { return static_cast<int64_t>(rows_of(split).size()); }
  int64_t bytes() const { return bytes_of(inputs) + bytes_of(targets); }
};

struct SavedModel;
struct PrepareOptions {
  uint64_t seed = 42;  // of a random split
  LogSink log = {};
  const SavedModel* start_from = nullptr;   // whose weights training begins with (train/start_from.h)
  const std::atomic<bool>* stop = nullptr;  // set from outside: give up
};

// For training. Fails with ErrorKind::data: what open_table says; a column that the recipe names and the
// table lacks; more than 5 % of the rows without a target, ragged, or with text for a number; a target
// with one class; no rows left to train on; what follow() says. Fewer of such rows are told to the log.
// ErrorKind::interrupted: it was to stop.
Result<Dataset> prepare(const DataFiles& files, task::Recipe recipe, const PrepareOptions& options);

// For evaluation: with the preprocessing that a model was trained with. All rows are in `test`, but for
// the split by which the model was trained: then as in training.
enum class RowsWanted { all, as_trained };
Result<Dataset> prepare_fitted(const DataFiles& files, const task::NetworkSpec& spec, const task::Fits& fits,
                               RowsWanted wanted, const PrepareOptions& options);

// The sizes that a network needs, from what preprocessing found.
Result<task::NetworkSpec> network_spec(task::Recipe recipe, const task::Fits& fits);

// What the rows of an output's classes are in training: for remarks and class weights. Empty for a number.
struct Classes {
  std::vector<std::string> labels;
  std::vector<int64_t> rows;
};
Classes classes_of(const task::Fit& fit);

}  // namespace shoestring::train
