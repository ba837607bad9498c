// train_model and Model: the command line's train, predict and evaluate as functions.
#include <filesystem>

#include "api/problem.h"
#include "base/clock.h"
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

Result<task::Recipe> recipe_of(const TrainOptions& options) {
  if (!options.recipe.empty() && !options.recipe_text.empty())
    return fail(ErrorKind::usage, "a recipe is given as a file and as text", {}, "give one of them");
  auto document = options.recipe.empty() ? task::parse_document(options.recipe_text, "recipe")
                                         : task::read_document(options.recipe);
  if (!document) return fail(document.error());
  return task::parse_recipe(*document);
}

Outcome<TrainedModel> train_and_load(const TrainOptions& options) {
  train::TrainRequest request;
  request.started = SteadyClock().seconds();
  request.data.dataset = options.dataset;
  request.output_directory = options.output_directory;
  request.seed = options.seed;
  if (!options.target.empty()) request.targets = {options.target};
  if (!options.recipe.empty() || !options.recipe_text.empty()) {
    auto recipe = recipe_of(options);
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

struct Model::Impl {
  std::string path;
  train::Predictor predictor;
};

Model::Model(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Model::Model(Model&&) noexcept = default;
Model& Model::operator=(Model&&) noexcept = default;
Model::~Model() = default;

const std::string& Model::path() const { return impl_->path; }

Outcome<Model> Model::load(const std::string& path) {
  return guarded([&]() -> Outcome<Model> {
    auto predictor = train::Predictor::load(path);
    if (!predictor) return to_problem(predictor.error());
    return Model(std::make_unique<Impl>(Impl{path, std::move(*predictor)}));
  });
}

Outcome<int64_t> Model::predict(const std::string& dataset, const std::string& output) {
  return guarded([&]() -> Outcome<int64_t> {
    const auto outcome = train::predict(impl_->predictor, {.dataset = dataset, .output = output}, {});
    if (!outcome) return to_problem(outcome.error());
    return outcome->rows;
  });
}

Outcome<Metrics> Model::evaluate(const std::string& dataset) {
  return guarded([&]() -> Outcome<Metrics> {
    const auto metrics = train::evaluate(impl_->predictor, {.dataset = dataset}, {});
    if (!metrics) return to_problem(metrics.error());
    return to_metrics(*metrics);
  });
}

Outcome<TrainedModel> train_model(const TrainOptions& options) {
  return guarded([&] { return train_and_load(options); });
}

}  // namespace shoestring
