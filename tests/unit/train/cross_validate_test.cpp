#include "train/cross_validate.h"

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "base/atomic_file.h"
#include "unit/train/tables.h"

namespace shoestring::train {
namespace {

class CrossValidate : public testing::Test {
 protected:
  TrainRequest request() {
    return {.recipe = recipe_from(sums_recipe("epochs: 2, batch_size: 16")),
            .data = {.dataset = folder_.write("t.csv", sums_table(90))},
            .output_directory = folder_.file("out")};
  }
  const Folder folder_;
};

TEST_F(CrossValidate, MeansOverTheFoldsAndGoesOnWithThem) {
  const auto first = cross_validate(request(), 3, {});
  ASSERT_TRUE(first) << first.error().message();
  EXPECT_EQ(first->folder, folder_.file("out") + "/experiment_run");
  const std::string statistics = first->folder + "/kfold_training_statistics.json";
  const std::string before = *read_file(statistics);
  for (const FoldMetric& metric : first->values) {
    ASSERT_EQ(metric.of_fold.size(), 3u);
    const auto& v = metric.of_fold;
    const double mean = (v[0] + v[1] + v[2]) / 3;
    EXPECT_NEAR(metric.mean, mean, 1e-12);
    EXPECT_NEAR(
        metric.deviation,
        std::sqrt((std::pow(v[0] - mean, 2) + std::pow(v[1] - mean, 2) + std::pow(v[2] - mean, 2)) / 2),
        1e-12);
  }
  // The rows that the folds were made of: each tests once, and is nowhere else then.
  const std::string indices = first->folder + "/kfold_split_indices.json";
  const std::string rows_before = *read_file(indices);
  const auto json = nlohmann::json::parse(rows_before);
  ASSERT_EQ(json.size(), 3u);
  std::vector<int> tested(90);
  for (const auto& [fold, splits] : json.items()) {
    std::set<int> all;
    for (const char* split : {"training_indices", "validation_indices", "test_indices"})
      all.insert(splits.at(split).begin(), splits.at(split).end());
    EXPECT_EQ(all.size(), 90u) << fold;
    EXPECT_EQ(*all.rbegin(), 89) << fold;
    for (const int row : splits.at("test_indices")) ++tested.at(static_cast<size_t>(row));
  }
  EXPECT_EQ(tested, std::vector<int>(90, 1));
  // As if killed in the third: what is finished is kept, what is missing is trained, to the same numbers.
  std::filesystem::remove_all(first->folder + "/fold_3");
  std::filesystem::remove(statistics);
  std::filesystem::remove(indices);
  auto again = request();
  again.resume = first->folder;
  std::vector<bool> done;
  const auto second = cross_validate(
      again, 3, {}, [&](int64_t, const TrainOutcome& outcome) { done.push_back(outcome.already_finished); });
  ASSERT_TRUE(second) << second.error().message();
  EXPECT_EQ(done, (std::vector<bool>{true, true, false}));
  EXPECT_EQ(*read_file(statistics), before);
  EXPECT_EQ(*read_file(indices), rows_before);

  const auto other = cross_validate(again, 4, {});
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().kind, ErrorKind::usage);
}

TEST_F(CrossValidate, AFoldFollowsTheRecipesSplit) {
  auto recipe = *request().recipe;
  const auto split_of = [](const task::Recipe& r) {
    return std::get<task::FoldSplit>(*r.preprocessing.split);
  };
  EXPECT_EQ(split_of(fold_recipe(recipe, 2, 4)), (task::FoldSplit{.folds = 4, .fold = 2, .stratify = "y"}));
  recipe.preprocessing.split = task::StratifySplit{.column = "kind", .probabilities = {0.6, 0.2, 0.2}};
  EXPECT_EQ(split_of(fold_recipe(recipe, 1, 5)),
            (task::FoldSplit{.stratify = "kind", .validation_share = 0.2 / (1 - 0.2)}));
  recipe.preprocessing.split = task::FoldSplit{.folds = 9, .fold = 3, .group = "kind"};
  EXPECT_EQ(split_of(fold_recipe(recipe, 2, 5)), (task::FoldSplit{.fold = 2, .group = "kind"}));
}

TEST_F(CrossValidate, WhatCannotBeIsSaidBeforeAFolderIsMade) {
  EXPECT_FALSE(cross_validate(request(), 1, {}));
  EXPECT_EQ(cross_validate(request(), 91, {}).error().what, "90 rows cannot be dealt into 91 folds");
  auto split = request();
  std::string text = sums_table(30);
  for (size_t at = 0, line = 0; (at = text.find('\n', at)) != std::string::npos; ++line)
    at = text.insert(at, line == 0 ? ",split" : ",0").find('\n', at) + 1;
  split.data.dataset = folder_.write("split.csv", text);
  EXPECT_EQ(cross_validate(split, 3, {}).error().what,
            "the table's column 'split' says already which rows train");
  auto by_hash = request();
  by_hash.recipe->preprocessing.split = task::HashSplit{.column = "kind"};
  EXPECT_EQ(cross_validate(by_hash, 3, {}).error().kind, ErrorKind::usage);
  auto files = request();
  files.data = {.training_set = files.data.dataset};
  const auto refused = cross_validate(files, 3, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::usage);
  EXPECT_FALSE(file_exists(folder_.file("out")));
}

// Fold 1 of a cross-validation is no run that train goes on with.
TEST_F(CrossValidate, ItsFolderIsNoRun) {
  const auto done = cross_validate(request(), 2, {});
  ASSERT_TRUE(done) << done.error().message();
  auto again = request();
  again.resume = done->folder;
  const auto refused = train(again, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().what, "this run is a cross-validation");
}

// What train leaves of the split that it is asked to evaluate, and what a later start of the run goes by.
TEST_F(CrossValidate, ATrainingEvaluatesTheSplitThatItIsAskedTo) {
  auto one = request();
  one.eval_split = task::SplitName::validation;
  const auto outcome = train(one, {});
  ASSERT_TRUE(outcome) << outcome.error().message();
  const auto statistics = nlohmann::json::parse(*read_file(outcome->folder + "/test_statistics.json"));
  EXPECT_EQ(statistics.at("y").at("roc_auc"), outcome->validation->value("y", "roc_auc"));
  const std::string predictions = *read_file(outcome->folder + "/predictions.csv");
  EXPECT_EQ(std::count(predictions.begin(), predictions.end(), '\n'), 10);  // of 9 rows
  EXPECT_NE(read_file(outcome->folder + "/description.json")->find("\"eval_split\": \"validation\""),
            std::string::npos);
  one.recipe->preprocessing.split = task::RandomSplit{.probabilities = {0.8, 0, 0.2}};
  EXPECT_EQ(train(one, {}).error().what, "there are no validation rows to evaluate on");
}

}  // namespace
}  // namespace shoestring::train
