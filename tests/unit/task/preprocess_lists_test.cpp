// Vectors, sets, bags and dates: fitted and encoded.
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "task/preprocess.h"

namespace shoestring::task {
namespace {

std::vector<uint32_t> first_rows(size_t count) {
  std::vector<uint32_t> rows(count);
  std::iota(rows.begin(), rows.end(), 0);
  return rows;
}

// ---- vectors -----------------------------------------------------------------------------------

data::Lists<float> vectors(const std::vector<std::vector<float>>& rows) {  // an empty one is missing
  data::Lists<float> out;
  for (const auto& row : rows) {
    out.values.insert(out.values.end(), row.begin(), row.end());
    out.end_row(row.empty());
  }
  return out;
}

Result<VectorFit> vector_fit(const data::Lists<float>& column, VectorPreprocessing preprocessing = {},
                             bool is_output = false) {
  const auto rows = first_rows(static_cast<size_t>(column.rows()));
  return fit_vector(preprocessing, {"input feature 'v'", is_output, rows}, column);
}

std::vector<std::vector<float>> encoded(const VectorFit& fit, const data::Lists<float>& column,
                                        std::vector<uint8_t>* drop = nullptr, data::BadCells* bad = nullptr,
                                        const Neighbours& near = {}) {
  data::FloatRows out(static_cast<int>(fit.size));
  encode(fit, column, drop, out, bad, 10, near);
  std::vector<std::vector<float>> rows;
  for (int64_t r = 0; r < out.rows(); ++r) rows.emplace_back(out.row(r), out.row(r) + fit.size);
  return rows;
}

TEST(VectorFit, OddLengthsAreMissing) {
  const auto column = vectors({{1, 2}, {3, 4}, {}, {5, 6, 7}, {5, 6}});
  const auto fit = *vector_fit(column);
  EXPECT_EQ(fit.size, 2);
  EXPECT_EQ(fit.usual, (std::vector<float>{3, 4}));  // the mean of the three
  data::BadCells bad;
  EXPECT_EQ(encoded(fit, column, nullptr, &bad),
            (std::vector<std::vector<float>>{{1, 2}, {3, 4}, {0, 0}, {0, 0}, {5, 6}}));
  EXPECT_EQ(bad.count, 1);
  EXPECT_EQ(bad.first_row, 13);
  EXPECT_EQ(bad.first_value, "5 6 7");
  EXPECT_EQ(cell_of(Fit(fit)), "a list of 2 numbers");
}

TEST(VectorFit, SizeAndFillAsTheRecipeSays) {
  const auto column = vectors({{1, 2}, {1, 2}, {5, 6, 7}, {}});
  const auto fit = *vector_fit(column, {.vector_size = 3, .fill_value = "[7, 8, 9]"});
  EXPECT_EQ(encoded(fit, column),
            (std::vector<std::vector<float>>{{7, 8, 9}, {7, 8, 9}, {5, 6, 7}, {7, 8, 9}}));
  const auto wrong = vector_fit(column, {.fill_value = "1 2 3"});
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().kind, ErrorKind::usage);
  EXPECT_NE(wrong.error().what.find("not a list of 2 numbers"), std::string::npos);
}

TEST(VectorFit, Strategies) {
  const auto column = vectors({{}, {1, 1}, {}, {2, 2}, {2, 2}, {}});
  using S = MissingValues;
  const auto with = [&](S strategy, std::vector<uint8_t>* drop = nullptr) {
    std::vector<float> firsts;
    for (const auto& row : encoded(*vector_fit(column, {.missing_value_strategy = strategy}), column, drop))
      firsts.push_back(row[0]);
    return firsts;
  };
  const float mean = static_cast<float>(5.0 / 3);
  EXPECT_EQ(with(S::ffill), (std::vector<float>{mean, 1, 1, 2, 2, 2}));
  EXPECT_EQ(with(S::bfill), (std::vector<float>{1, 1, 2, 2, 2, mean}));
  EXPECT_EQ(with(S::fill_with_mode), (std::vector<float>{2, 1, 2, 2, 2, 2}));
  std::vector<uint8_t> drop(6);
  with(S::drop_row, &drop);
  EXPECT_EQ(drop, (std::vector<uint8_t>{1, 0, 1, 0, 0, 1}));
}

TEST(VectorFit, ScalesEachPlace) {
  const auto column = vectors({{1, 10}, {3, 10}, {}});
  const auto fit = *vector_fit(column, {.normalization = Normalization::zscore});
  const auto rows = encoded(fit, column);  // means 2 and 10, deviations 1 and none
  EXPECT_EQ(rows, (std::vector<std::vector<float>>{{-1, 0}, {1, 0}, {-2, -10}}));
  std::vector<float> back = rows[2];
  decode(fit, back);
  EXPECT_EQ(back, (std::vector<float>{0, 0}));
}

// A table that streams through in parts is filled as the whole is.
TEST(VectorFit, FillsFromEarlierBatches) {
  const auto whole = vectors({{1, 1}, {}, {2, 2}, {}, {}});
  const auto fit = *vector_fit(whole, {.missing_value_strategy = MissingValues::ffill});
  FillState state;
  auto parts = encoded(fit, vectors({{1, 1}, {}, {2, 2}}), nullptr, nullptr, {.state = &state});
  for (auto& row : encoded(fit, vectors({{}, {}}), nullptr, nullptr, {.state = &state})) parts.push_back(row);
  EXPECT_EQ(parts, encoded(fit, whole));
}

TEST(VectorFit, Faults) {
  EXPECT_FALSE(vector_fit(vectors({{}, {}})));
  EXPECT_TRUE(vector_fit(vectors({{1, 2}, {1, 2}})));
  const auto same = vector_fit(vectors({{1, 2}, {1, 2}}), {}, true);
  ASSERT_FALSE(same);
  EXPECT_EQ(same.error().kind, ErrorKind::data);
}

// ---- words -------------------------------------------------------------------------------------

struct WordLists {
  explicit WordLists(const std::vector<std::string>& cells,
                     data::Tokenizer tokenizer = data::Tokenizer::space) {
    std::vector<std::vector<std::string>> rows;
    for (const auto& cell : cells) rows.push_back({cell});
    const auto batch = data::make_batch(rows);
    data::append_words(batch.column(0), tokenizer, dictionary, lists);
  }
  WordListColumn column() const { return {&dictionary, &lists}; }
  data::Dictionary dictionary;
  data::Lists<int32_t> lists;
};

Result<WordsFit> words_fit(const std::vector<std::string>& cells, WordsPreprocessing preprocessing = {},
                           bool repeats = false, bool is_output = false,
                           std::vector<std::string>* notes = nullptr) {
  const WordLists words(cells);
  const auto rows = first_rows(cells.size());
  return fit_words(preprocessing, repeats, {"input feature 's'", is_output, rows, notes}, words.column());
}

std::vector<std::vector<int32_t>> encoded(const WordsFit& fit, const std::vector<std::string>& cells,
                                          bool is_output = false, const Neighbours& near = {}) {
  const WordLists words(cells);
  data::CodeColumn out = code_column(fit, 0);
  encode(fit, is_output, words.column(), nullptr, out, near);
  std::vector<std::vector<int32_t>> rows(cells.size());
  for (size_t r = 0; r < cells.size(); ++r)
    for (int64_t k = 0; k < fit.width; ++k) rows[r].push_back(out.at(static_cast<int64_t>(r), k));
  return rows;
}

using Numbers = std::vector<std::vector<int32_t>>;

TEST(WordsFit, ASetHasAWordOnce) {
  const std::vector<std::string> cells{"b a b", "a", "c a", ""};
  const auto fit = *words_fit(cells);
  EXPECT_EQ(fit.vocabulary, (std::vector<std::string>{"a", "<UNK>", "b", "c"}));
  EXPECT_EQ(fit.counts, (std::vector<int64_t>{3, 1, 1, 1}));
  EXPECT_EQ(fit.width, 2);
  EXPECT_EQ(encoded(fit, cells), (Numbers{{0, 2}, {0, 4}, {0, 3}, {1, 4}}));
  // Unknown words are <UNK>, once; of too many words the rarest are left out.
  EXPECT_EQ(encoded(fit, {"x y a", "c b a"}), (Numbers{{0, 1}, {0, 2}}));
}

TEST(WordsFit, ABagCounts) {
  const auto fit = *words_fit({"b a b", "a"}, {}, true);
  EXPECT_EQ(fit.vocabulary, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(fit.counts, (std::vector<int64_t>{2, 2}));
  EXPECT_EQ(encoded(fit, {"b a b", "x a"}), (Numbers{{0, 1, 1}, {0, 2, 2}}));  // no <UNK>: x is left out
}

TEST(WordsFit, LowercaseAndMostCommon) {
  const auto fit = *words_fit({"A a B", "b A", "c"}, {.lowercase = true, .most_common = 2});
  EXPECT_EQ(fit.vocabulary, (std::vector<std::string>{"a", "b", "<UNK>"}));
  EXPECT_EQ(fit.counts, (std::vector<int64_t>{2, 2, 1}));
  EXPECT_EQ(fit.unknown, 2);
  EXPECT_EQ(encoded(fit, {"B A", "z"}), (Numbers{{0, 1}, {2, 3}}));
}

TEST(WordsFit, OfATarget) {
  std::vector<std::string> notes;
  const auto fit =
      *words_fit({"a b", "a", "a c"}, {.missing_value_strategy = MissingValues::drop_row, .most_common = 2},
                 false, true, &notes);
  EXPECT_EQ(fit.vocabulary, (std::vector<std::string>{"a", "b"}));
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_EQ(encoded(fit, {"a b", "b", "a x y"}, true), (Numbers{{0, 1}, {1, 2}, {0, 3}}));
}

TEST(WordsFit, Strategies) {
  using S = MissingValues;
  const std::vector<std::string> cells{"", "b", "", "a b", "a b"};
  const auto with = [&](S strategy) {
    return encoded(*words_fit(cells, {.missing_value_strategy = strategy}), cells);
  };
  EXPECT_EQ(with(S::ffill), (Numbers{{0, 1}, {0, 2}, {0, 2}, {0, 1}, {0, 1}}));  // b is the most frequent
  EXPECT_EQ(with(S::bfill), (Numbers{{0, 2}, {0, 2}, {0, 1}, {0, 1}, {0, 1}}));
  EXPECT_EQ(with(S::fill_with_mode), (Numbers{{0, 1}, {0, 2}, {0, 1}, {0, 1}, {0, 1}}));
  FillState state;
  const auto fit = *words_fit(cells, {.missing_value_strategy = S::ffill});
  encoded(fit, {"b", "a b"}, false, {.state = &state});
  EXPECT_EQ(encoded(fit, {"", "b"}, false, {.state = &state}), (Numbers{{0, 1}, {0, 2}}));
}

// ---- dates -------------------------------------------------------------------------------------

std::vector<data::DateStamp> stamps(const std::vector<std::string>& cells) {
  std::vector<data::DateStamp> out;
  for (const auto& cell : cells) out.push_back(data::read_date(cell));
  return out;
}

Result<DateFit> date_fit(const std::vector<data::DateStamp>& column, DatePreprocessing preprocessing = {}) {
  const auto rows = first_rows(column.size());
  return fit_date(preprocessing, {"input feature 'd'", false, rows}, column);
}

std::vector<std::vector<float>> encoded(const DateFit& fit, const std::vector<data::DateStamp>& column,
                                        data::BadCells* bad = nullptr) {
  data::DateRows out;
  encode(fit, column, nullptr, out, bad, 5);
  std::vector<std::vector<float>> rows;
  for (uint32_t r = 0; r < column.size(); ++r) {
    auto& row = rows.emplace_back(data::DateRows::kWidth);
    out.gather(std::span(&r, 1), row.data());
  }
  return rows;
}

// The parts as Python's datetime has them: (datetime(2016, 7, 4, 13, 5, 9)).timetuple().
TEST(DateFit, Parts) {
  const auto column = stamps({"2016-07-04 13:05:09", "2018-12-31", "2014-01-01", "not a date"});
  const auto fit = *date_fit(column);
  EXPECT_EQ(fit.year_shift, 2016);
  EXPECT_NEAR(fit.year_scale, std::sqrt(8.0 / 3), 1e-12);
  const auto rows = encoded(fit, column);
  EXPECT_EQ(rows[0], (std::vector<float>{0, 6, 3, 0, 185, 13, 5, 9, 47109}));
  EXPECT_FLOAT_EQ(rows[1][0], static_cast<float>(2 / std::sqrt(8.0 / 3)));
  EXPECT_EQ(std::vector<float>(rows[1].begin() + 1, rows[1].end()),
            (std::vector<float>{11, 30, 0, 364, 0, 0, 0, 0}));
  EXPECT_EQ(std::vector<float>(rows[2].begin() + 1, rows[2].end()),
            (std::vector<float>{0, 0, 2, 0, 0, 0, 0, 0}));
  EXPECT_EQ(rows[3], rows[0]);  // the middle one
}

TEST(DateFit, DayBeforeMonthIsFoundOut) {
  const auto column = stamps({"13/04/2016", "05/04/2016", "04/13/2016"});
  data::BadCells bad;
  const auto fit = *date_fit(stamps({"13/04/2016", "05/04/2016"}));
  EXPECT_EQ(fit.order, data::DateOrder::day_first);
  const auto rows = encoded(fit, column, &bad);
  EXPECT_EQ(rows[1][1], 3);  // April
  EXPECT_EQ(rows[1][2], 4);
  EXPECT_EQ(bad.count, 1);
  EXPECT_EQ(bad.first_row, 7);
  EXPECT_EQ(bad.first_value, "4/13/2016");
}

TEST(DateFit, FillValue) {
  const auto column = stamps({"2016-07-04", "x"});
  const auto rows = encoded(*date_fit(column, {.fill_value = "2020-02-29"}), column);
  EXPECT_EQ(rows[1][1], 1);
  EXPECT_EQ(rows[1][4], 59);
  const auto wrong = date_fit(column, {.fill_value = "soon"});
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().kind, ErrorKind::usage);
  EXPECT_FALSE(date_fit(stamps({"x", "y"})));
}

// ---- the model file ----------------------------------------------------------------------------

TEST(Fits, OfListsComeBackFromJson) {
  Fits fits;
  fits.inputs.emplace_back(*vector_fit(vectors({{1, 2.5F}, {0.1F, 4}})));
  fits.inputs.emplace_back(*vector_fit(vectors({{1, 2}, {3, 5}}), {.normalization = Normalization::zscore}));
  fits.inputs.emplace_back(*words_fit({"a b", "c"}, {}, true));
  fits.inputs.emplace_back(*date_fit(stamps({"13/04/2016", "2018-01-01"})));
  const auto back = fits_from_json(to_json(fits));
  ASSERT_TRUE(back) << back.error().message();
  EXPECT_EQ(*back, fits);
  std::string damaged = to_json(fits);
  damaged.replace(damaged.find("\"width\":2"), 9, "\"width\":0");
  EXPECT_FALSE(fits_from_json(damaged));
}

}  // namespace
}  // namespace shoestring::task
