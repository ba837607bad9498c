// A first look at a table that may be too long to hold: how many rows train, validate and test, what they
// would take in memory, and preprocessing fitted on a sample of them. The table streams through; what is held
// is in StreamBuffers.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "train/dataset.h"
#include "train/read_tables.h"

namespace shoestring::train {

// A file as it was when it was read, to see that it stayed the same.
struct FileStamp {
  std::string path;
  int64_t bytes = 0, modified = 0, changed = 0, device = 0, inode = 0;  // times in nanoseconds
  bool operator==(const FileStamp&) const = default;
};
FileStamp stamp_of(const std::string& path);

struct Survey {
  int64_t rows = 0;                     // as read
  std::array<int64_t, 3> split_rows{};  // in the order of data::Split; of those that are not left out.
                                        // Where the whole table has to be seen to split it, by the shares
  int64_t raw_bytes = 0;                // of all cells typed in memory, at most
  int64_t encoded_bytes = 0;            // of all rows encoded in memory
  int64_t row_bytes = 0;                // of a row in a file of encoded ones
  int64_t sample_rows = 0;              // of the training rows, those that preprocessing was fitted on
};

// What is kept of a survey to encode the table by.
struct Surveyed {
  Survey found;
  task::Recipe recipe;  // its split is one that goes by rows alone
  task::Fits fits;
  std::vector<FileStamp> stamps;
};

// Whether training can keep the rows in a file. ErrorKind::budget says what asks for the whole table in
// memory, and the way out.
Status can_stream(const DataFiles& files, const task::Recipe& recipe);

// Fails as prepare() does where the table is at fault. options.log is told what is odd in it.
Result<Surveyed> survey(const DataFiles& files, task::Recipe recipe, const StreamBuffers& buffers,
                        const PrepareOptions& options);

}  // namespace shoestring::train
