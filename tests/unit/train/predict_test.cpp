#include "train/predict.h"

#include "base/atomic_file.h"
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

}  // namespace
}  // namespace shoestring::train
