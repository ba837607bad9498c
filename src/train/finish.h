// The end of a run: its best model measured, saved and described.
#pragma once

#include <string>

#include "train/set_up.h"

namespace shoestring::train {

// The model file. `held_out`: its metrics where they are known, and what they are of.
Status save_best(Run& run, const Metrics* held_out, std::string name);

// Everything that a finished run leaves: the model first, so that a full disk takes what can be made again.
Status finish(Run& run, Evaluator& evaluator, const TrainRequest& request, const Position& position,
              RunTime& time, const LogSink& log, TrainOutcome& outcome);

}  // namespace shoestring::train
