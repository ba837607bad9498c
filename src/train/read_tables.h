// The first half of preparing data: files to parsed columns, with everything that is wrong in them
// counted and named.
#pragma once

#include <memory>

#include "train/dataset.h"
#include "train/split_rows.h"

namespace shoestring::train {

// What was read from one or several files, in order.
struct Tables {
  RawColumns columns;
  std::vector<std::unique_ptr<data::TableReader>> readers;  // kept to tell lines
  std::vector<int64_t> first_rows;                          // of each file's rows
  RowSplit split;
  std::vector<SourceFile> files;

  int64_t rows() const { return columns.rows(); }
  std::string place(int64_t row) const;  // "data.csv:17"
};

// `with_split`: reads the column that the recipe splits by, too.
Result<Tables> read_tables(const DataFiles& files, const task::Recipe& recipe, bool with_split,
                           const PrepareOptions& options);

// As data::open_table; its next() fails with ErrorKind::interrupted once `stop` (may be null) is set.
Result<std::unique_ptr<data::TableReader>> open_table(const std::string& path,
                                                      const data::ReadOptions& options,
                                                      const std::atomic<bool>* stop);

// Reads each file once more for its CRC-32, about 60 ms for 100 MB. Pipes and stdin have none.
Status add_checksums(std::vector<SourceFile>& files);

}  // namespace shoestring::train
