// One report over the folds of a cross-validation, made of the reports that the folds left: their metrics
// with mean and spread, and the quality of the answers to all rows, each by the model that was not trained on
// it.
#pragma once

#include <functional>
#include <string>

#include "report/facts.h"
#include "train/cross_validate.h"

namespace shoestring::report {

// RUN/report.json and RUN/report.html; returns the page's path. Folds without a report, as they had no time
// for one, are not in the pooled answers, which say of how many folds they are.
Result<std::string> write_folds(const train::CrossValidation& result);

// The same as values. `report_of`: report.json of a fold, from 0 on, asked for one after the other; "" where
// there is none.
Facts facts_of_folds(const train::CrossValidation& result,
                     const std::function<std::string(int64_t fold)>& report_of);

}  // namespace shoestring::report
