// What a run begins with: the request, completed by what an earlier start of the same run wrote down.
#pragma once

#include <optional>
#include <string>

#include "train/made_recipe.h"
#include "train/run_files.h"
#include "train/run_folder.h"

namespace shoestring::train {

struct Job {
  std::optional<RunFolder> folder;  // of a new run it is made once everything else is known to be sound
  DataFiles data;
  task::Recipe recipe;
  std::vector<budget::Smaller> smaller;  // of a recipe that was made: what may stand in its place
  std::function<Result<RecipeOf>(double seconds)> for_seconds;  // and the same for another time
  std::string load;                                             // the model to start from
  uint64_t seed = 42;
  task::SplitName eval_split = task::SplitName::test;
  bool resumed = false;
  std::optional<Description> before;
};

Result<Job> new_job(const TrainRequest& request, const LogSink& log);

// Goes on with a run. What it wrote down stands; what is given again has to agree. A run that was ended
// before it wrote anything down starts afresh from what is given.
Result<Job> resumed_job(RunFolder folder, const TrainRequest& request, const LogSink& log);

}  // namespace shoestring::train
