// What a careful colleague would point at in the data, each with what it is seen by and what helps.
#pragma once

#include <vector>

#include "report/columns.h"
#include "report/facts.h"

namespace shoestring::report {

// `held_out`: the name of the split that was compared with the training rows.
std::vector<Finding> data_findings(const train::Dataset& data, const std::vector<ColumnFacts>& columns,
                                   const Duplicates& duplicates, const std::string& held_out);

// Of rows that are only measured, against what the model knows of its training rows.
std::vector<Finding> measured_findings(const train::Dataset& data, const std::vector<ColumnFacts>& columns,
                                       const std::string& rows_name);

// The most severe first; equals keep their order.
void sort_by_severity(std::vector<Finding>& findings);

}  // namespace shoestring::report
