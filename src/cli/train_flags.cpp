#include "cli/train_flags.h"

#include <algorithm>
#include <tuple>

#include "base/text.h"
#include "budget/machine_profile.h"

namespace shoestring::cli {
namespace {

struct Words {
  std::string_view verb, summary, example;
};
constexpr Words kVerbs[] = {
    {"train", "trains a model on a table",
     "  shoestring train --dataset table.csv --target price\n"
     "  shoestring train --config recipe.yaml --dataset table.csv"},
    {"experiment", "trains a model and evaluates it",
     "  shoestring experiment --config recipe.yaml --dataset table.csv\n"
     "  shoestring experiment --config recipe.yaml --training_set old.csv \\\n"
     "      --test_set new.csv"},
    {"plan", "says what train with the same flags would take",
     "  shoestring plan --dataset table.csv --target price --budget memory=64MiB,time=1min\n"
     "  shoestring plan --config recipe.yaml --dataset table.csv --sweep memory=64MiB..4GiB\n"
     "  shoestring plan --config recipe.yaml --dataset table.csv --machine server.json"}};

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
Status place(const TrainFlags& g, train::TrainRequest& r) {
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

}  // namespace

Options options_of(std::string_view verb, TrainFlags& g) {
  train::TrainRequest& r = g.request;
  const Words* of_verb = std::ranges::find(kVerbs, verb, &Words::verb);
  Options options{verb, of_verb->summary, g.recipe.options(), of_verb->example};
  const Option more[] = {
      {"dataset", "", "FILES",
       "the table: CSV, TSV, JSON, Parquet, Feather, SQLite; or pictures: a folder of classes, .tar, .zip, "
       "IDX, NPY; split as the recipe says",
       &r.data.dataset},
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
      {"budget", "", "KEY=VALUE", "what may be spent, as memory=1GiB,time=10min; also cores, disk and money",
       &r.budget},
      {"prices", "", "FILE", "a list of prices in the place of the built-in one, for budget.money",
       &g.prices},
      {"random-seed", "rs", "N", "of initial weights, split and shuffling (42)", &g.seed},
      {"skip-save-training-description", "", "", "no description.json", &g.skip_description},
      {"skip-save-training-statistics", "", "", "no training_statistics.json", &g.skip_statistics},
      {"skip-save-model", "", "", "no model", &g.skip_model},
      {"skip-save-progress", "", "", "no checkpoints", &g.skip_progress},
      {"skip-save-log", "", "", "no metrics.jsonl", &g.skip_log},
      {"skip-save-predictions", "", "", "no predictions of the test rows", &g.skip_predictions},
      {"report", "", "LEVEL",
       "of report.html: none, normal, or full with what takes more than a tenth of the training (normal)",
       &g.report},
      {"skip-save-report", "", "", "no report: as --report none", &g.skip_report},
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
  const Option only_plan[] = {
      {"machine", "", "FILE",
       "plan for the machine of this profile, which 'shoestring calibrate --output "
       "FILE' writes there",
       &g.machine},
      {"sweep", "", "RANGE", "what each of several budgets would buy: memory=64MiB..4GiB or time=10s..10min",
       &g.sweep}};
  const Option only_train[] = {
      {"remedy", "", "",
       "where the model overfits or its classes are unbalanced, try what may help, and keep what makes it "
       "better on the validation rows; where nothing is to be tried, training goes on in that time",
       &g.remedy},
      {"remedy-share", "", "SHARE",
       "of the time budget, for --remedy (0.3); without one all remedies are tried", &g.remedy_share}};
  if (verb == "train")
    options.options.insert(options.options.end(), std::begin(only_train), std::end(only_train));
  if (verb == "plan")
    options.options.insert(options.options.end(), std::begin(only_plan), std::end(only_plan));
  if (verb == "experiment")
    options.options.insert(options.options.end(), std::begin(only_experiment), std::end(only_experiment));
  return options;
}

Status complete(TrainFlags& g) {
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
  r.surveys = budget::cache_folder();
  if (g.seed && *g.seed < 0)
    return fail(ErrorKind::usage, fmt::format("the random seed {} is below 0", *g.seed), {},
                "give a whole number from 0");
  if (auto ok = read_eval_split(g.eval_split, r); !ok) return ok;
  if (g.folds && r.eval_split)
    return fail(ErrorKind::usage, "--eval_split and --k_fold are both given", {},
                "leave --eval_split out: each fold is evaluated on the rows that it leaves out");
  if (!g.remedy_share.empty() && !g.remedy)
    return fail(ErrorKind::usage, "--remedy_share is given without --remedy", {},
                "add --remedy, or leave it out");
  if (g.remedy && (!r.resume.empty() || g.skip_model))
    return fail(ErrorKind::usage,
                fmt::format("--remedy does not go with {}",
                            g.skip_model ? "--skip_save_model" : "--model_resume_path"),
                {}, "leave one of them out");
  if (!r.budget.empty())
    if (auto said = task::parse_budget(r.budget); !said) return fail(said.error());
  if (g.recipe.given()) {
    auto recipe = read_recipe(g.recipe);
    if (!recipe) return fail(recipe.error());
    r.recipe = std::move(*recipe);
  }
  if (!g.prices.empty()) {
    auto prices = budget::load_prices(g.prices, {});
    if (!prices) return fail(prices.error());
    r.site.prices = std::make_shared<const budget::Prices>(std::move(*prices));
  }
  if (!g.machine.empty()) {
    auto machine = train::machine_in(g.machine);
    if (!machine) return fail(machine.error());
    r.site.elsewhere = std::move(*machine);
  }
  if (g.seed) r.seed = static_cast<uint64_t>(*g.seed);
  auto level = report::level_named(g.report);
  if (!level) return fail(level.error());
  g.report_level = g.skip_report ? report::Level::none : *level;
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

}  // namespace shoestring::cli
