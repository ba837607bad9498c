#include "data/folds.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

namespace shoestring::data {
namespace {

std::map<uint8_t, int> counts_of(const std::vector<uint8_t>& splits) {
  std::map<uint8_t, int> counts;
  for (const uint8_t split : splits) ++counts[split];
  return counts;
}

TEST(Folds, EveryRowTestsOnce) {
  const std::vector<int32_t> codes(103);
  std::vector<int> tested(103);
  for (int64_t fold = 1; fold <= 5; ++fold) {
    const auto splits = stratified_fold(codes, {.fold = fold, .folds = 5}, 42);
    auto counts = counts_of(splits);
    EXPECT_TRUE(counts[kTest] == 20 || counts[kTest] == 21) << counts[kTest];
    EXPECT_NEAR(counts[kValidation], (103 - counts[kTest]) / 8.0, 0.51);
    EXPECT_EQ(counts[kTest] + counts[kValidation] + counts[kTrain], 103);
    for (size_t row = 0; row < splits.size(); ++row) tested[row] += splits[row] == kTest;
  }
  EXPECT_EQ(tested, std::vector<int>(103, 1));
}

TEST(Folds, EachClassIsInEveryFoldAlike) {
  std::vector<int32_t> codes;  // 13 missing, 40 of one class, 9 of another, 7 of a third
  for (const auto& [code, count] : std::map<int32_t, int>{{-1, 13}, {0, 40}, {1, 9}, {2, 7}})
    codes.insert(codes.end(), static_cast<size_t>(count), code);
  std::reverse(codes.begin() + 5, codes.end());
  for (int64_t fold = 1; fold <= 3; ++fold) {
    const auto splits = stratified_fold(codes, {.fold = fold, .folds = 3, .validation_share = 0.25}, 7);
    std::map<int32_t, int> test, validation;
    for (size_t row = 0; row < splits.size(); ++row) {
      test[codes[row]] += splits[row] == kTest;
      validation[codes[row]] += splits[row] == kValidation;
    }
    for (const auto& [code, count] : std::map<int32_t, int>{{-1, 13}, {0, 40}, {1, 9}, {2, 7}}) {
      EXPECT_NEAR(test[code], count / 3.0, 0.99) << code;
      EXPECT_NEAR(validation[code], 0.25 * (count - test[code]), 1.01) << code;
    }
  }
}

TEST(Folds, AFunctionOfTheSeed) {
  const std::vector<int32_t> codes(50);
  const Fold fold{.fold = 2, .folds = 4};
  EXPECT_EQ(stratified_fold(codes, fold, 1), stratified_fold(codes, fold, 1));
  EXPECT_NE(stratified_fold(codes, fold, 1), stratified_fold(codes, fold, 2));
}

TEST(Folds, AGroupIsNeverParted) {
  std::vector<int32_t> codes;  // 40 groups of 1 to 8 rows, mixed
  for (int row = 0; row < 8; ++row)
    for (int32_t group = 0; group < 40; ++group)
      if (row <= group % 8) codes.push_back(group);
  std::vector<int> tested(codes.size());
  for (int64_t fold = 1; fold <= 4; ++fold) {
    const auto splits = grouped_fold(codes, {.fold = fold, .folds = 4}, 42);
    std::map<int32_t, std::set<uint8_t>> of;
    for (size_t row = 0; row < codes.size(); ++row) {
      of[codes[row]].insert(splits[row]);
      tested[row] += splits[row] == kTest;
    }
    for (const auto& [group, found] : of) EXPECT_EQ(found.size(), 1u) << group;
    auto counts = counts_of(splits);
    EXPECT_NEAR(counts[kTest], 180 / 4.0, 1);
    EXPECT_NEAR(counts[kValidation], 135 / 8.0, 4);
  }
  EXPECT_EQ(tested, std::vector<int>(codes.size(), 1));
}

TEST(Folds, TwoGroupsLeaveOneToTrain) {
  const std::vector<int32_t> codes{0, 0, 0, 1, 1};
  for (int64_t fold = 1; fold <= 2; ++fold) {
    auto counts = counts_of(grouped_fold(codes, {.fold = fold, .folds = 2}, 42));
    EXPECT_GT(counts[kTrain], 0);
    EXPECT_GT(counts[kTest], 0);
  }
}

}  // namespace
}  // namespace shoestring::data
