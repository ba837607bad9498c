// experiment --k_fold: the runs, and the table over all of them.
#pragma once

#include "cli/console.h"
#include "report/report.h"
#include "train/cross_validate.h"

namespace shoestring::cli {

// Returns the exit code.
int cross_validate(train::TrainRequest request, int64_t folds, report::Level level, Console& console);

}  // namespace shoestring::cli
