// The first half of preparing data: files to parsed columns, with everything that is wrong in them
// counted and named. All rows at once, or block by block.
#pragma once

#include <functional>
#include <memory>

#include "train/dataset.h"
#include "train/split_rows.h"

namespace shoestring::train {

// The files that rows came from, in order.
struct FilesRead {
  std::vector<std::unique_ptr<data::TableReader>> readers;  // kept to tell lines
  std::vector<int64_t> first_rows;                          // of each reader's rows
  std::vector<SourceFile> files;

  const std::string& path() const { return readers.front()->path(); }
  std::string place(int64_t row) const;  // "data.csv:17"
};

struct Tables {
  FilesRead read;
  RawColumns columns;
  RowSplit split;

  int64_t rows() const { return columns.rows(); }
};

// `with_split`: reads the column that the recipe splits by, too.
Result<Tables> read_tables(const DataFiles& files, const task::Recipe& recipe, bool with_split,
                           const PrepareOptions& options);

// How much is read at a time.
struct BlockSizes {
  int64_t text_bytes = 1 << 20;  // of a batch; a row has to fit in it
  int64_t batches = 4;           // of a block
};
// Some rows of the tables. The columns may be used up; a row's split is kUnused where it is not told by the
// row itself (RowSplit::by_row).
struct RowBlock {
  RawColumns& columns;
  int64_t first_row = 0;  // among those of all files
  std::vector<uint8_t> splits;
};
// Reads all rows in order, holding one block and the text of the next. `recipe` gets the split that goes by
// rows alone where it has a random one. `take` may fail, which ends the reading. Bad cells are told and
// judged as in read_tables, at the end of each file.
Result<FilesRead> read_blocks(const DataFiles& files, task::Recipe& recipe, const BlockSizes& sizes,
                              const PrepareOptions& options, const std::function<Status(RowBlock&)>& take);

// As data::open_table; its next() fails with ErrorKind::interrupted once `stop` (may be null) is set.
Result<std::unique_ptr<data::TableReader>> open_table(const std::string& path,
                                                      const data::ReadOptions& options,
                                                      const std::atomic<bool>* stop);

// Reads each file once more for its CRC-32, about 60 ms for 100 MB. Pipes and stdin have none.
Status add_checksums(std::vector<SourceFile>& files);

}  // namespace shoestring::train
