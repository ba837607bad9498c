// The recipe of a request that brings none: made by looking at the table, and sized by time.
#pragma once

#include "train/train.h"

namespace shoestring::train {

// The request's recipe, or one for its targets whose epochs are yet to be chosen. Fails as infer_recipe()
// does, and with ErrorKind::usage where there is neither or the table can be read only once.
Result<task::Recipe> recipe_for(const TrainRequest& request, const LogSink& log);

// The epochs of a recipe that was made here: as many as fit its time, by a rehearsal of a few steps. The
// number is to be written down, so that the recipe makes the same run again on any machine.
Result<int64_t> choose_epochs(const Dataset& data, const CompileOptions& options, uint64_t seed,
                              const LogSink& log);

// What plans are compiled with: for this machine, until the request is to stop.
CompileOptions compile_options(const TrainRequest& request);

}  // namespace shoestring::train
