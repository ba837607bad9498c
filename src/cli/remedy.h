// train --remedy: after the training, what may help a model that overfits or whose classes are unbalanced.
#pragma once

#include "cli/console.h"
#include "report/report.h"
#include "train/remedy.h"

namespace shoestring::cli {

// As train: says how the training ended and what came of each remedy; returns the exit code.
int train_with_remedies(train::TrainRequest request, double share, report::Level level, Console& console);

// "0.3": above 0 and below 1. ErrorKind::usage.
Result<double> read_share(const std::string& text);

}  // namespace shoestring::cli
