// Ways to need less of what binds a run, each taken alone, the cheapest first: for plan, which tells them.
#pragma once

#include "train/set_up.h"

namespace shoestring::train {

// Fills run.ledger.ways_out for run.ledger.binds, three at most. Of memory each is compiled and measured; of
// time and money each is compiled and told by the formula, as much off as `time` says that it is for this
// run. To be called when all else is known: the memory of the plans is given back, and run.job.recipe is as
// it was but no longer compiled.
Status find_ways_out(Run& run, const TrainRequest& request, const RunTime& time);

}  // namespace shoestring::train
