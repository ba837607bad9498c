#include "train/cross_validate.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/atomic_file.h"
#include "base/clock.h"
#include "base/text.h"
#include "task/auto_values.h"
#include "task/metric_table.h"
#include "train/made_recipe.h"
#include "train/read_tables.h"
#include "train/run_files.h"
#include "train/run_folder.h"

namespace shoestring::train {
namespace {

using Json = nlohmann::ordered_json;

Status check(const TrainRequest& request, int64_t folds) {
  if (folds < 2 || folds > 1000)
    return fail(ErrorKind::usage,
                fmt::format("{} {} no cross-validation", count_of(folds, "fold"), folds == 1 ? "is" : "are"),
                "--k_fold", "give a number from 2 to 1000, as 5");
  const std::string& table = request.data.dataset;
  if (table.empty())
    return fail(ErrorKind::usage, "the folds are made from one table", "--k_fold", "give it with --dataset");
  if (table == "-" || is_stream(table))
    return fail(ErrorKind::usage,
                fmt::format("{} is read once, but each fold needs the table", table == "-" ? "stdin" : table),
                "--k_fold", "give a file");
  return {};
}

// Folds are dealt at random: a recipe that says otherwise is not overruled in silence.
Status check_split(const task::Recipe& recipe) {
  const auto& split = recipe.preprocessing.split;
  const char* type = !split                                                ? nullptr
                     : std::holds_alternative<task::FixedSplit>(*split)    ? "fixed"
                     : std::holds_alternative<task::DatetimeSplit>(*split) ? "datetime"
                     : std::holds_alternative<task::HashSplit>(*split)     ? "hash"
                                                                           : nullptr;
  if (!type) return {};
  return fail(
      ErrorKind::usage,
      fmt::format("preprocessing.split of the recipe is {}, which says already which rows train", type),
      "--k_fold", "leave the split out, or give one that is random, stratify, group or fold");
}

// What all folds are trained with: a recipe that is complete, the fold aside.
struct Plan {
  RunFolder folder;
  TrainRequest request;  // its recipe is that of the first fold
};

// A column that says which row trains would be passed over.
Status check_columns(const TrainRequest& request, const task::Recipe& recipe) {
  if (recipe.preprocessing.split) return {};
  data::ReadOptions options;
  if (auto ok = data::set_data_format(request.data.format, options); !ok) return ok;
  const auto table = open_table(request.data.dataset, options, request.stop);
  if (!table) return fail(table.error());
  if ((*table)->index_of("split") < 0) return {};
  return fail(
      ErrorKind::usage, "the table's column 'split' says already which rows train",
      fmt::format("--k_fold, {}", (*table)->path()),
      "leave --k_fold out, or write {type: random} as preprocessing.split to have folds nevertheless");
}

// All that can be wrong is found before a folder is made.
Result<Plan> new_plan(TrainRequest request, int64_t folds, const LogSink& log) {
  if (auto ok = check(request, folds); !ok) return fail(ok.error());
  auto made = recipe_for(request, log);
  if (!made) return fail(made.error());
  task::Recipe* const recipe = &made->recipe;
  if (auto ok = check_split(*recipe).and_then([&] { return check_columns(request, *recipe); }); !ok)
    return fail(ok.error());
  *recipe = fold_recipe(std::move(*recipe), 1, folds);
  const uint64_t seed = request.seed.value_or(42);
  auto data = prepare(request.data, *recipe, {.seed = seed, .log = log, .stop = request.stop});
  if (!data) return fail(data.error());
  for (const budget::Choice& choice : choose_sizes(*data))  // once, so that all folds are of one recipe
    if (log) log(LogLevel::note, "auto: " + choice.change);
  *recipe = data->spec.recipe;
  const bool open = recipe->trainer.open_ended();
  if (open && !recipe->budget.time_seconds) {  // sized once, so that all folds are of one recipe
    auto epochs = choose_epochs(*data, compile_options(request), seed, log);
    if (!epochs) return fail(epochs.error());
    recipe->trainer.epochs.value = *epochs;
    if (log) log(LogLevel::note, "the time is that of each fold");
  }
  auto folder = RunFolder::create(request.output_directory, request.experiment, request.model);
  if (!folder) return fail(folder.error());
  if (auto ok = write_file(folder->recipe(), task::render(*recipe)); !ok) return fail(ok.error());
  request.recipe = std::move(*recipe);
  return Plan{std::move(*folder), std::move(request)};
}

// What is given again has to agree with the recipe that the folds were made with.
Status same_recipe(const TrainRequest& request, const task::Recipe& before, int64_t folds,
                   const std::string& where) {
  const auto* split =
      before.preprocessing.split ? std::get_if<task::FoldSplit>(&*before.preprocessing.split) : nullptr;
  if (!split)
    return fail(ErrorKind::usage, "this run is no cross-validation", where,
                "leave --k_fold out to go on with it, or --model_resume_path to begin one");
  const std::string fix = "give the same again, or leave --model_resume_path out to begin anew";
  if (split->folds != folds)
    return fail(ErrorKind::usage, fmt::format("the folds there are {}, not {}", split->folds, folds), where,
                fix);
  if (request.recipe) {
    auto recipe = recipe_for(request, {});
    if (auto ok = check_split(recipe->recipe); !ok) return ok;
    if (!task::may_resolve_to(fold_recipe(std::move(recipe->recipe), 1, folds), before))
      return fail(ErrorKind::usage, "the folds there are of another recipe", where, fix);
  }
  std::vector<std::string> targets = request.targets, outputs;
  for (const auto& output : before.outputs) outputs.push_back(output.column);
  std::ranges::sort(targets), std::ranges::sort(outputs);
  if (!targets.empty() && targets != outputs)
    return fail(
        ErrorKind::usage,
        fmt::format("the folds there predict {}, not {}", fmt::join(outputs, ", "), fmt::join(targets, ", ")),
        where, fix);
  return {};
}

// Completes the request by what the first fold began with, which is to be that of every other fold.
Status follow_first(TrainRequest& request, const Description& first, const std::string& where) {
  if (!request.data.given()) request.data = first.data;
  if (request.load.empty()) request.load = first.load;
  const std::string fix = "leave it out to go on, or leave --model_resume_path out to begin anew";
  if (request.load != first.load)
    return fail(ErrorKind::usage, fmt::format("the folds there did not begin with {}", request.load), where,
                fix);
  if (request.seed.value_or(first.seed) != first.seed)
    return fail(ErrorKind::usage,
                fmt::format("the random seed of the folds there is {}, not {}", first.seed, *request.seed),
                where, fix);
  request.seed = first.seed;
  auto data = prepare(request.data, *request.recipe, {.seed = first.seed, .stop = request.stop});
  if (!data) return fail(data.error());
  if (auto ok = add_checksums(data->files); !ok) return ok;
  Description tables = first;
  if (!first.load.empty()) tables.files.pop_back();  // the model stands after the tables
  return same_files(tables, data->files);
}

Result<Plan> resumed_plan(TrainRequest request, int64_t folds) {
  auto folder = RunFolder::open(request.resume);
  if (!folder) return fail(folder.error());
  auto before = task::read_document(folder->recipe()).and_then([](const task::Document& d) {
    return task::parse_recipe(d);
  });
  if (!before) return fail(before.error());
  if (auto ok = same_recipe(request, *before, folds, folder->recipe()); !ok) return fail(ok.error());
  request.recipe = std::move(*before);
  const std::string description = folder->fold(1) + "/description.json";
  if (file_exists(description)) {
    auto first = read_description(description);
    if (!first) return fail(first.error());
    if (auto ok = follow_first(request, *first, description); !ok) return fail(ok.error());
  }
  if (auto ok = check(request, folds); !ok) return fail(ok.error());
  return Plan{std::move(*folder), std::move(request)};
}

Result<Json> read_statistics(const std::string& fold) {
  const std::string path = fold + "/test_statistics.json";
  const auto text = read_file(path);
  if (!text)
    return fail(ErrorKind::data, "the fold has no results: it tests on no row, or was not finished", path,
                "give fewer folds, or train anew");
  Json statistics = Json::parse(*text, nullptr, false);
  if (!statistics.is_object()) return fail(ErrorKind::data, "this is no JSON object", path, "train anew");
  return statistics;
}

std::vector<FoldMetric> over_the_folds(const std::vector<Json>& folds) {
  std::vector<FoldMetric> all;
  for (const auto& [output, metrics] : folds.front().items()) {
    if (!metrics.is_object() || (output == task::kCombined && folds.front().size() == 2)) continue;
    for (const auto& [name, first] : metrics.items()) {
      if (name == "rows_of_unknown_class" || first.is_array()) continue;  // labels and their confusion
      FoldMetric metric{.output = output, .name = name};
      for (const Json& fold : folds) {
        const auto at = fold.find(output);
        const bool has = at != fold.end() && at->is_object() && at->contains(name) && (*at)[name].is_number();
        metric.of_fold.push_back(has ? (*at)[name].get<double>() : std::nan(""));
      }
      const auto n = static_cast<double>(folds.size());
      for (const double value : metric.of_fold) metric.mean += value / n;
      for (const double value : metric.of_fold)
        metric.deviation += (value - metric.mean) * (value - metric.mean) / (n - 1);
      metric.deviation = std::sqrt(metric.deviation);
      all.push_back(std::move(metric));
    }
  }
  return all;
}

std::string statistics_text(const std::vector<Json>& folds, const std::vector<FoldMetric>& values) {
  const auto number = [](double value) { return std::isfinite(value) ? Json(value) : Json(); };
  Json out = Json::object();
  for (size_t i = 0; i < folds.size(); ++i) out[fmt::format("fold_{}", i + 1)] = {{"test", folds[i]}};
  Json& overall = out["overall"] = Json::object();
  for (const FoldMetric& metric : values) {
    overall[metric.output][metric.name + "_mean"] = number(metric.mean);
    overall[metric.output][metric.name + "_std"] = number(metric.deviation);
  }
  return out.dump(2) + "\n";
}

// The rows of each fold as JSON; "" of a fold that was finished before.
using Indices = std::vector<std::string>;

// Rows count from 0; those that balancing repeats stand there once.
std::string indices_of(const Dataset& data) {
  const auto list = [](std::vector<uint32_t> rows) {
    rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
    return fmt::format("[{}]", fmt::join(rows, ","));
  };
  return fmt::format(R"({{"training_indices":{},"validation_indices":{},"test_indices":{}}})",
                     list(data.training), list(data.validation), list(data.test));
}

Status write_indices(const RunFolder& folder, const TrainRequest& request, Indices& indices) {
  std::string text;
  for (size_t i = 0; i < indices.size(); ++i) {
    const auto fold = static_cast<int64_t>(i) + 1;
    if (indices[i].empty()) {
      const auto recipe = fold_recipe(*request.recipe, fold, static_cast<int64_t>(indices.size()));
      const auto data =
          prepare(request.data, recipe, {.seed = request.seed.value_or(42), .stop = request.stop});
      if (!data) return fail(data.error());
      indices[i] = indices_of(*data);
    }
    text += fmt::format("{}\n\"fold_{}\":{}", text.empty() ? "{" : ",", fold, indices[i]);
  }
  return write_file(folder.path() + "/kfold_split_indices.json", text + "\n}\n", false);
}

}  // namespace

task::Recipe fold_recipe(task::Recipe recipe, int64_t fold, int64_t folds) {
  task::FoldSplit split{.folds = folds, .fold = fold};
  task::Probabilities shares = task::kProbabilities;
  auto& before = recipe.preprocessing.split;
  if (before)
    std::visit(
        [&](const auto& one) {
          using Split = std::decay_t<decltype(one)>;
          if constexpr (requires { one.probabilities; }) shares = one.probabilities;
          if constexpr (std::is_same_v<Split, task::StratifySplit>) split.stratify = one.column;
          if constexpr (std::is_same_v<Split, task::GroupSplit>) split.group = one.column;
          if constexpr (std::is_same_v<Split, task::FoldSplit>) split = one;
        },
        *before);
  if (!before || !std::holds_alternative<task::FoldSplit>(*before)) {
    split.validation_share = shares[1] / (1 - shares[2]);
    const auto is_class = [](const task::OutputFeature& output) {
      return output.type() == task::FeatureType::binary || output.type() == task::FeatureType::category;
    };
    const auto output = std::ranges::find_if(recipe.outputs, is_class);
    if (!split.stratify && !split.group && output != recipe.outputs.end()) split.stratify = output->column;
  }
  split.fold = fold;
  split.folds = folds;
  before = split;
  return recipe;
}

Result<CrossValidation> cross_validate(const TrainRequest& request, int64_t folds, const TrainEvents& events,
                                       const std::function<void(int64_t, const TrainOutcome&)>& ended) {
  const SteadyClock clock;
  const double started = request.started.value_or(clock.seconds());
  auto plan = request.resume.empty() ? new_plan(request, folds, events.log) : resumed_plan(request, folds);
  if (!plan) return fail(plan.error());
  const RunFolder& folder = plan->folder;
  CrossValidation out{.folder = folder.path(), .folds = folds};
  TrainRequest one = plan->request;
  one.targets.clear();
  one.budget.clear();  // the recipe says it by now
  one.output_directory = folder.path();
  one.experiment = "fold";
  one.save_statistics = true;
  // What is left of the time is shared by the folds that are left; of a run that goes on, the finished ones
  // have had their shares.
  const auto limit = plan->request.recipe->budget.time_seconds;
  int64_t left = 0;
  for (int64_t fold = 1; fold <= folds; ++fold)
    left += !file_exists(folder.fold(fold) + "/test_statistics.json");
  const double end = started + limit.value_or(0) * static_cast<double>(left) / static_cast<double>(folds);
  std::vector<Json> statistics;
  Indices indices(static_cast<size_t>(folds));
  for (int64_t fold = 1; fold <= folds; ++fold) {
    const std::string path = folder.fold(fold);
    one.recipe = fold_recipe(*plan->request.recipe, fold, folds);
    one.model = std::to_string(fold);
    one.resume = file_exists(path) ? path : "";
    one.started = clock.seconds();
    if (limit && left > 0) {
      // The results over all folds, at the end; of a report each fold is read again.
      const double writing = 0.05 + 0.5 * request.witness.seconds * static_cast<double>(folds);
      one.ends = *one.started + (end - writing - *one.started) / static_cast<double>(left);
    }
    TrainEvents its_events = events;
    its_events.prepared = [&](const Dataset& data) {
      indices[static_cast<size_t>(fold) - 1] = indices_of(data);
      if (events.prepared) events.prepared(data);
    };
    auto outcome = train(one, its_events);
    out.interrupted =
        outcome ? outcome->ending == Ending::interrupted : outcome.error().kind == ErrorKind::interrupted;
    if (out.interrupted) return out;
    if (!outcome) return fail(outcome.error());
    left -= !outcome->already_finished;
    out.out_of_time = out.out_of_time || outcome->ending == Ending::out_of_time;
    if (outcome->ending == Ending::diverged)
      return fail(ErrorKind::stopped, "the numbers of this fold stopped being finite", path,
                  "lower learning_rate, set gradient_clipping, or look for extreme values in the data");
    if (ended) ended(fold, *outcome);
    auto found = read_statistics(path);
    if (!found) return fail(found.error());
    statistics.push_back(std::move(*found));
  }
  out.values = over_the_folds(statistics);
  if (auto ok = write_indices(folder, plan->request, indices); !ok) return fail(ok.error());
  if (auto ok = write_file(folder.path() + "/kfold_training_statistics.json",
                           statistics_text(statistics, out.values), false);
      !ok)
    return fail(ok.error());
  return out;
}

}  // namespace shoestring::train
