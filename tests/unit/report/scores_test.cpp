// Curves against scikit-learn's numbers (scores_sklearn.py), and against what can be told by hand.
#include "report/scores.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "unit/report/scores_sklearn.h"

namespace shoestring::report {
namespace {

Scores scores_of(int64_t rows, int64_t exact_rows) {
  Scores scores(exact_rows);
  for (int64_t i = 0; i < rows; ++i) {
    const auto score = static_cast<float>(static_cast<double>((i * 7919 + 13) % 1009) / 1008);
    scores.add(score, static_cast<double>(i * 104729 % 997) / 996 < std::pow(static_cast<double>(score), 2));
  }
  return scores;
}

// True and false positives at a threshold: the last point that is not below it.
ThresholdPoint at(const ScoreCurves& curves, double threshold) {
  ThresholdPoint point;
  for (const ThresholdPoint& p : curves.points)
    if (p.threshold >= static_cast<float>(threshold)) point = p;
  return point;
}

template <size_t n>
void expect_calibration(const ScoreCurves& curves, const double (&wanted)[n][3], double mean_error,
                        double rows_error) {
  ASSERT_EQ(curves.calibration.size(), n);
  for (size_t b = 0; b < n; ++b) {
    EXPECT_NEAR(curves.calibration[b].mean_score, wanted[b][0], mean_error);
    EXPECT_NEAR(curves.calibration[b].share_true, wanted[b][1], 10 * mean_error);
    EXPECT_NEAR(static_cast<double>(curves.calibration[b].rows), wanted[b][2], rows_error);
  }
}

TEST(Scores, FewRowsGiveWhatScikitLearnSays) {
  const ScoreCurves c = curves_of(scores_of(3000, 4096).groups(), 2000);
  EXPECT_NEAR(c.roc_auc, kFewAreas[0][0], 1e-9);
  EXPECT_NEAR(c.average_precision, kFewAreas[0][1], 1e-9);
  EXPECT_NEAR(c.brier, kFewAreas[0][2], 1e-7);
  EXPECT_NEAR(c.best_f1, kFewAreas[0][3], 1e-9);
  EXPECT_NEAR(c.best_threshold, kFewAreas[0][4], 1e-7);
  expect_calibration(c, kFewCalibration, 1e-7, 0);
  for (const auto& [threshold, tp, fp] : kFewCounts) {
    EXPECT_EQ(static_cast<double>(at(c, threshold).true_positives), tp) << threshold;
    EXPECT_EQ(static_cast<double>(at(c, threshold).false_positives), fp) << threshold;
  }
  for (const auto& [rows, found] : kFewGains)
    EXPECT_NEAR(c.lift[static_cast<size_t>(std::lround(20 * rows))].share_of_positives, found, 1e-9) << rows;
}

TEST(Scores, ManyRowsAreCountedInGroups) {
  const Scores scores = scores_of(100'000, 1'000);  // 1,009 scores: groups are as good as exact, or merged
  EXPECT_EQ(scores.rows(), 100'000);
  EXPECT_LE(scores.groups().size(), 1'009u);
  const ScoreCurves c = curves_of(scores.groups());
  EXPECT_NEAR(c.roc_auc, kManyAreas[0][0], 1e-4);
  EXPECT_NEAR(c.average_precision, kManyAreas[0][1], 1e-3);
  EXPECT_NEAR(c.best_f1, kManyAreas[0][3], 1e-3);
  expect_calibration(c, kManyCalibration, 1e-3, 200);
  for (const auto& [rows, found] : kManyGains)
    EXPECT_NEAR(c.lift[static_cast<size_t>(std::lround(20 * rows))].share_of_positives, found, 1e-3) << rows;
  EXPECT_LE(c.points.size(), 162u);
}

TEST(Scores, GroupsOfSeveralScoresKeepTheCountsAtTheirEdges) {
  Scores few(4'096), many(4'096);
  for (int i = 0; i < 40'000; ++i) {
    const auto score = static_cast<float>((i * 7919) % 39'989) / 39'988.0F;  // hardly one twice
    (i < 4'000 ? few : many).add(score, i % 3 == 0);
    if (i < 4'000) many.add(score, i % 3 == 0);
  }
  EXPECT_GT(few.groups().size(), 3'900u);
  const auto groups = many.groups();
  EXPECT_LE(groups.size(), 2'048u);
  int64_t rows = 0;
  for (size_t g = 0; g < groups.size(); ++g) {
    rows += groups[g].rows();
    int64_t above = 0;
    for (int i = 0; i < 40'000 && g % 200 == 0; ++i)
      above += static_cast<float>((i * 7919) % 39'989) / 39'988.0F >= groups[g].least;
    if (g % 200 == 0) {
      EXPECT_EQ(rows, above);
    }
  }
  EXPECT_EQ(rows, 40'000);
}

TEST(Scores, PointsAreThinnedEvenlyAndKeepTheBest) {
  const ScoreCurves all = curves_of(scores_of(3000, 4096).groups(), 2000);
  const ScoreCurves some = curves_of(scores_of(3000, 4096).groups(), 40);
  EXPECT_GT(all.points.size(), 900u);
  EXPECT_LE(some.points.size(), 42u);
  EXPECT_EQ(some.points.front().true_positives, 0);
  EXPECT_EQ(some.points.back().true_positives, all.positives);
  EXPECT_NE(std::find_if(some.points.begin(), some.points.end(),
                         [&](const auto& p) { return p.threshold == all.best_threshold; }),
            some.points.end());
}

TEST(Scores, F1AtAThreshold) {
  Scores scores;  // by hand: at 0.6 two of three that are so are found, and one that is not
  for (const float s : {0.9F, 0.6F, 0.2F}) scores.add(s, true);
  for (const float s : {0.7F, 0.5F, 0.1F}) scores.add(s, false);
  EXPECT_DOUBLE_EQ(f1_at(scores.groups(), 0.6), 2 * 2 / 6.0);
  EXPECT_DOUBLE_EQ(f1_at(scores.groups(), 0.8), 2 * 1 / 4.0);
  EXPECT_DOUBLE_EQ(f1_at(scores.groups(), 0.95), 0);
  const ScoreCurves c = curves_of(scores.groups());
  EXPECT_DOUBLE_EQ(f1_at(scores.groups(), c.best_threshold), c.best_f1);
}

TEST(Scores, OneClassHasNoArea) {
  Scores scores;
  for (int i = 0; i < 10; ++i) scores.add(0.1F * static_cast<float>(i), true);
  const ScoreCurves c = curves_of(scores.groups());
  EXPECT_TRUE(std::isnan(c.roc_auc));
  EXPECT_DOUBLE_EQ(c.average_precision, 1);
  EXPECT_TRUE(std::isnan(curves_of({}).roc_auc));
}

TEST(Scores, RowsThatAreSurelyOfTheOtherKindAreDoubted) {
  Scores scores;
  for (int i = 0; i < 95; ++i) scores.add(0.9F, true), scores.add(0.1F, false);
  for (int i = 0; i < 5; ++i) scores.add(0.05F, true);
  for (int i = 0; i < 3; ++i) scores.add(0.95F, false);
  const ScoreCurves c = curves_of(scores.groups());
  EXPECT_EQ(c.doubted_positives, 5);
  EXPECT_EQ(c.doubted_negatives, 3);
}

}  // namespace
}  // namespace shoestring::report
