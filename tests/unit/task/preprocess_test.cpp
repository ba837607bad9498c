#include "task/preprocess.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

namespace shoestring::task {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

std::vector<uint32_t> first_rows(size_t count) {
  std::vector<uint32_t> rows(count);
  std::iota(rows.begin(), rows.end(), 0);
  return rows;
}

NumberColumn column(std::vector<double>& values) {
  return {values.data(), static_cast<int64_t>(values.size())};
}
FloatColumn column(std::vector<float>& values) {
  return {values.data(), static_cast<int64_t>(values.size()), 1};
}
std::vector<float> with_fit(const NumberFit& fit, std::vector<double> values,
                            std::vector<uint8_t>* drop = nullptr) {
  std::vector<float> out(values.size());
  encode(fit, column(values), drop, column(out));
  return out;
}

// Fits on all of `values` and encodes them.
std::vector<float> encoded(const NumberPreprocessing& preprocessing, std::vector<double> values,
                           std::vector<uint8_t>* drop = nullptr) {
  const auto rows = first_rows(values.size());
  const auto fit = fit_number(preprocessing, {"x", false, rows}, column(values));
  EXPECT_TRUE(fit) << fit.error().message();
  return with_fit(*fit, std::move(values), drop);
}

// Cells of a table: "" is missing.
struct Words {
  explicit Words(const std::vector<std::string>& cells) {
    for (const auto& cell : cells) codes.push_back(cell.empty() ? data::kMissingCode : dictionary.add(cell));
  }
  WordColumn column() const { return {&dictionary, codes}; }
  data::Dictionary dictionary;
  std::vector<int32_t> codes;
};

Result<BinaryFit> binary_fit(const std::vector<std::string>& cells, bool is_output = true,
                             BinaryPreprocessing preprocessing = {},
                             std::vector<std::string>* notes = nullptr) {
  const Words words(cells);
  const auto rows = first_rows(cells.size());
  return fit_binary(preprocessing, {"output feature 'y'", is_output, rows, notes}, words.column());
}

std::vector<float> encoded(const BinaryFit& fit, const std::vector<std::string>& cells,
                           std::vector<uint8_t>* drop = nullptr, data::BadCells* bad = nullptr) {
  const Words words(cells);
  std::vector<float> out(cells.size());
  encode(fit, words.column(), drop, column(out), bad, 100);
  return out;
}

Result<CategoryFit> category_fit(const std::vector<std::string>& cells,
                                 CategoryPreprocessing preprocessing = {}, bool is_output = false) {
  const Words words(cells);
  const auto rows = first_rows(cells.size());
  return fit_category(preprocessing, {"feature 'c'", is_output, rows}, words.column());
}

std::vector<int32_t> encoded(const CategoryFit& fit, const std::vector<std::string>& cells,
                             bool is_output = false, std::vector<uint8_t>* drop = nullptr) {
  const Words words(cells);
  std::vector<int32_t> out(cells.size());
  encode(fit, is_output, words.column(), drop, out);
  return out;
}

// ---- numbers -----------------------------------------------------------------------------------

TEST(NumberFit, Normalizations) {
  const std::vector<double> values{1, 2, 3, 4, 10};
  const double deviation = std::sqrt(10.0);
  auto with = [&](Normalization n) { return encoded({.normalization = n}, values); };
  EXPECT_EQ(with(Normalization::none), (std::vector<float>{1, 2, 3, 4, 10}));
  EXPECT_FLOAT_EQ(with(Normalization::zscore)[4], static_cast<float>(6 / deviation));
  EXPECT_FLOAT_EQ(with(Normalization::minmax)[1], 1.0F / 9);
  EXPECT_FLOAT_EQ(with(Normalization::iq)[4], 3.5F);  // (10 - 3) / (4 - 2)
  EXPECT_FLOAT_EQ(with(Normalization::log1p)[4], std::log(11.0F));
}

TEST(NumberFit, ComesBack) {
  for (const auto n : {Normalization::none, Normalization::zscore, Normalization::minmax, Normalization::iq,
                       Normalization::log1p}) {
    std::vector<double> values{1, 2, 3.5, 4, 10};
    const auto rows = first_rows(5);
    const auto fit = *fit_number({.normalization = n}, {"x", true, rows}, column(values));
    const auto codes = with_fit(fit, values);
    for (size_t i = 0; i < 5; ++i) EXPECT_NEAR(decode(fit, codes[i]), values[i], 1e-5);
    EXPECT_EQ(decode(fit, codes[4], std::array<double, 2>{0, 2}), 2);
  }
}

TEST(NumberFit, OnlyTrainingRowsCount) {
  std::vector<double> values{0, 2, 1000, kNan};
  const std::vector<uint32_t> rows{0, 1};
  const auto fit = *fit_number({.normalization = Normalization::zscore}, {"x", false, rows}, column(values));
  EXPECT_EQ(fit.shift, 1);
  EXPECT_EQ(fit.scale, 1);
  EXPECT_EQ(fit.maximum, 2);
  EXPECT_EQ(with_fit(fit, values), (std::vector<float>{-1, 1, 999, -1}));  // filled with 0
}

TEST(NumberFit, Strides) {
  std::vector<double> values{0, 2};
  const std::vector<uint32_t> rows{0, 1};
  std::vector<float> table{7, 7, 7, 7};
  const auto fit = *fit_number({.normalization = Normalization::minmax}, {"x", false, rows}, column(values));
  encode(fit, column(values), nullptr, {table.data(), 2, 2});
  EXPECT_EQ(table, (std::vector<float>{0, 7, 1, 7}));
}

TEST(NumberFit, AnOffsetCostsNoDigitsAndHugeNumbersAreNumbers) {
  std::vector<double> near_zero, shifted, huge;
  for (int i = 0; i < 100; ++i) {
    near_zero.push_back(i);
    shifted.push_back(1.7e9 + i);
    huge.push_back((i - 50) * 1e300);
  }
  const auto expected = encoded({}, near_zero);
  const auto same = encoded({}, shifted), scaled = encoded({}, huge);
  for (size_t i = 0; i < 100; ++i) {
    EXPECT_FLOAT_EQ(same[i], expected[i]);
    EXPECT_FLOAT_EQ(scaled[i], expected[i]);
  }
}

TEST(NumberFit, MissingValues) {
  const std::vector<double> values{kNan, 1, kNan, 1, 4, kNan};
  auto with = [&](MissingValues s, std::vector<uint8_t>* drop = nullptr) {
    return encoded({.missing_value_strategy = s, .fill_value = 9, .normalization = Normalization::none},
                   values, drop);
  };
  EXPECT_EQ(with(MissingValues::fill_with_const), (std::vector<float>{9, 1, 9, 1, 4, 9}));
  EXPECT_EQ(with(MissingValues::fill_with_mean), (std::vector<float>{2, 1, 2, 1, 4, 2}));
  EXPECT_EQ(with(MissingValues::fill_with_mode), (std::vector<float>{1, 1, 1, 1, 4, 1}));
  EXPECT_EQ(with(MissingValues::ffill), (std::vector<float>{2, 1, 1, 1, 4, 4}));
  EXPECT_EQ(with(MissingValues::bfill), (std::vector<float>{1, 1, 1, 1, 4, 2}));
  std::vector<uint8_t> drop(6);
  with(MissingValues::drop_row, &drop);
  EXPECT_EQ(drop, (std::vector<uint8_t>{1, 0, 1, 0, 0, 1}));
  EXPECT_EQ(with(MissingValues::drop_row), (std::vector<float>{2, 1, 2, 1, 4, 2}));  // prediction answers all
}

TEST(NumberFit, Outliers) {
  std::vector<double> values(20, 1);
  values[7] = 3, values[9] = 1000;
  auto with = [&](MissingValues s) {
    return encoded({.fill_value = 5,
                    .normalization = Normalization::none,
                    .outlier_strategy = s,
                    .outlier_threshold = 3},
                   values);
  };
  EXPECT_EQ(with(MissingValues::fill_with_const)[9], 5);
  EXPECT_EQ(with(MissingValues::fill_with_mode)[9], 1);
  EXPECT_FLOAT_EQ(with(MissingValues::fill_with_mean)[9], 21.0F / 19);
  EXPECT_EQ(with(MissingValues::ffill)[9], 1);
  EXPECT_EQ(with(MissingValues::fill_with_const)[7], 3);
  std::vector<uint8_t> drop(20);
  encoded({.outlier_strategy = MissingValues::drop_row}, values, &drop);
  EXPECT_EQ(drop[9], 1);
  EXPECT_EQ(std::accumulate(drop.begin(), drop.end(), 0), 1);
}

TEST(NumberFit, ConstantsAndNothingStayFinite) {
  for (const auto n : {Normalization::zscore, Normalization::minmax, Normalization::iq, Normalization::log1p})
    for (const auto& values :
         {std::vector<double>{3, 3, 3}, std::vector<double>{kNan, kNan}, std::vector<double>{5}})
      for (const float value : encoded({.normalization = n}, values)) EXPECT_TRUE(std::isfinite(value));
  std::vector<double> far{1, 2, 1e300};
  const std::vector<uint32_t> rows{0, 1};
  const auto fit = *fit_number({.normalization = Normalization::zscore}, {"x", false, rows}, column(far));
  EXPECT_TRUE(std::isfinite(with_fit(fit, far)[2]));
}

TEST(NumberFit, Refusals) {
  std::vector<double> values{-3, 2};
  const auto rows = first_rows(2);
  EXPECT_EQ(
      fit_number({.normalization = Normalization::log1p}, {"input feature 'x'", false, rows}, column(values))
          .error()
          .message(),
      "input feature 'x' has values below 0 (-3), whose logarithm log1p cannot take; set "
      "preprocessing.normalization to zscore or minmax");
  values = {2, 2};
  EXPECT_EQ(fit_number({}, {"output feature 'x'", true, rows}, column(values)).error().exit_code(), 3);
  values = {kNan, kNan};
  EXPECT_EQ(fit_number({}, {"output feature 'x'", true, rows}, column(values)).error().exit_code(), 3);
}

// ---- binary ------------------------------------------------------------------------------------

TEST(BinaryFit, UsualWordsInAnySpelling) {
  const auto fit = *binary_fit({"Yes", "no", "Yes", "1", "FALSE", "no"});
  EXPECT_EQ(fit.true_label, "Yes");
  EXPECT_EQ(fit.false_label, "no");
  EXPECT_EQ(fit.true_rows, 3);
  EXPECT_EQ(encoded(fit, {"true", "0", "y"}), (std::vector<float>{1, 0, 1}));
}

TEST(BinaryFit, TwoValuesOfAnySpelling) {
  std::vector<std::string> notes;
  const auto rarer = *binary_fit({"M", "B", "B"}, true, {}, &notes);
  EXPECT_EQ(rarer.true_label, "M");
  EXPECT_EQ(notes, (std::vector<std::string>{"output feature 'y': 'M' is taken as true and 'B' as false "
                                             "(preprocessing.fallback_true_label names another)"}));
  EXPECT_EQ(binary_fit({">50K", ">50K", "<=50K"})->true_label, ">50K");
  EXPECT_EQ(binary_fit({"Positive", "Positive", "neg"})->true_label, "Positive");
  EXPECT_EQ(binary_fit({"2", "1", "1"})->true_label, "2");
  EXPECT_EQ(binary_fit({"yes", "maybe", "yes"})->true_label, "maybe");
  BinaryPreprocessing named;
  named.fallback_true_label = "B";
  const auto fit = *binary_fit({"M", "B", "B"}, true, named);
  EXPECT_EQ(fit.true_label, "B");
  EXPECT_EQ(encoded(fit, {"B", "M"}), (std::vector<float>{1, 0}));
}

TEST(BinaryFit, TheRecipeSaysWhichOfTheUsualWordsIsTrue) {
  BinaryPreprocessing named;
  named.fallback_true_label = "0";
  const auto fit = *binary_fit({"1", "0", "1"}, true, named);
  EXPECT_EQ(fit.true_label, "0");
  EXPECT_EQ(encoded(fit, {"0", "1"}), (std::vector<float>{1, 0}));
  named.fallback_true_label = "no";
  EXPECT_EQ(binary_fit({"yes", "Yes", "no"}, true, named).error().exit_code(), 2);
  named.fallback_true_label = "yes";
  EXPECT_EQ(encoded(*binary_fit({"yes", "Yes", "no"}, true, named), {"y", "n"}), (std::vector<float>{1, 0}));
}

TEST(BinaryFit, Refusals) {
  EXPECT_EQ(binary_fit({"a", "b", "c"}).error().message(),
            "output feature 'y' has 3 values, not two: 'a', 'b', 'c'; use type: category");
  EXPECT_EQ(binary_fit({"yes", "1", "1"})->true_label, "yes");  // two spellings of true are two classes
  EXPECT_EQ(binary_fit({"1", "1.0"}).error().message(),
            "output feature 'y' has one class in the training rows: '1', '1.0'; give data with both classes: "
            "there is nothing to learn");
  EXPECT_EQ(binary_fit({"a", "a", ""}).error().exit_code(), 3);
  EXPECT_EQ(binary_fit({"", ""}).error().exit_code(), 3);
  BinaryPreprocessing named;
  named.fallback_true_label = "C";
  EXPECT_EQ(binary_fit({"M", "B"}, true, named).error().message(),
            "output feature 'y': fallback_true_label 'C' is not a value of the column; choose 'B', 'M'");
}

TEST(BinaryFit, StrayWordsAreMissing) {
  std::vector<std::string> cells(50, "yes");
  cells.resize(99, "no");
  cells.push_back("perhaps");
  const auto fit = *binary_fit(cells);
  EXPECT_TRUE(fit.usual_words);
  data::BadCells bad;
  std::vector<uint8_t> drop(3);
  BinaryFit dropping = fit;
  dropping.strategy = MissingValues::drop_row;
  encoded(dropping, {"yes", "perhaps", ""}, &drop, &bad);
  EXPECT_EQ(drop, (std::vector<uint8_t>{0, 1, 1}));
  EXPECT_EQ(bad.count, 1);
  EXPECT_EQ(bad.first_row, 101);
  EXPECT_EQ(bad.first_value, "perhaps");
}

TEST(BinaryFit, MissingValues) {
  auto with = [&](MissingValues s) {
    return encoded(*binary_fit({"1", "1", "0"}, false, {.missing_value_strategy = s}),
                   {"", "0", "", "1", ""});
  };
  EXPECT_EQ(with(MissingValues::fill_with_false), (std::vector<float>{0, 0, 0, 1, 0}));
  EXPECT_EQ(with(MissingValues::fill_with_true), (std::vector<float>{1, 0, 1, 1, 1}));
  EXPECT_EQ(with(MissingValues::fill_with_mode), (std::vector<float>{1, 0, 1, 1, 1}));
  EXPECT_EQ(with(MissingValues::ffill), (std::vector<float>{1, 0, 0, 1, 1}));
  EXPECT_EQ(with(MissingValues::bfill), (std::vector<float>{0, 0, 1, 1, 1}));
  EXPECT_EQ(with(MissingValues::drop_row), (std::vector<float>{1, 0, 1, 1, 1}));
}

TEST(BinaryFit, AnInputMayBeConstantOrEmpty) {
  EXPECT_EQ(encoded(*binary_fit({"a", "a"}, false), {"a", "b"}), (std::vector<float>{1, 0}));
  EXPECT_EQ(encoded(*binary_fit({"", ""}, false), {"", "yes"}), (std::vector<float>{0, 1}));
}

// ---- category ----------------------------------------------------------------------------------

TEST(CategoryFit, MostFrequentFirst) {
  const auto fit = *category_fit({"b", "a", "c", "c", "a"});
  EXPECT_EQ(fit.vocabulary, (std::vector<std::string>{"a", "c", "b"}));
  EXPECT_EQ(fit.counts, (std::vector<int64_t>{2, 2, 1}));
  EXPECT_EQ(encoded(fit, {"b", "d", "a"}), (std::vector<int32_t>{2, 0, 0}));  // d: the most frequent
  EXPECT_EQ(encoded(fit, {"b", "d", "a"}, true), (std::vector<int32_t>{2, -1, 0}));
}

TEST(CategoryFit, RareWordsAreUnknown) {
  const auto fit = *category_fit({"a", "a", "a", "b", "b", "c", "d"}, {.most_common = 2});
  EXPECT_EQ(fit.vocabulary, (std::vector<std::string>{"a", "b", "<UNK>"}));
  EXPECT_EQ(fit.counts, (std::vector<int64_t>{3, 2, 2}));
  EXPECT_EQ(encoded(fit, {"c", "b", "never seen"}), (std::vector<int32_t>{2, 1, 2}));
}

TEST(CategoryFit, ARareLabelIsOfTheUnknownClassAndOneNeverSeenOfNone) {
  const auto fit = *category_fit({"a", "a", "a", "b", "b", "c", "d"}, {.most_common = 2}, /*is_output=*/true);
  EXPECT_EQ(fit.counts, (std::vector<int64_t>{3, 2, 2}));
  EXPECT_EQ(fit.rare, (std::vector<std::string>{"c", "d"}));
  EXPECT_EQ(encoded(fit, {"c", "b", "never seen", "d"}, true), (std::vector<int32_t>{2, 1, -1, 2}));
  const Fits fits{{}, {fit}};
  EXPECT_EQ(*fits_from_json(to_json(fits)), fits);
}

TEST(CategoryFit, MissingValues) {
  auto with = [&](MissingValues s, std::string fill = "<UNK>") {
    return encoded(
        *category_fit({"a", "a", "b", ""}, {.missing_value_strategy = s, .fill_value = std::move(fill)}),
        {"", "b", "", "a", ""});
  };
  EXPECT_EQ(with(MissingValues::fill_with_const), (std::vector<int32_t>{1, 2, 1, 0, 1}));  // a, <UNK>, b
  EXPECT_EQ(with(MissingValues::fill_with_const, "b"), (std::vector<int32_t>{1, 1, 1, 0, 1}));
  EXPECT_EQ(with(MissingValues::fill_with_mode), (std::vector<int32_t>{0, 1, 0, 0, 0}));
  EXPECT_EQ(with(MissingValues::ffill), (std::vector<int32_t>{0, 1, 1, 0, 0}));
  EXPECT_EQ(with(MissingValues::bfill), (std::vector<int32_t>{1, 1, 0, 0, 0}));
  std::vector<uint8_t> drop(3);
  EXPECT_EQ(encoded(*category_fit({"a", "b"}, {.missing_value_strategy = MissingValues::drop_row}),
                    {"b", "", "a"}, false, &drop),
            (std::vector<int32_t>{1, 0, 0}));
  EXPECT_EQ(drop, (std::vector<uint8_t>{0, 1, 0}));
}

// Python: zlib.crc32(word.encode()) % 16 is 15 of red, 1 of green, 4 of blue, 1 of "never seen", 5 of <UNK>.
TEST(CategoryFit, HashedIntoBuckets) {
  const Words words({"red", "red", "green", ""});
  const auto rows = first_rows(4);
  const auto fit_with = [&](CategoryPreprocessing preprocessing) {
    return *fit_category(preprocessing, {"x", false, rows}, words.column(), 16);
  };
  const auto fit = fit_with({});
  EXPECT_EQ(fit.size(), 16);
  EXPECT_TRUE(fit.vocabulary.empty());
  EXPECT_EQ(encoded(fit, {"red", "green", "blue", "never seen", ""}), (std::vector<int32_t>{15, 1, 4, 1, 5}));
  const auto mode = fit_with({.missing_value_strategy = MissingValues::fill_with_mode, .lowercase = true});
  EXPECT_EQ(encoded(mode, {"RED", ""}), (std::vector<int32_t>{15, 15}));
  const auto above = fit_with({.missing_value_strategy = MissingValues::ffill});
  EXPECT_EQ(encoded(above, {"", "blue", ""}), (std::vector<int32_t>{15, 4, 4}));
  const Fits fits{.inputs = {fit}, .outputs = {mode}};
  EXPECT_EQ(*fits_from_json(to_json(fits)), fits);
}

TEST(CategoryFit, Lowercase) {
  const auto fit = *category_fit({"Red", "red", "BLUE"}, {.lowercase = true});
  EXPECT_EQ(fit.vocabulary, (std::vector<std::string>{"red", "blue"}));
  EXPECT_EQ(encoded(fit, {"RED", "Blue"}), (std::vector<int32_t>{0, 1}));
}

TEST(CategoryFit, ManyWordsAreFoundToo) {
  std::vector<std::string> cells;
  for (int i = 0; i < 500; ++i) cells.push_back("w" + std::to_string(i));
  const auto fit = *category_fit(cells);
  const auto codes = encoded(fit, cells);
  for (size_t i = 0; i < cells.size(); ++i) EXPECT_EQ(decode(fit, codes[i]), cells[i]);
}

TEST(CategoryFit, Refusals) {
  EXPECT_EQ(category_fit({"a", "a"}, {}, true).error().message(),
            "feature 'c' has one class in the training rows: 'a'; give data with at least two classes: there "
            "is nothing to learn");
  EXPECT_EQ(category_fit({""}, {}, true).error().exit_code(), 3);
  EXPECT_EQ(category_fit({""}, {.missing_value_strategy = MissingValues::drop_row})->vocabulary,
            (std::vector<std::string>{"<UNK>"}));
}

// ---- rows and files ----------------------------------------------------------------------------

TEST(MarkMissing, CountsWhatIsNew) {
  std::vector<uint8_t> drop{0, 0, 1, 0};
  std::vector<double> values{1, kNan, kNan, kNan};
  const MissingRows numbers = mark_missing(column(values), drop);
  EXPECT_EQ(numbers.count, 2);
  EXPECT_EQ(numbers.first_row, 1);
  EXPECT_EQ(drop, (std::vector<uint8_t>{0, 1, 1, 1}));
  const Words words({"", "", "a", "b"});
  EXPECT_EQ(mark_missing(words.column(), drop).count, 1);
}

Fits some_fits() {
  return {{NumberFit{.normalization = Normalization::iq,
                     .shift = 1.0 / 3,
                     .scale = 1e-300,
                     .outlier_strategy = MissingValues::bfill,
                     .outlier_fill = 2,
                     .low = -1,
                     .high = 1},
           *category_fit({"a\"\n", "naïve", ""})},
          {*binary_fit({"M", "B"}), NumberFit{}}};
}

TEST(Fits, ComeBackFromJson) {
  const Fits fits = some_fits();
  const auto back = fits_from_json(to_json(fits));
  ASSERT_TRUE(back) << back.error().message();
  EXPECT_EQ(*back, fits);
  EXPECT_EQ(size_of(back->inputs[1]), 3);
  EXPECT_EQ(size_of(back->outputs[0]), 1);
}

TEST(Fits, DamageIsAnError) {
  const std::string text = to_json(some_fits());
  for (size_t length = 0; length < text.size(); length += 7)
    EXPECT_FALSE(fits_from_json(text.substr(0, length)));
  for (const char* bad :
       {"[]", "{}", "{\"inputs\":5,\"outputs\":[]}", "{\"inputs\":[{\"type\":\"text\"}],\"outputs\":[]}",
        "{\"inputs\":[{\"type\":\"category\",\"vocabulary\":[],\"counts\":[],\"lowercase\":false,\"missing_"
        "value_strategy\":\"bfill\",\"fill\":\"\",\"unknown\":0}],\"outputs\":[]}"}) {
    const auto fits = fits_from_json(bad);
    ASSERT_FALSE(fits) << bad;
    EXPECT_EQ(fits.error().exit_code(), 3);
  }
}

}  // namespace
}  // namespace shoestring::task
