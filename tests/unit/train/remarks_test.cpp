#include "train/remarks.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

namespace shoestring::train {
namespace {

Gap accuracy(double training, double held_out, int64_t rows) {
  return {"failed", "accuracy", true, training, held_out, rows, "test"};
}

Course course(int64_t best_step, int64_t last_step, double best_training, double last_training,
              double best_validation, double last_validation) {
  return {best_step, last_step, 0.7, best_training, last_training, best_validation, last_validation};
}

TEST(Remarks, AGapWithinTheChanceOfFewRowsIsNoOverfitting) {
  EXPECT_FALSE(overfits(accuracy(0.95, 0.90, 20)));     // two standard errors of 20 rows are 0.13
  EXPECT_TRUE(overfits(accuracy(0.95, 0.90, 2000)));    // of 2,000 they are 0.013
  EXPECT_FALSE(overfits(accuracy(0.95, 0.94, 20000)));  // below 0.02
  EXPECT_FALSE(overfits(accuracy(0.90, 0.95, 2000)));
  EXPECT_FALSE(overfits(accuracy(0.95, 0.10, 0)));
}

TEST(Remarks, OverfittingNamesTheNumbersAndWhatHelps) {
  EXPECT_EQ(
      overfitting_remark(accuracy(0.99, 0.8, 400)),
      "It overfits: accuracy of 'failed' is 0.99 on the training rows and 0.8 on the 400 test rows. More "
      "rows, dropout, weight_decay or a smaller network would help.");
}

TEST(Remarks, WhatIsNotKnownIsNotCompared) {
  EXPECT_EQ(overfitting_remark(accuracy(NAN, 0.8, 400)), "");
  EXPECT_EQ(overfitting_remark(accuracy(0.8, NAN, 400)), "");
  EXPECT_NE(overfitting_remark(accuracy(0.8, 1, 1)).find("on the 1 test row."), std::string::npos);
}

TEST(Remarks, TheRarestClassIsWeighedAgainstAnEqualShare) {
  EXPECT_FALSE(unbalanced(std::array<int64_t, 2>{30, 70}));
  EXPECT_TRUE(unbalanced(std::array<int64_t, 2>{24, 76}));
  EXPECT_FALSE(unbalanced(std::array<int64_t, 4>{13, 29, 29, 29}));
  EXPECT_FALSE(unbalanced(std::array<int64_t, 1>{100}));
}

TEST(Remarks, LearningByHeartIsARiseBesideAFall) {
  EXPECT_EQ(
      course_remark(course(100, 1000, 0.191, 0.1194, 0.3072, 0.7116)),
      "From step 100 on it learned the training rows by heart: their loss fell from 0.1910 to 0.1194 while "
      "that of the validation rows rose from 0.3072 to 0.7116. The model of step 100 is the best.");
  EXPECT_EQ(course_remark(course(100, 1000, 0.191, 0.1194, 0.3072, 0.3100)), "");  // next to no rise
  EXPECT_EQ(course_remark(course(100, 1000, 0.191, 0.2500, 0.3072, 0.7116)), "");  // diverges rather
  EXPECT_EQ(course_remark(course(1000, 1000, 0.191, 0.191, 0.3072, 0.3072)), "");
  EXPECT_EQ(course_remark({}), "");
}

TEST(Remarks, ALossThatRoseIsNamed) {
  EXPECT_EQ(course_remark({10, 100, 0.7, 0.6, 1.4e12, 0.6, 2e12}),
            "The loss rose from 0.7 of the untrained model to 1.4e+12: a lower learning_rate would help.");
}

TEST(Remarks, FewRowsCannotTell) {
  EXPECT_EQ(overfitting_remark(accuracy(0.95, 0.90, 20)),
            "Too few rows to tell whether it overfits: accuracy of 'failed' is 0.95 on the training rows and "
            "0.9 on "
            "the 20 test rows, a gap that chance may give.");
}

TEST(Remarks, AModelThatHelpsNobodyIsNamed) {
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  const auto classes = [](double accuracy, double roc_auc) {
    return usefulness_remark({"y", "no", accuracy, 0.55, roc_auc, kNone, 200, "test"});
  };
  EXPECT_EQ(
      classes(0.45, 0.47),
      "It has learned nothing that helps: accuracy of 'y' is 0.45 on the 200 test rows, and always answering "
      "'no' was right for 0.55 of the training rows.");
  EXPECT_EQ(classes(0.55, 0.80), "");  // it ranks well
  EXPECT_EQ(classes(0.70, kNone), "");
  EXPECT_NE(classes(0.50, kNone), "");
  const auto number = [](double r2) {
    return usefulness_remark({"y", "", kNone, kNone, kNone, r2, 200, "test"});
  };
  EXPECT_NE(number(-0.95), "");
  EXPECT_EQ(number(0.2), "");
}

TEST(Remarks, EvaluationSaysWhatItsEvidenceAllows) {
  task::NetworkSpec spec;
  spec.recipe.outputs = {{"price", "price", task::NumberOutput{}}, {"sold", "sold", task::BinaryOutput{}}};
  task::Fits fits;
  fits.outputs = {
      task::NumberFit{},
      task::BinaryFit{.true_label = "yes", .false_label = "no", .true_rows = 5, .false_rows = 95}};
  const auto metrics = [](double error, double r2, double accuracy) {
    Metrics m;
    m.rows = 1000;
    m.outputs = {{"price", {{"mean_absolute_error", error}, {"r2", r2}}}, {"sold", {{"accuracy", accuracy}}}};
    return m;
  };
  const std::string unbalanced = "The classes of 'sold' are unbalanced";
  // Without the metrics of training: no word on overfitting.
  auto said = remarks_on(spec, fits, metrics(2, -0.1, 0.99), "test", nullptr);
  ASSERT_EQ(said.size(), 2u);
  EXPECT_TRUE(said[0].starts_with("It has learned nothing that helps: on the 1000 test rows")) << said[0];
  EXPECT_TRUE(said[1].starts_with(unbalanced)) << said[1];
  // With them: the error has doubled.
  const Metrics training = metrics(1, 0.9, 0.99);
  said = remarks_on(spec, fits, metrics(2, 0.5, 0.99), "test", &training);
  ASSERT_EQ(said.size(), 3u);
  EXPECT_TRUE(
      said[0].starts_with("It overfits: mean_absolute_error of 'price' is 1 on the training rows and 2"))
      << said[0];
  EXPECT_TRUE(said[1].starts_with("No sign of overfitting: accuracy of 'sold'")) << said[1];
  EXPECT_TRUE(said[2].starts_with(unbalanced)) << said[2];
}

// A gap beside an answer that needs no model is no overfitting where nothing was learned of the training rows
// either.
TEST(Remarks, AModelAtChanceIsNotCalledOverfitted) {
  task::NetworkSpec spec;
  spec.recipe.outputs = {{"y", "y", task::BinaryOutput{}}};
  task::Fits fits;
  fits.outputs = {
      task::BinaryFit{.true_label = "yes", .false_label = "no", .true_rows = 48, .false_rows = 52}};
  const auto metrics = [](int64_t rows, double accuracy) {
    Metrics m;
    m.rows = rows;
    m.outputs = {{"y", {{"accuracy", accuracy}, {"roc_auc", 0.5}}}};
    return m;
  };
  const Metrics chance = metrics(100, 0.58), by_heart = metrics(100, 0.99);
  const auto said = [&](const Metrics& training) {
    return remarks_on(spec, fits, metrics(20, 0.3), "test", &training).front();
  };
  EXPECT_TRUE(said(chance).starts_with("It has learned nothing that helps")) << said(chance);
  EXPECT_TRUE(said(by_heart).starts_with("It overfits")) << said(by_heart);
}

}  // namespace
}  // namespace shoestring::train
