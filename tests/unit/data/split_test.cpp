#include "data/split.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
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

// Values that are too rare to be in every split make up for each other: all of them distinct are split at
// random, to the shares of the whole.
TEST(StratifiedSplit, RareValuesMakeUpForEachOther) {
  std::vector<int32_t> codes(1000);
  std::iota(codes.begin(), codes.end(), 0);
  const auto splits = stratified_split(codes, {}, 42);
  EXPECT_EQ(counts(splits), (std::vector<int64_t>{700, 100, 200}));
  EXPECT_NE(splits, stratified_split(codes, {}, 43));
  int64_t tests_in_first_half = 0;
  for (size_t r = 0; r < 500; ++r) tests_in_first_half += splits[r] == kTest;
  EXPECT_NEAR(static_cast<double>(tests_in_first_half), 100, 25);
  for (int32_t& code : codes) code /= 3;  // three rows each: two train, and one tests or validates, or trains
  EXPECT_EQ(counts(stratified_split(codes, {}, 42)), (std::vector<int64_t>{700, 100, 200}));
}

TEST(StratifiedSplit, NothingWhereNothingIsWanted) {
  std::vector<int32_t> codes(100);
  std::iota(codes.begin(), codes.end(), 0);
  EXPECT_EQ(counts(stratified_split(codes, {0.8, 0.2, 0}, 42)), (std::vector<int64_t>{80, 20, 0}));
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

TEST(OrderedSplit, TheGreatestTest) {
  const double none = 0.0 / 0.0;
  const std::vector<double> values{50, 10, none, 40, 20, 30, 60, 70, 80, 90, 100};
  const auto splits = ordered_split(values, {0.7, 0.1, 0.2});
  EXPECT_EQ(splits, (std::vector<uint8_t>{0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 2}));
  // Of equal values the upper rows are the earlier.
  const std::vector<double> equal(10, 5.0);
  EXPECT_EQ(ordered_split(equal, {0.7, 0.1, 0.2}), (std::vector<uint8_t>{0, 0, 0, 0, 0, 0, 0, 1, 2, 2}));
}

// Python: mix(zlib.crc32(b"a")) / 2**32 with
//   def mix(x):
//     x = (x ^ x >> 16) * 0x85EBCA6B % 2**32
//     x = (x ^ x >> 13) * 0xC2B2AE35 % 2**32
//     return x ^ x >> 16
// = 0.773, of b 0.817, customer-17 0.839, 2016-07-01 0.323, x1 0.810, 2 0.175, "" 0; of user0 … user9999
// 7047, 939 and 2014 fall below 0.7, 0.8 and 1.
TEST(HashSplit, TheMixedCrcDecides) {
  const SplitShares shares{0.3, 0.48, 0.22};
  EXPECT_EQ(hash_split("2", shares), kTrain);
  EXPECT_EQ(hash_split("2016-07-01", shares), kValidation);
  EXPECT_EQ(hash_split("a", shares), kValidation);
  EXPECT_EQ(hash_split("b", shares), kTest);
  EXPECT_EQ(hash_split("customer-17", shares), kTest);
  EXPECT_EQ(hash_split("", shares), kTrain);
  EXPECT_EQ(hash_split("x1", {0.5, 0.5, 0}), kValidation);
  std::vector<int64_t> count(3);
  for (int i = 0; i < 10'000; ++i) ++count[hash_split("user" + std::to_string(i), {0.7, 0.1, 0.2})];
  EXPECT_EQ(count, (std::vector<int64_t>{7047, 939, 2014}));
}

// 0 … 9999 as they are and with letters before or after: in each hundred in a row the shares are those of
// draws at random: chi² of two degrees of freedom has a mean of 2 (that of CRC-32 alone is 1.2, 1.3
// and 18.9).
TEST(HashSplit, ShortSimilarValuesAreSpread) {
  const double share[] = {0.7, 0.1, 0.2};
  for (const auto& [before, after] : {std::pair("", ""), std::pair("id", ""), std::pair("", "x")}) {
    double chi2 = 0;
    for (int hundred = 0; hundred < 100; ++hundred) {
      std::vector<int64_t> count(3);
      for (int i = 0; i < 100; ++i)
        ++count[hash_split(before + std::to_string(100 * hundred + i) + after, {0.7, 0.1, 0.2})];
      for (size_t s = 0; s < 3; ++s) {
        const double wanted = 100 * share[s];
        chi2 += (static_cast<double>(count[s]) - wanted) * (static_cast<double>(count[s]) - wanted) / wanted;
      }
    }
    EXPECT_NEAR(chi2 / 100, 2, 0.6) << before << after;
  }
}

TEST(GroupSplit, GroupsStayWhole) {
  std::vector<int32_t> codes;
  for (int i = 0; i < 2000; ++i) codes.push_back((i * i + 7 * i) % 150 - 1);
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const auto splits = group_split(codes, {}, seed);
    std::vector<int> of_group(150, -1);
    for (size_t r = 0; r < codes.size(); ++r) {
      int& known = of_group[static_cast<size_t>(codes[r] + 1)];
      if (known < 0) known = splits[r];
      ASSERT_EQ(known, splits[r]);
    }
    const auto n = counts(splits);
    EXPECT_NEAR(n[0], 1400, 30);
    EXPECT_NEAR(n[1], 200, 30);
    EXPECT_NEAR(n[2], 400, 30);
    EXPECT_EQ(splits, group_split(codes, {}, seed));
  }
  EXPECT_NE(group_split(codes, {}, 1), group_split(codes, {}, 2));
  EXPECT_TRUE(group_split({}, {}, 1).empty());
  // Three equal groups: two train, one tests.
  std::vector<int32_t> three;
  for (int i = 0; i < 30; ++i) three.push_back(i % 3);
  EXPECT_EQ(counts(group_split(three, {}, 5)), (std::vector<int64_t>{20, 0, 10}));
}

TEST(Samples, WithoutReplacement) {
  const auto rows = sample_rows(100, 30, 7);
  EXPECT_EQ(rows.size(), 30u);
  EXPECT_EQ(std::adjacent_find(rows.begin(), rows.end(), std::greater_equal<>()), rows.end());
  EXPECT_EQ(rows, sample_rows(100, 30, 7));
  EXPECT_NE(rows, sample_rows(100, 30, 8));
  EXPECT_EQ(sample_rows(5, 9, 7).size(), 5u);
}

TEST(Resample, EachClassToItsCount) {
  std::vector<uint32_t> rows;
  std::vector<int32_t> class_of;
  for (uint32_t r = 0; r < 100; ++r) class_of.push_back(r % 10 == 0 ? 1 : r % 10 == 1 ? -1 : 0);
  for (uint32_t r = 0; r < 100; r += 1) rows.push_back(r);
  const std::vector<int64_t> wanted{80, 25};
  const auto out = resample(rows, class_of, wanted, 3);
  std::vector<int> times(100);
  for (const uint32_t r : out) ++times[r];
  for (uint32_t r = 0; r < 100; ++r) {
    // 25 of 10 rows: each twice, five of them once more. Rows of no class stay.
    if (r % 10 == 0)
      EXPECT_TRUE(times[r] == 2 || times[r] == 3) << r;
    else
      EXPECT_EQ(times[r], 1) << r;
  }
  EXPECT_EQ(out.size(), 115u);
  const std::vector<int64_t> fewer{20, 10};
  EXPECT_EQ(resample(rows, class_of, fewer, 3).size(), 40u);
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
