#include "train/job.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "base/atomic_file.h"
#include "base/parallel.h"
#include "task/auto_values.h"
#include "train/made_recipe.h"

namespace shoestring::train {

namespace {

// Before the first thread is made.
void take_cores(const task::Budget& budget) {
  if (budget.cores) set_thread_count(static_cast<int>(std::min<int64_t>(*budget.cores, available_cores())));
}

}  // namespace

Result<Job> new_job(const TrainRequest& request, const LogSink& log) {
  if (!request.data.given())
    return fail(ErrorKind::usage, "there is no data", {}, "give a table with --dataset FILE");
  if (const auto budget = budget_of(request)) take_cores(*budget);  // before the table is looked at
  auto recipe = recipe_for(request, log);
  if (!recipe) return fail(recipe.error());
  if (auto ok = can_pay(recipe->recipe.budget, request.site); !ok) return fail(ok.error());
  return Job{.data = request.data,
             .recipe = std::move(recipe->recipe),
             .smaller = std::move(recipe->smaller),
             .for_seconds = std::move(recipe->for_seconds),
             .load = request.load,
             .seed = request.seed.value_or(42),
             .eval_split = request.eval_split.value_or(task::SplitName::test)};
}

Result<Job> resumed_job(RunFolder folder, const TrainRequest& request, const LogSink& log) {
  Job job{.folder = std::move(folder),
          .data = request.data,
          .load = request.load,
          .seed = request.seed.value_or(42),
          .eval_split = request.eval_split.value_or(task::SplitName::test),
          .resumed = true};
  if (file_exists(job.folder->fold(1)))
    return fail(ErrorKind::usage, "this run is a cross-validation", job.folder->path(),
                "go on with experiment --k_fold and the number of its folds");
  if (!file_exists(job.folder->description()) || !file_exists(job.folder->recipe())) {
    if (!request.data.given() || (!request.recipe && request.targets.empty()))
      return fail(ErrorKind::data, "the run ended before it wrote down what it is", job.folder->path(),
                  "give --config and --dataset again");
    auto recipe = recipe_for(request, log);
    if (!recipe) return fail(recipe.error());
    job.recipe = std::move(recipe->recipe);
    job.smaller = std::move(recipe->smaller);
    return job;
  }
  auto before = read_description(job.folder->description());
  if (!before) return fail(before.error());
  auto recipe = task::read_document(job.folder->recipe()).and_then([](const task::Document& d) {
    return task::parse_recipe(d);
  });
  if (!recipe) return fail(recipe.error());
  if (request.recipe && !task::may_resolve_to(*request.recipe, *recipe))
    return fail(ErrorKind::usage, "the recipe is not the one that the run began with", job.folder->recipe(),
                "leave --config out to go on with it, or train anew");
  std::vector<std::string> targets = request.targets, outputs;
  for (const auto& output : recipe->outputs) outputs.push_back(output.column);
  std::ranges::sort(targets), std::ranges::sort(outputs);
  if (!targets.empty() && targets != outputs)
    return fail(
        ErrorKind::usage,
        fmt::format("the run predicts {}, not {}", fmt::join(outputs, ", "), fmt::join(targets, ", ")),
        job.folder->recipe(), "leave --target out to go on with it, or train anew");
  if (request.seed && *request.seed != before->seed)
    return fail(ErrorKind::usage,
                fmt::format("the run's random seed is {}, not {}", before->seed, *request.seed),
                job.folder->path(), "leave --random_seed out to go on with it, or train anew");
  if (!request.budget.empty()) {
    const auto budget = task::parse_budget(request.budget, recipe->budget);
    if (!budget) return fail(budget.error());
    if (*budget != recipe->budget)
      return fail(ErrorKind::usage, "the run goes on with the budget it began with", job.folder->recipe(),
                  "leave --budget out to go on with it, or train anew");
  }
  take_cores(recipe->budget);
  if (!request.data.given()) job.data = before->data;
  job.recipe = std::move(*recipe);
  job.seed = before->seed;
  if (!request.eval_split) job.eval_split = before->eval_split;
  if (job.load.empty()) job.load = before->load;  // else it has to be the same, as the data
  job.before = std::move(*before);
  return job;
}

}  // namespace shoestring::train
