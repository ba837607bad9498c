// What the planner may change so that a training fits a memory: each change with its price, in the order of
// what it costs, and never in silence. A change is an edit of the recipe, so the resolved recipe shows it and
// reproduces the run.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "budget/ledger.h"
#include "task/recipe.h"

namespace shoestring::budget {

struct Change {
  std::string kind;   // one word; of a kind there is one choice, however often it was taken
  std::string key;    // what it sets: "trainer.optimizer: adamw_8bit"
  std::string price;  // what that costs
  task::Recipe recipe;
};

// A recipe as somebody wrote it, and with the sizes that were chosen where it says auto (task/auto_values.h).
// What is written is left as it is: only what changes no result beyond noise, and what is auto, is the
// planner's.
struct Asked {
  task::Recipe written, recipe;
  int64_t training_rows = 0;
};

// What train takes at its peak with this recipe.
using Measure = std::function<Result<int64_t>(const task::Recipe&)>;

// A recipe that may stand in the place of one that was made by us, where that does not fit.
struct Smaller {
  task::Recipe recipe;
  std::string what;  // "2 members of 128 outputs"
};

struct Fitting {
  Asked asked;                  // asked.recipe is what fits
  std::vector<Choice> choices;  // none where it fitted as it was
  int64_t total_bytes = 0;      // more than the limit where nothing helps
};

// Changes one thing after the other until it fits; where all of that is not enough, the same with each of
// `smaller` in turn, the largest first.
Result<Fitting> fit(Asked asked, int64_t limit_bytes, const Measure& measure,
                    std::span<const Smaller> smaller = {});

inline constexpr size_t kMostWays = 3;  // that are told
// The cheapest `most` changes that save something, each alone, and what they give of `total_bytes`.
Result<std::vector<WayOut>> ways_out(const Asked& asked, int64_t total_bytes,
                                     std::optional<int64_t> limit_bytes, const Measure& measure,
                                     size_t most = kMostWays);

}  // namespace shoestring::budget
