// How much each column matters to the model: what the loss becomes once the column's values are shuffled
// among the rows (permutation importance; Breiman 2001). A column that says what others say too shows less
// than it would alone.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "report/sample.h"

namespace shoestring::report {

struct Importance {
  std::string column;
  double more_loss = 0;  // than without shuffling, the mean over some shuffles
  double deviation = 0;  // over the shuffles
};

// The most important first; `rows` of the sample were asked. `evaluation` is a plan over the model's states.
// Where `seconds_left` says that there is no time for one more, of the first columns.
struct Importances {
  int64_t rows = 0;
  std::vector<Importance> columns;
};
Importances importances(const train::Dataset& data, const DataSample& sample, task::SplitName split,
                        train::Runner& evaluation, const std::function<double()>& seconds_left);

}  // namespace shoestring::report
