// Reading and typing a table on all cores.
#pragma once

#include <vector>

#include "data/table.h"
#include "train/raw_columns.h"

namespace shoestring::train {

// Some batches of a table, none at its end. What stopped the reading, if something did, comes behind them.
struct Ahead {
  std::vector<data::RecordBatch> batches;
  bool more = true;  // may come: neither the end was seen nor an error
  Status status;
};

// Appends the columns of the batches in `now` to `columns`, and reads those after them at the same time: the
// team's threads take these tasks as they come, and what comes out does not depend on who took which. At most
// `most` batches, of a MiB or so, are read: with four threads seldom wait for each other.
Ahead append_and_read(RawColumns& columns, const Ahead& now, const ColumnMap& map, data::TableReader& reader,
                      size_t most = 4);

}  // namespace shoestring::train
