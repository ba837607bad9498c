#include "train/made_recipe.h"

#include <algorithm>

#include "base/atomic_file.h"
#include "base/text.h"
#include "budget/machine_profile.h"
#include "task/auto_values.h"
#include "train/infer.h"
#include "train/planning.h"

namespace shoestring::train {
Result<task::Budget> budget_of(const TrainRequest& request) {
  const task::Budget budget = request.recipe ? request.recipe->budget : task::Budget();
  return request.budget.empty() ? budget : task::parse_budget(request.budget, budget);
}

Result<RecipeOf> recipe_for(const TrainRequest& request, const LogSink& log) {
  const auto budget = budget_of(request);
  if (!budget) return fail(budget.error());
  if (request.recipe) {
    task::Recipe recipe = *request.recipe;
    recipe.budget = *budget;
    return RecipeOf{.recipe = std::move(recipe), .smaller = {}};
  }
  const std::string& table = request.data.dataset.empty() ? request.data.training_set : request.data.dataset;
  const std::vector<std::string> targets = request.targets.empty() ? usual_targets(table) : request.targets;
  if (targets.empty())
    return fail(ErrorKind::usage, "there is neither a recipe nor a target", {},
                "give --config FILE, or --target COLUMN to have one made");
  if (table == "-" || is_stream(table))
    return fail(ErrorKind::usage,
                fmt::format("a recipe cannot be made from {}, which can be read only once",
                            table == "-" ? "stdin" : table),
                {}, "give a file, or a recipe with --config");
  auto inferred = infer_recipe(table, request.data.format, targets,
                               time_limit(*budget, request.site).value_or(kUsualSeconds), request.stop,
                               memory_limit(*budget, {}).value_or(0));
  if (!inferred) return fail(inferred.error());
  if (log)
    for (const auto& note : inferred->notes) log(LogLevel::note, note);
  const auto complete = [budget = *budget](InferredRecipe made) {
    const auto of_job = [&](task::Recipe& recipe) {
      recipe.budget = budget;
      recipe.trainer.epochs = {};
    };
    of_job(made.recipe);
    for (budget::Smaller& smaller : made.smaller) of_job(smaller.recipe);
    return RecipeOf{.recipe = std::move(made.recipe), .smaller = std::move(made.smaller)};
  };
  auto again = [complete, made = inferred->for_seconds](double seconds) -> Result<RecipeOf> {
    auto other = made(seconds);
    if (!other) return fail(other.error());
    return complete(std::move(*other));
  };
  RecipeOf out = complete(std::move(*inferred));
  out.for_seconds = std::move(again);
  return out;
}

namespace {

std::vector<budget::Choice> noted(const std::vector<task::AutoChoice>& chosen, task::Recipe& recipe) {
  std::vector<budget::Choice> choices;
  for (const task::AutoChoice& one : chosen) {
    choices.push_back({.kind = "auto", .change = fmt::format("{}: {}, {}", one.key, one.value, one.why)});
    recipe.notes.lines.push_back("auto: " + choices.back().change);
  }
  return choices;
}

}  // namespace

std::vector<budget::Choice> choose_training(task::Recipe& recipe, int64_t training_rows) {
  const auto chosen = task::choose_training(recipe, training_rows);
  return noted(chosen, recipe);
}

std::vector<budget::Choice> choose_sizes(Dataset& data, const Site& site) {
  task::Recipe& recipe = data.spec.recipe;
  const bool open = recipe.trainer.open_ended();
  const double seconds = time_limit(recipe.budget, site).value_or(open ? kUsualSeconds : 0);
  const auto chosen = task::choose_sizes(data.spec, data.count(task::SplitName::training), flop_in(seconds));
  return noted(chosen, recipe);
}

CompileOptions compile_options(const TrainRequest& request) {
  const Target target = target_of(request.site, budget_of(request).value_or(task::Budget()));
  return {
      .target = target,
      .machine = request.site.elsewhere ? request.site.elsewhere : budget::load_or_built_in(target).profile,
      .stopped = [stop = request.stop] { return stop && stop->load(std::memory_order_relaxed); }};
}

double rehearsal_seconds(double left) { return std::clamp(0.02 * left, 0.01, 1.0); }

int64_t choose_epochs(const Horizon& h, int64_t evaluated_rows, const budget::Rates& rates,
                      const LogSink& log) {
  constexpr double kShare = 0.85;  // the rest is for what a rehearsal does not see
  const double epoch = static_cast<double>(h.steps_per_epoch) * rates.step.typical() +
                       static_cast<double>(evaluated_rows) * rates.row.typical();
  const auto epochs = static_cast<int64_t>(std::clamp(kShare * kUsualSeconds / std::max(epoch, 1e-9), 1.0,
                                                      static_cast<double>(task::kMostAutoEpochs)));
  if (log)
    log(LogLevel::note, fmt::format("{}, as many as fit {}; --budget time=60s gives it longer",
                                    count_of(epochs, "epoch"), human_seconds(kUsualSeconds)));
  return epochs;
}

Result<int64_t> choose_epochs(const Dataset& data, const CompileOptions& options, uint64_t seed,
                              const LogSink& log) {
  const task::Trainer& trainer = data.spec.recipe.trainer;
  const auto rows = data.count(task::SplitName::training);
  task::BatchSizes batch = task::batch_sizes(trainer, rows);
  batch.batch = std::min(batch.batch, rows);
  task::NetworkSpec spec = data.spec;
  spec.accumulates = batch.accumulation > 1;
  const int64_t validation = data.count(task::SplitName::validation),
                evaluated = validation ? validation : rows;
  auto engine = Engine::create(std::move(spec), plans_for(batch, rows, evaluated), options);
  if (!engine) return fail(engine.error());
  if (auto ok = engine->initialize(seed, options); !ok) return fail(ok.error());
  auto best = BestModel::create(*engine);
  if (!best) return fail(best.error());
  const Horizon h = horizon(trainer, rows, batch.batch * batch.accumulation);
  const auto evaluation = std::ranges::find_if(
      engine->runners(), [](const auto& runner) { return runner->request().kind == PlanKind::evaluate; });
  Evaluator evaluator(**evaluation, data);
  budget::Rates rates;
  Loop(*engine, data, evaluator, *best, {trainer, batch, h, seed}, {})
      .rehearse(rates, rehearsal_seconds(kUsualSeconds));
  return choose_epochs(h, validation, rates, log);
}

}  // namespace shoestring::train
