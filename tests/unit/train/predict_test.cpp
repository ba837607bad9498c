#include "train/predict.h"

#include "base/atomic_file.h"
#include "base/parallel.h"
#include "train/train.h"
#include "unit/train/tables.h"

namespace shoestring::train {
namespace {

// A table of several blocks of text, whose column a is given in few rows only.
std::string with_gaps(int rows) {
  std::string text = "a,b,kind,y\n";
  for (int i = 0; i < rows; ++i)
    text += (i % 997 == 500 ? std::to_string(i % 13) : "") + ",0.12345678901234567890,red," +
            (i % 2 ? "yes" : "no") + "\n";
  return text;
}

TEST(Predict, FillsFromNeighboursAsEvaluationDoes) {
  const Folder folder;
  for (const std::string strategy : {"ffill", "bfill"}) {
    auto recipe = sums_recipe("epochs: 1, batch_size: 16");
    const std::string plain = "{name: a, type: number}";
    recipe.replace(recipe.find(plain), plain.size(),
                   "{name: a, type: number, preprocessing: {missing_value_strategy: " + strategy + "}}");
    const auto trained = train({.recipe = recipe_from(recipe),
                                .data = {.dataset = folder.write("t.csv", sums_table(200))},
                                .output_directory = folder.file(strategy)},
                               {});
    ASSERT_TRUE(trained) << trained.error().message();
    const std::string table = folder.write("gaps.csv", with_gaps(90'000));  // 3 MiB
    const std::string answers = folder.file("answers.csv"), evaluated = folder.file("evaluated.csv");
    const auto predicted = predict({.model = trained->folder, .dataset = table, .output = answers}, {});
    ASSERT_TRUE(predicted) << predicted.error().message();
    EXPECT_EQ(predicted->rows, 90'000);
    const auto metrics = evaluate({.model = trained->folder, .dataset = table, .predictions = evaluated}, {});
    ASSERT_TRUE(metrics) << metrics.error().message();
    EXPECT_TRUE(*read_file(answers) == *read_file(evaluated)) << strategy;
  }
}

// What one run of predict gives: the answers, or the error, and the notes.
struct Said {
  std::string answers, fault, notes;
  int64_t rows = 0;
  bool operator==(const Said&) const = default;
};

class PredictInLanes : public testing::Test {
 protected:
  void SetUp() override {
    const auto trained = train({.recipe = recipe_from(sums_recipe("epochs: 1, batch_size: 16")),
                                .data = {.dataset = folder_.write("t.csv", sums_table(200))},
                                .output_directory = folder_.file("out")},
                               {});
    ASSERT_TRUE(trained) << trained.error().message();
    model_ = trained->folder;
  }
  void TearDown() override { set_thread_count(available_cores()); }

  Said said(const std::string& table, int threads, SplitWanted split = SplitWanted::all,
            std::string output = {}) {
    set_thread_count(threads);
    Said out;
    const std::string answers = output.empty() ? folder_.file("answers.csv") : output;
    const auto predicted =
        predict({.model = model_, .dataset = table, .split = split, .output = answers},
                [&](LogLevel, std::string_view text) { out.notes += std::string(text) + "\n"; });
    if (!predicted) {
      out.fault = predicted.error().message();
      return out;
    }
    out.rows = predicted->rows;
    out.answers = *read_file(answers);
    return out;
  }
  // Several blocks of text: about 4 MiB.
  static std::string long_table() { return sums_table(100'000); }

  const Folder folder_;
  std::string model_;
};

TEST_F(PredictInLanes, AnswersInTheOrderOfTheRows) {
  std::string text = long_table();
  for (const size_t near : {text.size() / 2, text.size() / 3})  // cells that are no numbers
    text.replace(text.find('\n', near) + 1, 3, "bad");
  const std::string table = folder_.write("long.csv", text);
  const Said one = said(table, 1);
  EXPECT_EQ(one.rows, 100'000);
  EXPECT_NE(one.notes.find("2 cells taken as missing"), std::string::npos) << one.notes;
  for (const int threads : {2, 3}) {
    const Said several = said(table, threads);
    EXPECT_EQ(several.notes, one.notes);
    EXPECT_EQ(several.rows, one.rows);
    EXPECT_TRUE(several.answers == one.answers) << threads << " threads";
  }
}

TEST_F(PredictInLanes, OfASplit) {
  const std::string table = folder_.write("long.csv", long_table());
  const Said one = said(table, 1, SplitWanted::test);
  EXPECT_GT(one.rows, 15'000);
  EXPECT_LT(one.rows, 25'000);
  EXPECT_TRUE(said(table, 3, SplitWanted::test) == one);
}

TEST_F(PredictInLanes, FaultsAreTheSame) {
  std::string text = long_table();
  text.insert(text.size() - 100, 1, '\0');
  const std::string table = folder_.write("zero.csv", text);
  const Said one = said(table, 1);
  EXPECT_NE(one.fault.find("zero.csv:"), std::string::npos) << one.fault;
  EXPECT_EQ(said(table, 3).fault, one.fault);
  EXPECT_FALSE(file_exists(folder_.file("answers.csv")));

  const std::string good = folder_.write("good.csv", long_table());
  EXPECT_NE(said(good, 3, SplitWanted::all, "/dev/full").fault.find("No space left"), std::string::npos);
}

}  // namespace
}  // namespace shoestring::train
