// A table on its way to a model: read, parsed, rows without a target left out, split, preprocessing
// fitted on the training rows, everything encoded.
#pragma once

#include <atomic>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "base/log.h"
#include "train/encoded.h"
#include "train/file_rows.h"

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

// Encoded rows, in memory or in a file. Whoever wants some of them asks train/batches.h.
struct Dataset {
  task::NetworkSpec spec;  // the recipe and the sizes that were found
  task::Fits fits;
  std::vector<SourceFile> files;
  int64_t rows = 0;              // as read, before any was left out
  std::vector<int64_t> missing;  // of each input the cells that had no value

  EncodedInputs inputs;
  EncodedTargets targets;
  std::vector<uint32_t> training, validation, test;  // rows of each split

  std::unique_ptr<FileRows> file;  // in the place of all these

  const std::vector<uint32_t>& rows_of(task::SplitName split) const {
    return split == task::SplitName::training     ? training
           : split == task::SplitName::validation ? validation
                                                  : test;
  }
  int64_t split_rows() const {
    return count(task::SplitName::training) + count(task::SplitName::validation) +
           count(task::SplitName::test);
  }
  int64_t count(task::SplitName split) const {
    return file ? file->rows(static_cast<data::Split>(split)) : static_cast<int64_t>(rows_of(split).size());
  }
  // Of the largest batch that can be asked for.
  int64_t most_rows() const { return file ? file->most_rows() : std::numeric_limits<int64_t>::max(); }
  // Of how many rows at most something may be kept while they are looked at, as an exact AUC does.
  int64_t rows_kept() const { return file ? kRowsKept : std::numeric_limits<int64_t>::max(); }
  static constexpr int64_t kRowsKept = 1 << 16;
  // Why rows could not be read; what was handed out since is worth nothing.
  bool readable() const { return !file || file->fault(); }
  Status fault() const { return file ? file->fault() : Status(); }
  int64_t bytes() const { return file ? file->bytes() : bytes_of(inputs) + bytes_of(targets); }
};

struct SavedModel;
struct PrepareOptions {
  uint64_t seed = 42;  // of a random split
  LogSink log = {};
  const SavedModel* start_from = nullptr;   // whose weights training begins with (train/start_from.h)
  const std::atomic<bool>* stop = nullptr;  // set from outside: give up
  std::optional<FromFile> from_file = {};   // keep the encoded rows in a file (train/from_file.h)
  std::string surveys = {};                 // where surveys are kept (train/kept_survey.h); "": nowhere
  // What the process may hold, bytes, while the table is read into memory; 0: no limit. Where it would be
  // more, reading is given up: ErrorKind::budget.
  int64_t memory_limit = 0;
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
