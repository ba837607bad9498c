// A table with everything wrong that a report points at; and one with nothing.
#include "report/findings.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "train/dataset.h"
#include "unit/train/tables.h"

namespace shoestring::report {
namespace {

using train::Folder;

struct Found {
  std::vector<ColumnFacts> columns;
  Duplicates duplicates;
  std::vector<Finding> findings;

  const ColumnFacts& column(const std::string& name) const {
    return *std::find_if(columns.begin(), columns.end(), [&](const auto& c) { return c.name == name; });
  }
  bool has(Severity severity, const std::string& words) const {
    return std::any_of(findings.begin(), findings.end(), [&](const Finding& f) {
      return f.severity == severity && f.title.find(words) != std::string::npos && !f.evidence.empty();
    });
  }
};

Found look_at(const std::string& csv, const char* recipe) {
  const Folder folder;
  const auto data = train::prepare({.dataset = folder.write("t.csv", csv)}, train::recipe_from(recipe), {});
  EXPECT_TRUE(data) << data.error().message();
  const DataSample sample(*data);
  Found found{.columns = column_facts(*data, sample, task::SplitName::test),
              .duplicates = find_duplicates(*data, sample, task::SplitName::test),
              .findings = {}};
  found.findings = data_findings(*data, found.columns, found.duplicates, "test");
  return found;
}

// 1,400 rows to train on, 200 to validate, 400 to test, half of which are copies of training rows.
std::string odd_table() {
  std::string text = "nr,same,x,leak,id,drift,holes,far,y,split\n";
  const auto noise = [](int i) { return std::fmod(i * 0.7548776662, 1.0) - 0.5; };
  for (int i = 0; i < 2000; ++i) {
    const int of = i >= 1700 && i < 1900 ? i - 1650 : i;
    const bool y = of * 7 % 13 < 6;
    text +=
        fmt::format("{},k,{:.4f},{},id{},{:.4f},{},{},{},{}\n", of, noise(of) + (y ? 0.2 : 0), y ? "Y" : "N",
                    of, of / 300.0 + noise(3 * of), of % 5 < 2 ? "" : fmt::format("{:.3f}", noise(5 * of)),
                    of == 77 ? 1e9 : noise(11 * of), y ? "yes" : "no",
                    i < 1400   ? 0
                    : i < 1600 ? 1
                               : 2);
  }
  return text;
}
constexpr const char* kOddRecipe = R"(
input_features:
  - {name: nr, type: number}
  - {name: same, type: category}
  - {name: x, type: number}
  - {name: leak, type: category}
  - {name: id, type: category}
  - {name: drift, type: number}
  - {name: holes, type: number}
  - {name: far, type: number}
output_features: [{name: y, type: binary}]
)";

TEST(DataFindings, PointAtWhatIsWrong) {
  const Found found = look_at(odd_table(), kOddRecipe);
  EXPECT_TRUE(found.has(Severity::problem, "of the test rows are also training rows"));
  EXPECT_EQ(found.duplicates.held_out, 400);
  EXPECT_EQ(found.duplicates.seen, 200);
  EXPECT_EQ(found.duplicates.training_rows, 1400);
  EXPECT_EQ(found.duplicates.repeated, 0);
  EXPECT_TRUE(found.has(Severity::problem, "'leak' may give the target away"));
  EXPECT_DOUBLE_EQ(found.column("leak").strength, 1);
  EXPECT_TRUE(found.has(Severity::warning, "'same' is constant"));
  EXPECT_TRUE(found.has(Severity::warning, "'id' looks like an ID"));
  EXPECT_TRUE(found.has(Severity::warning, "'nr' looks like a row number"));
  EXPECT_TRUE(found.has(Severity::warning, "'drift' differs between training and test rows"));
  EXPECT_TRUE(found.has(Severity::warning, "'holes' is missing in 40 % of the rows"));
  EXPECT_EQ(found.column("holes").missing, 800);
  EXPECT_TRUE(found.has(Severity::note, "'far' has far outliers"));
  EXPECT_FALSE(found.has(Severity::warning, "'x'"));
  EXPECT_GE(static_cast<int>(found.findings.front().severity),
            static_cast<int>(found.findings.back().severity));
}

TEST(DataFindings, AnEmptyColumnIsToldOfOnce) {
  std::string text = "a,none,word,y\n";
  for (int i = 0; i < 400; ++i) text += fmt::format("{},,,{}\n", i % 7, i % 3 ? "yes" : "no");
  const Found found = look_at(text, R"(
input_features: [{name: a, type: number}, {name: none, type: number}, {name: word, type: category}]
output_features: [{name: y, type: binary}]
)");
  for (const std::string name : {"'none'", "'word'"}) {
    EXPECT_TRUE(found.has(Severity::warning, name + " is empty"));
    EXPECT_EQ(std::ranges::count_if(
                  found.findings,
                  [&](const Finding& f) { return (f.title + f.evidence).find(name) != std::string::npos; }),
              1)
        << name;
  }
}

// Chance alone is taken off once: an index that 0.3 is known of stays 0.3.
TEST(DataFindings, TheStabilityIndexIsThatOfItsDefinition) {
  const int64_t expected[] = {50'000, 50'000}, actual[] = {70'000, 30'000};
  const double by_hand = 0.2 * std::log(0.7 / 0.5) - 0.2 * std::log(0.3 / 0.5);
  EXPECT_NEAR(stability_index(expected, actual), by_hand, 1e-4);
}

// A table that is only measured: against what a model has of its training rows.
TEST(MeasuredFindings, TellWhatIsOtherThanInTraining) {
  const Folder folder;
  const auto table = [](int first, double more, const char* usual) {
    std::string text = "x,same,word,y\n";
    for (int i = first; i < first + 600; ++i)
      text += fmt::format("{:.4f},{:.4f},{},{}\n", std::fmod(i * 0.6180339887, 1.0) + more,
                          std::fmod(i * 0.7548776662, 1.0), i % 5 ? usual : "rare", i % 3 ? "yes" : "no");
    return text;
  };
  const auto recipe = train::recipe_from(R"(
input_features: [{name: x, type: number}, {name: same, type: number}, {name: word, type: category}]
output_features: [{name: y, type: binary}]
)");
  const auto trained = train::prepare({.dataset = folder.write("a.csv", table(0, 0, "usual"))}, recipe, {});
  ASSERT_TRUE(trained) << trained.error().message();
  const auto measured = train::prepare_fitted({.dataset = folder.write("b.csv", table(600, 0.3, "rare"))},
                                              trained->spec, trained->fits, train::RowsWanted::all, {});
  ASSERT_TRUE(measured) << measured.error().message();
  Found found;
  found.columns = column_facts(*measured, DataSample(*measured), task::SplitName::test);
  found.findings = measured_findings(*measured, found.columns, "measured");
  EXPECT_NEAR(found.column("x").shift, 0.3 * std::sqrt(12), 0.05);  // of a uniform distribution
  EXPECT_NEAR(found.column("x").outside, 0.3, 0.02);
  EXPECT_TRUE(found.has(Severity::warning, "'x' is higher than in training"));
  EXPECT_TRUE(found.has(Severity::warning, "'x' goes beyond what training saw"));
  EXPECT_TRUE(found.has(Severity::warning, "'word' differs between training and measured rows"));
  for (const Finding& f : found.findings) EXPECT_NE(f.subject, "same") << f.title;
}

TEST(DataFindings, ASoundTableHasNone) {
  std::string text = "a,b,y\n";
  for (int i = 0; i < 1000; ++i) {
    const double a = std::fmod(i * 0.6180339887, 1.0), b = std::fmod(i * 0.7548776662, 1.0);
    text += fmt::format("{:.5f},{:.5f},{}\n", a, b,
                        a + b > std::fmod(i * 0.5698402910, 1.0) + 0.5 ? "yes" : "no");
  }
  const Found found = look_at(text, R"(
input_features: [{name: a, type: number}, {name: b, type: number}]
output_features: [{name: y, type: binary}]
)");
  for (const Finding& f : found.findings) ADD_FAILURE() << f.title << ": " << f.evidence;
  EXPECT_EQ(found.duplicates.repeated, 0);
  EXPECT_GT(found.column("a").strength, 0.1);
}

TEST(DataFindings, ContradictionsAreCounted) {
  std::string text = "a,y,split\n";
  for (int i = 0; i < 300; ++i) text += fmt::format("{},{},0\n", i % 100, i < 200 ? "yes" : "no");
  for (int i = 0; i < 40; ++i) text += fmt::format("{},{},{}\n", 1000 + i, i % 2 ? "yes" : "no", 1 + i % 2);
  const Found found = look_at(text, R"(
input_features: [{name: a, type: number}]
output_features: [{name: y, type: binary}]
)");
  EXPECT_EQ(found.duplicates.training_rows, 300);
  EXPECT_EQ(found.duplicates.repeated, 200);
  EXPECT_EQ(found.duplicates.contradicted, 100);  // of each three rows one says otherwise
}

}  // namespace
}  // namespace shoestring::report
