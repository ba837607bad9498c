// The recipe of a request that brings none: made by looking at the table, and sized by time.
#pragma once

#include <functional>

#include "budget/fitting.h"
#include "train/dataset.h"
#include "train/train.h"

namespace shoestring::train {

// What may be spent: the recipe's budget, with the request's laid over it.
Result<task::Budget> budget_of(const TrainRequest& request);

struct RecipeOf {
  task::Recipe recipe;
  std::vector<budget::Smaller> smaller;  // of one that was made: what may stand in its place
  // And the same for another time, the table not being looked at again.
  std::function<Result<RecipeOf>(double seconds)> for_seconds = {};
};
// The request's recipe, or one for its targets with epochs auto. Fails as infer_recipe()
// does, and with ErrorKind::usage where there is neither or the table can be read only once.
Result<RecipeOf> recipe_for(const TrainRequest& request, const LogSink& log);

// Sets the sizes that are auto in the data's recipe, by the data and by what the time allows, and notes it in
// the recipe.
std::vector<budget::Choice> choose_sizes(Dataset& data, const Site& site = {});
// The same for what of the trainer is auto (task/auto_values.h), once the memory has been fitted.
std::vector<budget::Choice> choose_training(task::Recipe& recipe, int64_t training_rows);

// What epochs auto are without a limit: as many as fit kUsualSeconds, by a rehearsal. The number is to be
// written down, so that the recipe makes the same run again on any machine.
int64_t choose_epochs(const Horizon& horizon, int64_t evaluated_rows, const budget::Rates& rates,
                      const LogSink& log);
// The same for a recipe that several runs are to follow, of which this data is the first's.
Result<int64_t> choose_epochs(const Dataset& data, const CompileOptions& options, uint64_t seed,
                              const LogSink& log);

// How long a rehearsal may take where so much time is left for training.
double rehearsal_seconds(double left);

// What plans are compiled with: for this machine, until the request is to stop.
CompileOptions compile_options(const TrainRequest& request);

}  // namespace shoestring::train
