#include "task/target_encoding.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace shoestring::task {
namespace {

// The table of target_encoding.py, which prints the values below.
struct Table {
  std::vector<int32_t> words, kind;
  std::vector<float> number, truth;
  std::vector<uint32_t> rows = std::vector<uint32_t>(40);
  Table() {
    std::iota(rows.begin(), rows.end(), 0u);
    for (int i = 0; i < 40; ++i) {
      words.push_back(i % 5 ? i * i % 7 % 4 : 3);
      number.push_back(static_cast<float>((i * 37 % 23) / 4.0 + words.back() * 1.5 + 1000));
      truth.push_back(i * 11 % 13 + words.back() * 3 > 9 ? 1.0F : 0.0F);
      kind.push_back((i * 5 % 11 + words.back()) % 3);
    }
  }
  std::vector<TargetValues> targets() const {
    return {{.numbers = number}, {.numbers = truth}, {.codes = kind, .classes = 3}};
  }
};

TEST(TargetEncoding, MeansOfAllTrainingRowsAreThoseOfScikitLearn) {
  const Table t;
  // number, truth and the three classes of kind, of each of the four words.
  const struct {
    std::optional<double> smoothing;
    double means[5][4];
  } wanted[] = {{10.0,
                 {{-0.6268796, 0.1649683, 0.4328455, 0.1459402},
                  {-0.2752930, 0.1110831, -0.0502519, 0.2903443},
                  {-0.0177499, 0.0429735, -0.1020621, 0.0907218},
                  {-0.0208863, -0.1039428, -0.0266880, 0.1660588},
                  {0.0413834, 0.0618829, 0.1399731, -0.2737252}}},
                {0.0,
                 {{-1.1090947, 0.3482665, 0.8656909, 0.3283655},
                  {-0.4870568, 0.2345088, -0.1005038, 0.6532746},
                  {-0.0314037, 0.0907218, -0.2041241, 0.2041241},
                  {-0.0369527, -0.2194349, -0.0533761, 0.3736324},
                  {0.0732167, 0.1306416, 0.2799463, -0.6158818}}},
                {std::nullopt,
                 {{-1.0639256, 0.3389589, 0.8279175, 0.3253216},
                  {-0.4568130, 0.2132358, -0.0912833, 0.6190768},
                  {-0.0291894, 0.0814151, -0.1877004, 0.1806075},
                  {-0.0343843, -0.2017715, -0.0487129, 0.3270448},
                  {0.0676563, 0.1162453, 0.2498681, -0.6158818}}}};
  for (const auto& [smoothing, means] : wanted) {
    const auto table =
        fit_targets({.folds = 3, .smoothing = smoothing, .seed = 7}, t.words, 4, t.rows, t.targets());
    ASSERT_EQ(table.width, 5);
    ASSERT_EQ(table.means.size(), 4u * 4 * 5);
    for (size_t c = 0; c < 5; ++c)
      for (size_t w = 0; w < 4; ++w)
        EXPECT_NEAR(table.means[w * 5 + c], means[c][w], 2e-6)
            << smoothing.value_or(-1) << " " << c << " " << w;
  }
}

// A training row's means are those of the rows outside its fold, by looking at each of them; a word that only
// its own fold has gets the mean of the others.
TEST(TargetEncoding, ARowsOwnFoldDoesNotCount) {
  Table t;
  t.words[17] = 4;  // alone
  const auto table = fit_targets({.folds = 4, .smoothing = 2, .seed = 3}, t.words, 5, t.rows, t.targets());
  double mean = 0, square = 0;
  for (const float y : t.number) mean += y / 40.0;
  for (const float y : t.number) square += (y - mean) * (y - mean) / 40.0;
  std::vector<int> in_fold(5);
  for (const uint32_t row : t.rows) {
    const int64_t fold = target_fold(table, row);
    ASSERT_GE(fold, 1);
    ASSERT_LE(fold, 4);
    ++in_fold[static_cast<size_t>(fold)];
    double sum = 0, n = 0, all = 0, others = 0;
    for (const uint32_t other : t.rows) {
      if (target_fold(table, other) == fold) continue;
      all += t.number[other], ++others;
      if (t.words[other] == t.words[row]) sum += t.number[other], ++n;
    }
    const double encoding = (sum + 2 * all / others) / (n + 2);
    const auto at = static_cast<size_t>((fold * 5 + t.words[row]) * table.width);
    EXPECT_NEAR(table.means[at], (encoding - mean) / std::sqrt(square), 1e-5) << row;
    if (row == 17) {
      EXPECT_EQ(n, 0);
    }
  }
  EXPECT_GT(*std::min_element(in_fold.begin() + 1, in_fold.end()), 3);
}

// Words that are all distinct say nothing: neither to the training rows nor to others.
TEST(TargetEncoding, DistinctWordsGiveNothingAway) {
  std::vector<int32_t> words(1000);
  std::iota(words.begin(), words.end(), 0);
  std::vector<float> truth;
  std::vector<uint32_t> rows;
  for (uint32_t row = 0; row < 1000; ++row)
    truth.push_back(row * 7919u % 1000 < 300 ? 1.0F : 0.0F), rows.push_back(row);
  for (const std::optional<double>& smoothing : {std::optional<double>(10), std::optional<double>()}) {
    const TargetValues target{.numbers = truth};
    const auto table = fit_targets({.smoothing = smoothing}, words, 1001, rows, {&target, 1});
    EXPECT_EQ(table.means[1000], 0);  // of a word that training has not seen
    double with_own = 0;
    for (const uint32_t row : rows) {
      const float seen = table.means[static_cast<size_t>(target_fold(table, row) * 1001) + row];
      EXPECT_LT(std::abs(seen), 0.1F);
      with_own += seen * (truth[row] - 0.3);
    }
    EXPECT_LT(with_own / 1000 / std::sqrt(0.21), 0.001);
  }
}

TEST(TargetEncoding, ValuesThatAreMissingCountForNothing) {
  Table t;
  const auto all = fit_targets({}, std::span(t.words).first(30), 4, std::span(t.rows).first(30), t.targets());
  for (size_t row = 30; row < 40; ++row) t.number[row] = NAN, t.truth[row] = NAN, t.kind[row] = -1;
  EXPECT_EQ(fit_targets({}, t.words, 4, t.rows, t.targets()), all);
}

TEST(TargetEncoding, Reordered) {
  const Table t;
  auto table = fit_targets({.folds = 2}, t.words, 4, t.rows, t.targets());
  std::vector<int32_t> renamed;
  const int32_t place[] = {2, 0, 3, 1};  // what 0 was is 2 now
  for (const int32_t word : t.words) renamed.push_back(place[word]);
  const size_t order[] = {1, 3, 0, 2};
  reorder(table, order);
  EXPECT_EQ(table, fit_targets({.folds = 2}, renamed, 4, t.rows, t.targets()));
}

}  // namespace
}  // namespace shoestring::task
