// Remedies: what is tried for what a run shows, and that only what is better stays.
#include "train/remedy.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

#include "base/atomic_file.h"
#include "unit/train/tables.h"

namespace shoestring::train {
namespace {

Metrics of(std::string output, std::string_view metric, double value, int64_t rows) {
  Metrics m;
  m.rows = rows;
  m.outputs.push_back({.name = std::move(output), .values = {{metric, value}}});
  return m;
}

Patient patient(const std::string& recipe, double training, double validation, std::vector<int64_t> classes) {
  return {.recipe = recipe_from(recipe),
          .training = of("y", "accuracy", training, 1000),
          .validation = of("y", "accuracy", validation, 1000),
          .classes = {{.labels = {"no", "yes"}, .rows = std::move(classes)}}};
}

constexpr const char* kBinary = R"(
input_features: [{name: a, type: number}]
output_features: [{name: y, type: binary}]
combiner: {type: concat, num_fc_layers: 2, output_size: 64}
trainer: {epochs: 3}
)";

std::vector<std::string> names(const std::vector<Remedy>& all) {
  std::vector<std::string> out;
  for (const Remedy& r : all) out.push_back(r.name);
  return out;
}

TEST(Remedies, AreForWhatTheRunShows) {
  EXPECT_TRUE(remedies(patient(kBinary, 0.9, 0.9, {500, 500})).empty());
  const auto overfit = remedies(patient(kBinary, 0.99, 0.8, {500, 500}));
  EXPECT_EQ(names(overfit), (std::vector<std::string>{"dropout", "weight decay", "smaller network"}));
  for (const auto& layer : std::get<task::ConcatCombiner>(overfit[0].recipe.combiner).stack.layers)
    EXPECT_EQ(layer.dropout, 0.2);
  EXPECT_EQ(std::get<model::AdamW>(overfit[1].recipe.trainer.optimizer).weight_decay, 0.05);
  for (const auto& layer : std::get<task::ConcatCombiner>(overfit[2].recipe.combiner).stack.layers)
    EXPECT_EQ(layer.output_size, 32);
  const auto unbalanced = remedies(patient(kBinary, 0.9, 0.9, {950, 50}));
  EXPECT_EQ(names(unbalanced), (std::vector<std::string>{"class weights", "oversampling"}));
  const auto& output = std::get<task::BinaryOutput>(unbalanced[0].recipe.outputs[0].spec);
  EXPECT_EQ(std::get<task::BinaryCrossEntropy>(output.loss).positive_class_weight, 19);
  EXPECT_EQ(unbalanced[1].recipe.preprocessing.oversample_minority, 0.5);
  // A recipe that says it already is not told again.
  std::string weighted = kBinary;
  weighted.replace(weighted.find("type: binary"), 12, "type: binary, loss: {positive_class_weight: 3}");
  EXPECT_EQ(names(remedies(patient(weighted, 0.9, 0.9, {950, 50}))),
            (std::vector<std::string>{"oversampling"}));
}

TEST(Remedies, TimeThatIsLeftGoesToMoreSteps) {
  Patient cut_short = patient(kBinary, 0.9, 0.9, {500, 500});
  cut_short.steps = 60, cut_short.steps_wanted = 900;
  const auto more = remedies(cut_short);
  ASSERT_EQ(names(more), (std::vector<std::string>{"more steps"}));
  EXPECT_TRUE(more[0].goes_on);
  EXPECT_EQ(more[0].reason, "the time was up after 60 of 900 steps, and some is left");
  cut_short.classes[0].rows = {950, 50};
  EXPECT_EQ(names(remedies(cut_short)),
            (std::vector<std::string>{"class weights", "oversampling", "more steps"}));
  cut_short.training.reset();  // no time was left to measure the training rows
  EXPECT_EQ(names(remedies(cut_short)),
            (std::vector<std::string>{"class weights", "oversampling", "more steps"}));
  cut_short.steps = 900;
  EXPECT_EQ(names(remedies(cut_short)), (std::vector<std::string>{"class weights", "oversampling"}));
}

// 120 rows of noise with a faint rule: a wide network learns them by heart.
std::string noisy_table() {
  std::mt19937 random(7);
  std::normal_distribution<double> normal;
  std::string text = "a,b,c,d,y\n";
  for (int i = 0; i < 400; ++i) {
    double v[4];
    for (double& x : v) x = normal(random);
    text +=
        fmt::format("{},{},{},{},{}\n", v[0], v[1], v[2], v[3], v[0] + 2 * normal(random) > 0 ? "yes" : "no");
  }
  return text;
}

TEST(Remedies, KeepOnlyWhatIsBetterAndSayWhatTheyDid) {
  const Folder folder;
  const TrainRequest request{.recipe = recipe_from(R"(
input_features: [{name: a, type: number}, {name: b, type: number}, {name: c, type: number}, {name: d, type: number}]
output_features: [{name: y, type: binary}]
combiner: {type: concat, num_fc_layers: 2, output_size: 128}
trainer: {epochs: 60, batch_size: 32, early_stop: -1, learning_rate: 0.005, validation_metric: loss, validation_field: y,
          learning_rate_scheduler: {decay: linear}}
preprocessing: {split: {type: random, probabilities: [0.5, 0.25, 0.25]}}
)"),
                             .data = {.dataset = folder.write("t.csv", noisy_table())},
                             .output_directory = folder.file("results")};
  std::vector<std::string> trying;
  const auto all =
      train_with_remedies(request, 0.9, {}, {.trying = [&](const Remedy& r) { trying.push_back(r.name); }});
  ASSERT_TRUE(all) << all.error().message();
  EXPECT_FALSE(all->maximise);
  const auto json = nlohmann::json::parse(*read_file(all->outcome.folder + "/remedy.json"));
  EXPECT_EQ(json.at("tried").size(), all->tried.size());
  EXPECT_EQ(trying.size(), all->tried.size());
  bool any = false;
  double best = all->first.validation->value("y", "loss");
  for (const Tried& t : all->tried) {
    EXPECT_EQ(t.before, best);
    EXPECT_EQ(t.kept, t.after < best);
    if (t.kept) best = t.after;
    any |= t.kept;
  }
  EXPECT_EQ(all->outcome.validation->value("y", "loss"), best);
  // What the folder holds is what is told.
  const auto statistics =
      nlohmann::json::parse(*read_file(all->outcome.folder + "/training_statistics.json"));
  EXPECT_EQ(statistics.at("validation").at("y").at("loss").get<double>(), best);
  EXPECT_EQ(file_exists(all->outcome.folder + "/before_remedy/model/model.safetensors"), any);
  EXPECT_FALSE(file_exists(all->outcome.folder + "/remedies"));
}

// A run that stopped by itself is not told that its time was up.
TEST(Remedies, NoMoreStepsOfWhatStoppedEarly) {
  const Folder folder;
  const TrainRequest request{
      .recipe = recipe_from(sums_recipe("epochs: 1000, batch_size: 16, early_stop: 1, learning_rate: 0.1")),
      .data = {.dataset = folder.write("t.csv", sums_table(300))},
      .output_directory = folder.file("results")};
  const auto all = train_with_remedies(request, 0.3, {});
  ASSERT_TRUE(all) << all.error().message();
  ASSERT_EQ(all->first.ending, Ending::early_stopped);
  for (const Tried& t : all->tried) EXPECT_NE(t.remedy.name, "more steps");
}

// The time is that of all together.
TEST(Remedies, ShareTheTime) {
  const Folder folder;
  TrainRequest request{
      .recipe = recipe_from("budget: {time: 1.2s}\n" +
                            sums_recipe("epochs: 100000000, batch_size: 16, early_stop: -1")),
      .data = {.dataset = folder.write("t.csv", sums_table(300))},
      .output_directory = folder.file("results")};
  const auto all = train_with_remedies(request, 0.25, {});
  ASSERT_TRUE(all) << all.error().message();
  ASSERT_TRUE(all->first.times.limit);
  EXPECT_NEAR(*all->first.times.limit, 0.9, 1e-9);
}

}  // namespace
}  // namespace shoestring::train
