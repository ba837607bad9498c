// train: from a table to a model.
#include "train/train.h"

#include <algorithm>
#include <tuple>

#include "base/text.h"
#include "cli/console.h"
#include "cli/cross_validate.h"
#include "cli/inputs.h"
#include "cli/stop.h"
#include "cli/train_report.h"
#include "cli/verbs.h"

namespace shoestring::cli {
namespace {

struct Given {
  RecipeInput recipe;
  train::TrainRequest request;
  std::string output_directory, experiment, model, logging_level, budget, eval_split;
  std::optional<int64_t> seed;
  bool skip_description = false, skip_statistics = false, skip_model = false, skip_progress = false,
       skip_log = false;
  bool skip_processed = false, skip_predictions = false, quiet = false, json = false;
  std::optional<int64_t> save_milliseconds, folds;
};

Options options_of(std::string_view verb, Given& g) {
  train::TrainRequest& r = g.request;
  Options options{verb, verb == "train" ? "trains a model on a table" : "trains a model and evaluates it",
                  g.recipe.options(),
                  verb == "train" ? "  shoestring train --dataset table.csv --target price\n"
                                    "  shoestring train --config recipe.yaml --dataset table.csv"
                                  : "  shoestring experiment --config recipe.yaml --dataset table.csv\n"
                                    "  shoestring experiment --config recipe.yaml --training_set old.csv \\\n"
                                    "      --test_set new.csv"};
  const Option more[] = {
      {"dataset", "", "FILES",
       "the table: CSV, TSV, JSON, Parquet, Feather, SQLite; split as the recipe says", &r.data.dataset},
      {"target", "t", "COLUMN", "what to predict, where there is no recipe; several may be named",
       &r.targets},
      {"training-set", "", "FILES", "the training rows, instead of --dataset", &r.data.training_set},
      {"validation-set", "", "FILES", "the validation rows that go with --training_set",
       &r.data.validation_set},
      {"test-set", "", "FILES", "the test rows that go with --training_set", &r.data.test_set},
      {"data-format", "", "FORMAT", "csv, tsv, json, jsonl, parquet, feather or sqlite; found by looking",
       &r.data.format},
      {"output-directory", "od", "FOLDER", "where the run folder is made (results)", &g.output_directory},
      {"experiment-name", "", "NAME", "first part of the run folder's name (experiment)", &g.experiment},
      {"model-name", "", "NAME", "second part of the run folder's name (run)", &g.model},
      {"model-load-path", "mlp", "PATH", "start from the weights of this model", &r.load},
      {"model-resume-path", "mrp", "FOLDER", "go on with this run", &r.resume},
      {"budget", "", "KEY=VALUE", "what may be spent: time=60s (also min, h), an aim", &g.budget},
      {"random-seed", "rs", "N", "of initial weights, split and shuffling (42)", &g.seed},
      {"skip-save-training-description", "", "", "no description.json", &g.skip_description},
      {"skip-save-training-statistics", "", "", "no training_statistics.json", &g.skip_statistics},
      {"skip-save-model", "", "", "no model", &g.skip_model},
      {"skip-save-progress", "", "", "no checkpoints", &g.skip_progress},
      {"skip-save-log", "", "", "no metrics.jsonl", &g.skip_log},
      {"skip-save-predictions", "", "", "no predictions of the test rows", &g.skip_predictions},
      {"skip-save-processed-input", "", "", "changes nothing: processed data is never saved",
       &g.skip_processed},
      {"logging-level", "l", "LEVEL", "critical, error, warning, info or debug; the first two are --quiet",
       &g.logging_level},
      {"quiet", "q", "", "say nothing but errors", &g.quiet},
      {"json", "", "", "events as JSON lines, for programs", &g.json},
      {"save-milliseconds", "", "N", "", &g.save_milliseconds}};  // between checkpoints; for tests
  options.options.insert(options.options.end(), std::begin(more), std::end(more));
  const Option only_experiment[] = {
      {"eval-split", "", "SPLIT", "training, validation or test: whose rows are predicted at the end (test)",
       &g.eval_split},
      {"k-fold", "kf", "K", "cross-validation: trains K times, each time tested on other rows", &g.folds}};
  if (verb == "experiment")
    options.options.insert(options.options.end(), std::begin(only_experiment), std::end(only_experiment));
  return options;
}

// "time=60s": nothing else may be said yet.
Status read_budget(std::string_view text, train::TrainRequest& r) {
  const size_t equals = text.find('=');
  const std::string_view what = text.substr(0, equals);
  constexpr std::string_view kLater[] = {"memory", "cores", "device", "disk", "money"};
  if (std::find(std::begin(kLater), std::end(kLater), what) != std::end(kLater))
    return fail(ErrorKind::usage, fmt::format("--budget {}: only time can be limited yet", what), {},
                "write --budget time=60s");
  if (what == "time" && equals != std::string_view::npos)
    r.time_seconds = parse_seconds(text.substr(equals + 1));
  if (!r.time_seconds)
    return fail(ErrorKind::usage, fmt::format("--budget '{}' is no time above 0", text), {},
                "write --budget time=60s, time=10min or time=2h");
  return {};
}

Status read_eval_split(const std::string& text, train::TrainRequest& r) {
  if (text.empty()) return {};
  constexpr task::SplitName kSplits[] = {task::SplitName::training, task::SplitName::validation,
                                         task::SplitName::test};
  std::vector<std::string> names;
  for (const auto split : kSplits) {
    names.emplace_back(name_of(split));
    if (text == names.back()) r.eval_split = split;
  }
  if (r.eval_split) return {};
  const std::string near = nearest(text, names);
  return fail(ErrorKind::usage, fmt::format("unknown split '{}'", text), "--eval_split",
              near.empty() ? "one of training, validation, test" : fmt::format("did you mean '{}'?", near));
}

// Where the run's folder is to be: said of a new run only.
Status place(const Given& g, train::TrainRequest& r) {
  const std::tuple<std::string_view, const std::string*, std::string*> flags[] = {
      {"--output_directory", &g.output_directory, &r.output_directory},
      {"--experiment_name", &g.experiment, &r.experiment},
      {"--model_name", &g.model, &r.model}};
  for (const auto& [flag, given, wanted] : flags) {
    if (given->empty()) continue;
    if (!r.resume.empty())
      return fail(ErrorKind::usage,
                  fmt::format("{} is of a new run, and {} stays where it is", flag, r.resume),
                  "--model_resume_path", fmt::format("leave {} out to go on with it, or train anew", flag));
    if (wanted != &r.output_directory && given->find('/') != std::string::npos)
      return fail(ErrorKind::usage, fmt::format("'{}' is a path, not a name", *given), std::string(flag),
                  "give a name without '/'; --output_directory says where the run's folder is made");
    *wanted = *given;
  }
  return {};
}

// What the flags say, as the library wants it.
Status complete(Given& g) {
  train::TrainRequest& r = g.request;
  if (!r.data.dataset.empty() && !r.data.training_set.empty())
    return fail(ErrorKind::usage, "--dataset and --training_set are both given", {}, "give one of them");
  if (r.data.training_set.empty() && (!r.data.validation_set.empty() || !r.data.test_set.empty()))
    return fail(ErrorKind::usage, "--validation_set and --test_set go with --training_set", {},
                "give the training rows with --training_set");
  if (g.recipe.given() && !r.targets.empty())
    return fail(ErrorKind::usage, "--target goes with no recipe, but one is given", {},
                "name the target in the recipe's output_features");
  if (auto ok = place(g, r); !ok) return ok;
  if (g.seed && *g.seed < 0)
    return fail(ErrorKind::usage, fmt::format("the random seed {} is below 0", *g.seed), {},
                "give a whole number from 0");
  if (auto ok = read_eval_split(g.eval_split, r); !ok) return ok;
  if (g.folds && r.eval_split)
    return fail(ErrorKind::usage, "--eval_split and --k_fold are both given", {},
                "leave --eval_split out: each fold is evaluated on the rows that it leaves out");
  if (!g.budget.empty())
    if (auto ok = read_budget(g.budget, r); !ok) return ok;
  if (g.recipe.given()) {
    auto recipe = read_recipe(g.recipe);
    if (!recipe) return fail(recipe.error());
    r.recipe = std::move(*recipe);
  }
  if (g.seed) r.seed = static_cast<uint64_t>(*g.seed);
  r.save_description = !g.skip_description;
  r.save_statistics = !g.skip_statistics;
  r.save_model = !g.skip_model;
  r.save_checkpoints = !g.skip_progress;
  r.save_metrics = !g.skip_log;
  r.save_predictions = !g.skip_predictions;
  if (g.save_milliseconds) r.save_seconds = static_cast<double>(*g.save_milliseconds) / 1e3;
  g.quiet = g.quiet || g.logging_level == "critical" || g.logging_level == "error";
  return {};
}

int run(std::string_view verb, Arguments arguments) {
  Given given;
  if (const auto done = options_of(verb, given).read(arguments)) return *done;
  if (auto ok = complete(given); !ok) return report(ok.error());
  Console console(given.quiet, given.json);
  if (given.folds) {
    given.request.stop = stop_flag();
    return cross_validate(given.request, *given.folds, console);
  }
  TrainReport progress(console);
  given.request.stop = stop_flag();
  const auto outcome = train::train(given.request, progress.events());
  if (!outcome) return report(outcome.error());
  const int code = progress.end(*outcome);
  if (code == 0 && !outcome->already_finished && given.request.eval_split && given.request.save_predictions)
    console.sentence(fmt::format("predictions of the {} rows: {}/predictions.csv",
                                 name_of(*given.request.eval_split), outcome->folder));
  return code;
}

}  // namespace

int train(Arguments arguments) { return run("train", arguments); }
int experiment(Arguments arguments) { return run("experiment", arguments); }

}  // namespace shoestring::cli
