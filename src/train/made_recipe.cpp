#include "train/made_recipe.h"

#include <algorithm>
#include <cmath>

#include "base/atomic_file.h"
#include "base/clock.h"
#include "base/text.h"
#include "budget/machine_profile.h"
#include "train/infer.h"

namespace shoestring::train {
namespace {

Status lay_over(const TrainRequest& request, task::Budget& budget) {
  if (request.budget.empty()) return {};
  auto said = task::parse_budget(request.budget, budget);
  if (!said) return fail(said.error());
  budget = *said;
  return {};
}

}  // namespace

Result<task::Recipe> recipe_for(const TrainRequest& request, const LogSink& log) {
  if (request.recipe) {
    task::Recipe recipe = *request.recipe;
    if (auto ok = lay_over(request, recipe.budget); !ok) return fail(ok.error());
    return recipe;
  }
  if (request.targets.empty())
    return fail(ErrorKind::usage, "there is neither a recipe nor a target", {},
                "give --config FILE, or --target COLUMN to have one made");
  const std::string& table = request.data.dataset.empty() ? request.data.training_set : request.data.dataset;
  if (table == "-" || is_stream(table))
    return fail(ErrorKind::usage,
                fmt::format("a recipe cannot be made from {}, which can be read only once",
                            table == "-" ? "stdin" : table),
                {}, "give a file, or a recipe with --config");
  task::Budget budget;
  if (auto ok = lay_over(request, budget); !ok) return fail(ok.error());
  auto inferred = infer_recipe(table, request.data.format, request.targets,
                               budget.time_seconds.value_or(kUsualSeconds), request.stop);
  if (!inferred) return fail(inferred.error());
  if (log)
    for (const auto& note : inferred->notes) log(LogLevel::note, note);
  inferred->recipe.budget = budget;
  return std::move(inferred->recipe);
}

CompileOptions compile_options(const TrainRequest& request) {
  const Target target = native_target();
  return {.target = target,
          .machine = budget::load_or_built_in(target).profile,
          .stopped = [stop = request.stop] { return stop && stop->load(std::memory_order_relaxed); }};
}

Result<int64_t> choose_epochs(const Dataset& data, const CompileOptions& options, uint64_t seed,
                              const LogSink& log) {
  const task::Recipe& recipe = data.spec.recipe;
  const double seconds = recipe.budget.time_seconds.value_or(kUsualSeconds);
  const auto rows = static_cast<int64_t>(data.training.size());
  task::BatchSizes batch = task::batch_sizes(recipe.trainer, rows);
  batch.batch = std::min(batch.batch, rows);
  const auto validation = static_cast<int64_t>(data.validation.size());
  const PlanRequest requests[] = {
      {PlanKind::update, batch.batch},
      {PlanKind::evaluate, std::min(batch.eval, std::max<int64_t>(validation, 1))}};
  auto engine = Engine::create(data.spec, requests, options);
  if (!engine) return fail(engine.error());
  if (auto ok = engine->initialize(seed, options); !ok) return fail(ok.error());
  const SteadyClock clock;
  const auto seconds_of = [&](Runner& runner) {
    data.gather(std::span(data.training).first(static_cast<size_t>(std::min(rows, runner.rows()))),
                runner.rows(), runner.ports());
    if (runner.ports().learning_rate) *runner.ports().learning_rate = 0;
    runner.run({.seed = seed});
    std::vector<double> times;
    const double begun = clock.seconds();
    while (times.size() < 5 || (times.size() < 64 && clock.seconds() - begun < 0.02 * seconds)) {
      const double start = clock.seconds();
      runner.run({.seed = seed});
      times.push_back(clock.seconds() - start);
    }
    std::sort(times.begin(), times.end());
    return times[times.size() / 2];
  };
  Runner &step = *engine->runners()[0], &look = *engine->runners()[1];
  const double steps = std::ceil(static_cast<double>(rows) / static_cast<double>(batch.batch));
  const double looks = std::ceil(static_cast<double>(validation) / static_cast<double>(look.rows()));
  const double epoch = steps * seconds_of(step) + looks * seconds_of(look);
  constexpr double kShare = 0.85;  // the rest is for what a rehearsal does not see
  const auto epochs =
      std::clamp<int64_t>(static_cast<int64_t>(kShare * seconds / epoch), 1, recipe.trainer.epochs);
  if (log)
    log(LogLevel::note,
        fmt::format("{}, as many as fit {}{}", count_of(epochs, "epoch"), human_seconds(seconds),
                    recipe.budget.time_seconds ? "" : "; --budget time=60s gives it longer"));
  return epochs;
}

}  // namespace shoestring::train
