#include "train/remarks.h"

#include <gtest/gtest.h>

#include <array>

namespace shoestring::train {
namespace {

Gap accuracy(double training, double held_out, int64_t rows) {
  return {"failed", "accuracy", true, training, held_out, rows, "test"};
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

TEST(Remarks, TheRarestClassIsWeighedAgainstAnEqualShare) {
  EXPECT_FALSE(unbalanced(std::array<int64_t, 2>{30, 70}));
  EXPECT_TRUE(unbalanced(std::array<int64_t, 2>{24, 76}));
  EXPECT_FALSE(unbalanced(std::array<int64_t, 4>{13, 29, 29, 29}));
  EXPECT_FALSE(unbalanced(std::array<int64_t, 1>{100}));
}

TEST(Remarks, LearningByHeartIsARiseBesideAFall) {
  EXPECT_EQ(
      course_remark({100, 1000, 0.191, 0.1194, 0.3072, 0.7116}),
      "From step 100 on it learned the training rows by heart: their loss fell from 0.1910 to 0.1194 while "
      "that of the validation rows rose from 0.3072 to 0.7116. The model of step 100 was kept.");
  EXPECT_EQ(course_remark({100, 1000, 0.191, 0.1194, 0.3072, 0.3100}), "");  // next to no rise
  EXPECT_EQ(course_remark({100, 1000, 0.191, 0.2500, 0.3072, 0.7116}), "");  // diverges rather
  EXPECT_EQ(course_remark({1000, 1000, 0.191, 0.191, 0.3072, 0.3072}), "");
}

}  // namespace
}  // namespace shoestring::train
