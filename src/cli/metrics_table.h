// Metrics for people.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "train/evaluate.h"

namespace shoestring::cli {

// A row for each output and metric, a column for each set of rows that was measured.
using NamedMetrics = std::pair<std::string, const train::Metrics*>;
std::string metrics_table(const std::vector<NamedMetrics>& sets);

}  // namespace shoestring::cli
