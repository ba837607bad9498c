// Which of the recipes that were made for a table is compiled first where memory is short. Compiling a large
// one brings in libraries and code that stay in the process, and then not even a small one fits any more.
#pragma once

#include "train/dataset.h"
#include "train/job.h"

namespace shoestring::train {

// Where the job's recipe was made and is far from fitting `limit_bytes`, by a guess from its graph: takes the
// largest of job.smaller that is not, or else the last, in job and data, and says so.
std::optional<budget::Choice> take_small_enough(Job& job, Dataset& data, int64_t limit_bytes);

}  // namespace shoestring::train
