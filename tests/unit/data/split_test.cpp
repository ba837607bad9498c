#include "data/split.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

namespace shoestring::data {
namespace {

std::vector<int64_t> counts(const std::vector<uint8_t>& splits) {
  std::vector<int64_t> out(3);
  for (const uint8_t s : splits) ++out.at(s);
  return out;
}

TEST(RandomSplit, ExactShares) {
  EXPECT_EQ(counts(random_split(10, {}, 42)), (std::vector<int64_t>{7, 1, 2}));
  EXPECT_EQ(counts(random_split(1000, {}, 42)), (std::vector<int64_t>{700, 100, 200}));
  EXPECT_EQ(counts(random_split(32'561, {}, 42)), (std::vector<int64_t>{22'793, 3'256, 6'512}));
  EXPECT_EQ(counts(random_split(7, {0.5, 0.25, 0.25}, 1)), (std::vector<int64_t>{3, 2, 2}));
  EXPECT_EQ(counts(random_split(5, {1, 0, 0}, 1)), (std::vector<int64_t>{5, 0, 0}));
  EXPECT_EQ(counts(random_split(1, {}, 1)), (std::vector<int64_t>{1, 0, 0}));
  EXPECT_TRUE(random_split(0, {}, 1).empty());
}

TEST(RandomSplit, AFunctionOfTheSeed) {
  EXPECT_EQ(random_split(500, {}, 42), random_split(500, {}, 42));
  EXPECT_NE(random_split(500, {}, 42), random_split(500, {}, 43));
  // Every row is as likely to train: over many seeds about 70 %.
  std::vector<int> trained(50);
  for (uint64_t seed = 0; seed < 1000; ++seed) {
    const auto splits = random_split(50, {}, seed);
    for (size_t r = 0; r < 50; ++r) trained[r] += splits[r] == kTrain;
  }
  EXPECT_GT(*std::min_element(trained.begin(), trained.end()), 640);
  EXPECT_LT(*std::max_element(trained.begin(), trained.end()), 760);
}

TEST(StratifiedSplit, EachClassInProportion) {
  std::vector<int32_t> codes;
  for (int i = 0; i < 1000; ++i) codes.push_back(i % 10 == 0 ? 1 : i % 100 == 5 ? -1 : 0);
  const auto splits = stratified_split(codes, {}, 42);
  std::vector<std::vector<int64_t>> by_class(3, std::vector<int64_t>(3));
  for (size_t r = 0; r < codes.size(); ++r) ++by_class[codes[r] + 1][splits[r]];
  EXPECT_EQ(by_class[0], (std::vector<int64_t>{7, 1, 2}));
  EXPECT_EQ(by_class[2], (std::vector<int64_t>{70, 10, 20}));
  EXPECT_EQ(by_class[1], (std::vector<int64_t>{623, 89, 178}));
  EXPECT_EQ(splits, stratified_split(codes, {}, 42));
  EXPECT_TRUE(stratified_split({}, {}, 42).empty());
}

TEST(SplitShares, Checked) {
  EXPECT_TRUE(check({}));
  EXPECT_TRUE(check({0.8, 0.2, 0}));
  for (const SplitShares& bad : {SplitShares{0.7, 0.1, 0.3}, SplitShares{0, 0.5, 0.5},
                                 SplitShares{1.1, -0.1, 0}, SplitShares{0.0 / 0.0, 0.5, 0.5}}) {
    const Status s = check(bad);
    ASSERT_FALSE(s);
    EXPECT_EQ(s.error().kind, ErrorKind::usage);
  }
}

TEST(FixedSplit, NumbersAndWords) {
  std::vector<uint8_t> splits;
  EXPECT_FALSE(append_fixed_split(
      make_batch({{"0"}, {" 1"}, {"2.0"}, {"train"}, {"validation"}, {"test"}}).column(0), 0, splits));
  EXPECT_EQ(splits, (std::vector<uint8_t>{0, 1, 2, 0, 1, 2}));
  for (const char* bad : {"3", "", "?", "0.5", "dev"}) {
    const RecordBatch batch = make_batch({{"0"}, {bad}});
    const auto error = append_fixed_split(batch.column(0), 10, splits);
    ASSERT_TRUE(error) << bad;
    EXPECT_EQ(error->row, 11);
    EXPECT_EQ(error->value, bad);
  }
}

TEST(EpochOrder, PermutationsByEpoch) {
  std::vector<uint32_t> rows(100), first(100), again(100), second(100);
  std::iota(rows.begin(), rows.end(), 1000u);
  epoch_order(rows, 42, 0, first);
  epoch_order(rows, 42, 0, again);
  epoch_order(rows, 42, 1, second);
  EXPECT_EQ(first, again);
  EXPECT_NE(first, second);
  EXPECT_NE(first, rows);
  std::sort(first.begin(), first.end());
  EXPECT_EQ(first, rows);
  std::vector<uint32_t> other(100);
  epoch_order(rows, 43, 1, other);
  EXPECT_NE(other, second);
}

TEST(RowsOf, Ascending) {
  const std::vector<uint8_t> splits{0, 2, 0, 1, 2, kUnused};
  EXPECT_EQ(rows_of(splits, kTrain), (std::vector<uint32_t>{0, 2}));
  EXPECT_EQ(rows_of(splits, kTest), (std::vector<uint32_t>{1, 4}));
}

}  // namespace
}  // namespace shoestring::data
