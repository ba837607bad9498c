// A run's table, read into memory where it fits there, else into a file of encoded rows.
#pragma once

#include "train/job.h"
#include "train/saved_model.h"
#include "train/train.h"

namespace shoestring::train {

// Reads all rows into memory as long as the process holds no more than `limit` bytes (0: no limit), and into
// a file where they do not fit, or where the recipe's in_memory says so. The choice stands in the data's
// recipe. As prepare(); ErrorKind::budget where neither can be.
Result<Dataset> read_rows(const Job& job, const SavedModel* start_from, const TrainRequest& request,
                          int64_t limit, const LogSink& log);

// Whether rows that fitted in memory may be read again, into a file, to make room.
bool may_stream(const Job& job);

// What the window on the rows takes at most: more of them at once do not make better batches.
inline constexpr int64_t kMostWindowBytes = 64 << 20;

}  // namespace shoestring::train
