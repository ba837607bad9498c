// How much each column matters to the model: what the loss becomes once the column's values are shuffled
// among the rows (permutation importance; Breiman 2001). A column that says what others say too shows less
// than it would alone.
#pragma once

#include <string>
#include <vector>

#include "report/sample.h"

namespace shoestring::report {

struct Importance {
  std::string column;
  double more_loss = 0;  // than without shuffling, the mean over some shuffles
  double deviation = 0;  // over the shuffles
};

// The most important first. `evaluation` is a plan over the model's states; the rows are those of the sample.
std::vector<Importance> importances(const train::Dataset& data, const DataSample& sample,
                                    task::SplitName split, train::Runner& evaluation);

}  // namespace shoestring::report
