// Reading and typing a table on all cores.
#pragma once

#include "data/table.h"
#include "train/raw_columns.h"

namespace shoestring::train {

// Appends the batch's columns to `columns`, and reads the batch after it at the same time: the team's threads
// take these tasks as they come, and what comes out does not depend on who took which.
Result<std::optional<data::RecordBatch>> append_and_read(RawColumns& columns, const data::RecordBatch& batch,
                                                         const ColumnMap& map, data::TableReader& reader);

}  // namespace shoestring::train
