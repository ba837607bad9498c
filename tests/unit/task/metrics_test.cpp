#include "task/metrics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace shoestring::task {
namespace {

double of(const OutputMetrics& metrics, std::string_view name) { return value_of(values(metrics), name); }

TEST(NumberMetrics, Values) {
  NumberMetrics m;
  m.add(std::vector<double>{1, 3}, std::vector<double>{2, 0}, std::vector<float>{1, 9});
  m.add(std::vector<double>{5}, std::vector<double>{4}, std::vector<float>{1});
  const auto v = m.values();
  EXPECT_DOUBLE_EQ(value_of(v, "loss"), 11.0 / 3);
  EXPECT_DOUBLE_EQ(value_of(v, "mean_squared_error"), 11.0 / 3);
  EXPECT_DOUBLE_EQ(value_of(v, "mean_absolute_error"), 5.0 / 3);
  EXPECT_DOUBLE_EQ(value_of(v, "root_mean_squared_error"), std::sqrt(11.0 / 3));
  EXPECT_DOUBLE_EQ(value_of(v, "r2"), 1 - 11.0 / 8);
  EXPECT_DOUBLE_EQ(value_of(v, "mean_absolute_percentage_error"), (0.5 + 0.25) / 2);
  EXPECT_DOUBLE_EQ(value_of(v, "root_mean_squared_percentage_error"), std::sqrt((0.25 + 0.0625) / 2));
  EXPECT_EQ(m.rows(), 3);
}

TEST(NumberMetrics, NothingAndConstants) {
  NumberMetrics m(true);
  EXPECT_TRUE(std::isnan(value_of(m.values(), "loss")));
  m.add(std::vector<double>{0}, std::vector<double>{0}, std::vector<float>{4});
  EXPECT_EQ(value_of(m.values(), "loss"), 2);  // the root of the mean
  EXPECT_TRUE(std::isnan(value_of(m.values(), "r2")));
  EXPECT_TRUE(std::isnan(value_of(m.values(), "mean_absolute_percentage_error")));
}

TEST(BinaryMetrics, Values) {
  BinaryMetrics m(0.5);
  m.add(std::vector<float>{0.9F, 0.5F, 0.2F, 0.7F, 0.1F}, std::vector<float>{1, 1, 1, 0, 0},
        std::vector<float>{1, 1, 1, 1, 1});
  const auto v = m.values();
  EXPECT_EQ(m.true_positives, 2);  // the threshold itself is true
  EXPECT_EQ(m.false_negatives, 1);
  EXPECT_EQ(m.false_positives, 1);
  EXPECT_EQ(m.true_negatives, 1);
  EXPECT_DOUBLE_EQ(value_of(v, "accuracy"), 0.6);
  EXPECT_DOUBLE_EQ(value_of(v, "precision"), 2.0 / 3);
  EXPECT_DOUBLE_EQ(value_of(v, "recall"), 2.0 / 3);
  EXPECT_DOUBLE_EQ(value_of(v, "specificity"), 0.5);
  EXPECT_DOUBLE_EQ(value_of(v, "f1"), 2.0 / 3);
  EXPECT_DOUBLE_EQ(value_of(v, "roc_auc"), 4.0 / 6);
  EXPECT_DOUBLE_EQ(value_of(v, "loss"), 1);
}

TEST(BinaryMetrics, NothingPredictedTrue) {
  BinaryMetrics m(0.5);
  m.add(std::vector<float>{0.1F}, std::vector<float>{1}, std::vector<float>{1});
  EXPECT_TRUE(std::isnan(value_of(m.values(), "precision")));    // nothing was predicted true
  EXPECT_TRUE(std::isnan(value_of(m.values(), "specificity")));  // there are no negatives
  EXPECT_EQ(value_of(m.values(), "recall"), 0);
  EXPECT_EQ(value_of(m.values(), "f1"), 0);
  EXPECT_TRUE(std::isnan(value_of(m.values(), "roc_auc")));
}

// Against the definition, over all pairs.
// Probabilities near 0, near 1 and between, none like another.
TEST(BinaryMetrics, CountsInStepsWhereRowsAreTooManyToKeep) {
  std::mt19937 random(5);
  std::normal_distribution<double> normal;
  for (const double shift : {-8.0, 0.0, 6.0}) {
    BinaryMetrics exact, counted(0.5, 100);
    std::vector<float> probabilities, truths;
    for (int i = 0; i < 20'000; ++i) {
      const bool truth = random() % 10 == 0;
      probabilities.push_back(static_cast<float>(1 / (1 + std::exp(-shift - normal(random) - truth))));
      truths.push_back(truth ? 1 : 0);
    }
    const std::vector<float> losses(truths.size(), 1);
    exact.add(probabilities, truths, losses);
    counted.add(probabilities, truths, losses);
    EXPECT_NEAR(value_of(counted.values(), "roc_auc"), value_of(exact.values(), "roc_auc"), 1e-4) << shift;
    EXPECT_EQ(value_of(counted.values(), "accuracy"), value_of(exact.values(), "accuracy"));
  }
}

TEST(RocAuc, IsTheShareOfPairsInOrder) {
  std::mt19937 random(3);
  for (int round = 0; round < 50; ++round) {
    std::vector<float> high, low;
    for (int i = 0; i < 1 + round; ++i) {
      high.push_back(static_cast<float>(random() % 12) / 10);
      low.push_back(static_cast<float>(random() % 10) / 10);
    }
    double pairs = 0;
    for (const float h : high)
      for (const float l : low) pairs += h > l ? 1 : h == l ? 0.5 : 0;
    EXPECT_DOUBLE_EQ(roc_auc(high, low), pairs / static_cast<double>(high.size() * low.size()));
  }
  EXPECT_TRUE(std::isnan(roc_auc(std::vector<float>{NAN, 1}, std::vector<float>{0})));
}

TEST(CategoryMetrics, Values) {
  CategoryMetrics m(3, 2);
  m.add(std::vector<float>{0.5F, 0.3F, 0.2F, 0.1F, 0.2F, 0.7F, 0.4F, 0.4F, 0.2F, 0.6F, 0.3F, 0.1F, 1, 0, 0},
        std::vector<int32_t>{0, 1, 1, 2, -1}, std::vector<float>{1, 2, 3, 4, 100});
  const auto v = m.values();
  EXPECT_EQ(m.rows(), 4);
  EXPECT_EQ(m.rows_of_unknown_class(), 1);
  EXPECT_DOUBLE_EQ(value_of(v, "loss"), 2.5);
  EXPECT_DOUBLE_EQ(value_of(v, "accuracy"), 0.25);
  EXPECT_DOUBLE_EQ(value_of(v, "hits_at_k"), 0.75);
  EXPECT_DOUBLE_EQ(value_of(v, "balanced_accuracy"), 1.0 / 3);
  EXPECT_DOUBLE_EQ(value_of(v, "precision"), 1.0 / 9);
  EXPECT_DOUBLE_EQ(value_of(v, "f1"), 0.5 / 3);
  EXPECT_EQ(m.confusion(), (std::vector<int64_t>{1, 0, 0, 1, 0, 1, 1, 0, 0}));
  const auto classes = m.per_class();
  EXPECT_DOUBLE_EQ(classes[0].precision, 1.0 / 3);
  EXPECT_EQ(classes[0].recall, 1);
  EXPECT_EQ(classes[1].support, 2);
}

TEST(CategoryMetrics, ManyClassesHaveNoConfusionTable) {
  EXPECT_TRUE(CategoryMetrics(100'000, 3).confusion().empty());
}

// mean_squared_error, mean_absolute_error and r2_score(…, multioutput='variance_weighted') of
// scikit-learn 1.7.
TEST(VectorMetrics, Values) {
  VectorMetrics m(3);
  const std::vector<float> predictions{0.5F, -1, 2, 1.5F, 0, 1, -0.5F, 0.25F, 0, 2, 1, -1};
  const std::vector<float> truths{0, -1, 3, 2, 0.5F, 1, -1, 0, 0.5F, 2, 2, -2};
  const std::span p(predictions), t(truths);
  m.add(p.first(3), t.first(3), std::vector<float>{1});  // in two batches
  m.add(p.subspan(3), t.subspan(3), std::vector<float>{2, 3, 6});
  EXPECT_EQ(of(m, "loss"), 3);
  EXPECT_NEAR(of(m, "mean_squared_error"), 0.359375, 1e-12);
  EXPECT_NEAR(of(m, "mean_absolute_error"), 0.4791666666666667, 1e-12);
  EXPECT_NEAR(of(m, "root_mean_squared_error"), std::sqrt(0.359375), 1e-12);
  EXPECT_NEAR(of(m, "r2"), 0.8212435233160622, 1e-12);
  EXPECT_EQ(m.rows(), 4);
}

// jaccard_score(…, average='samples', zero_division=1) of scikit-learn 1.7.
TEST(SetMetrics, Values) {
  SetMetrics m(3, 0.5);
  const std::vector<float> probabilities{0.9F, 0.2F, 0.5F, 0.1F, 0.4F, 0.3F,
                                         0.6F, 0.7F, 0.8F, 0.2F, 0.1F, 0.9F};
  const std::vector<int32_t> truths{0, 1, 3, 3, 3, 3, 0, 1, 2, 0, 3, 3};  // 3 is no word
  m.add(probabilities, truths, std::vector<float>{1, 2, 3, 4});
  EXPECT_EQ(of(m, "loss"), 2.5);
  EXPECT_NEAR(of(m, "jaccard"), 0.5833333333333333, 1e-12);
}

TEST(SetMetrics, AWordThatTheModelDoesNotKnowIsMissed) {
  SetMetrics m(2, 0.5);
  m.add(std::vector<float>{0.9F, 0.1F}, std::vector<int32_t>{0, 3, 3},
        std::vector<float>{1});  // one right, two unknown
  EXPECT_NEAR(of(m, "jaccard"), 1.0 / 3, 1e-12);
}

TEST(Metrics, FollowTheRecipe) {
  OutputFeature output;
  output.spec = NumberOutput{.loss = RootMeanSquaredError{}};
  auto number = metrics_for(output, 1);
  std::get<NumberMetrics>(number).add(std::vector<double>{3}, std::vector<double>{0}, std::vector<float>{9});
  EXPECT_EQ(of(number, "loss"), 3);
  output.spec = BinaryOutput{.threshold = 0.2};
  auto binary = metrics_for(output, 1);
  std::get<BinaryMetrics>(binary).add(std::vector<float>{0.3F}, std::vector<float>{1}, std::vector<float>{1});
  EXPECT_EQ(of(binary, "recall"), 1);
  output.spec = VectorOutput{};
  const auto vector = metrics_for(output, 2);
  output.spec = SetOutput{};
  const auto set = metrics_for(output, 2);
  output.spec = CategoryOutput{.top_k = 1};
  for (const auto& [type, metrics] : {std::pair{FeatureType::category, metrics_for(output, 4)},
                                      {FeatureType::number, number},
                                      {FeatureType::binary, binary},
                                      {FeatureType::vector, vector},
                                      {FeatureType::set, set}}) {
    const auto named = values(metrics);
    ASSERT_EQ(named.size(), metrics_of(type).size());
    for (size_t i = 0; i < named.size(); ++i) EXPECT_EQ(named[i].name, metrics_of(type)[i].name);
  }
  EXPECT_TRUE(std::isnan(of(number, "accuracy")));
}

}  // namespace
}  // namespace shoestring::task
