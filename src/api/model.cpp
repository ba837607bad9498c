// train_model and Model: the command line's train, predict and evaluate as functions.
#include <filesystem>

#include "api/problem.h"
#include "train/predict.h"
#include "train/train.h"

namespace shoestring {
namespace {

Metrics to_metrics(const train::Metrics& from) {
  Metrics out;
  for (const auto& output : from.outputs)
    for (const auto& m : output.values) out[output.name][std::string(m.name)] = m.value;
  out["combined"]["loss"] = from.combined_loss;
  return out;
}

// A file's name, or the recipe itself.
Result<task::Recipe> recipe_of(const std::string& given) {
  const bool text = given.find('\n') != std::string::npos || given.find('{') != std::string::npos;
  auto document = text ? task::parse_document(given, "recipe") : task::read_document(given);
  if (!document) return fail(document.error());
  return task::parse_recipe(*document);
}

Outcome<TrainedModel> train_and_load(const TrainOptions& options) {
  train::TrainRequest request;
  request.data.dataset = options.dataset;
  request.output_directory = options.output_directory;
  request.seed = options.seed;
  if (!options.target.empty()) request.targets = {options.target};
  if (!options.recipe.empty()) {
    auto recipe = recipe_of(options.recipe);
    if (!recipe) return to_problem(recipe.error());
    request.recipe = std::move(*recipe);
  }
  train::TrainEvents events;
  if (options.on_evaluation)
    events.evaluated = [&](const train::Evaluation& e) {
      options.on_evaluation(
          {e.step, e.total_steps, e.loss, e.validation ? to_metrics(*e.validation) : Metrics{}});
    };
  const auto outcome = train::train(request, events);
  if (!outcome) return to_problem(outcome.error());
  auto model = Model::load(outcome->folder);
  if (!model) return model.problem();
  return TrainedModel{std::move(*model), outcome->folder,
                      outcome->test ? to_metrics(*outcome->test) : Metrics{}, outcome->remarks};
}

}  // namespace

Outcome<Model> Model::load(const std::string& path) {
  return guarded([&]() -> Outcome<Model> {
    if (auto model = train::load_model(path); !model) return to_problem(model.error());
    return Model(path);
  });
}

Outcome<int64_t> Model::predict(const std::string& dataset, const std::string& output) const {
  return guarded([&]() -> Outcome<int64_t> {
    const train::PredictRequest request{.model = path_, .dataset = dataset, .output = output};
    const auto outcome = train::predict(request, {});
    if (!outcome) return to_problem(outcome.error());
    return outcome->rows;
  });
}

Outcome<Metrics> Model::evaluate(const std::string& dataset) const {
  return guarded([&]() -> Outcome<Metrics> {
    const auto metrics = train::evaluate({.model = path_, .dataset = dataset}, {});
    if (!metrics) return to_problem(metrics.error());
    return to_metrics(*metrics);
  });
}

Outcome<TrainedModel> train_model(const TrainOptions& options) {
  return guarded([&] { return train_and_load(options); });
}

}  // namespace shoestring
