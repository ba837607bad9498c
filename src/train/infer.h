// A recipe from a table and the names of its targets: types by looking, IDs, leaks and unsupported
// kinds left out with the reason.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "budget/fitting.h"
#include "task/recipe.h"

namespace shoestring::train {

struct InferredRecipe {
  task::Recipe recipe;
  std::vector<budget::Smaller>
      smaller;                     // what may stand in its place where memory is short, the largest first
  std::vector<std::string> notes;  // a line for each column that was left out, and why
  // The same for another time, without looking at the table again.
  std::function<Result<InferredRecipe>(double seconds)> for_seconds;
};

// How long a recipe that is made here trains where nobody says how long it may.
inline constexpr double kUsualSeconds = 10;

// About what this machine computes in so much time with networks for tables; a rehearsal measures it.
double flop_in(double seconds);

// What is predicted where nobody says: the label of a folder or an archive of pictures, else nothing.
std::vector<std::string> usual_targets(const std::string& table);

// Reads the table once; the network is one that may be trained in about so many seconds. `format` as
// --data_format has it, or "". Fails with ErrorKind::data where a target is no column, has no values, one
// value only, or is of a kind that cannot be predicted yet; ErrorKind::interrupted once `stop` is set.
// `memory_limit`: what the process may hold meanwhile, bytes; 0: no limit.
Result<InferredRecipe> infer_recipe(const std::string& path, const std::string& format,
                                    const std::vector<std::string>& targets, double seconds = kUsualSeconds,
                                    const std::atomic<bool>* stop = nullptr, int64_t memory_limit = 0);

}  // namespace shoestring::train
