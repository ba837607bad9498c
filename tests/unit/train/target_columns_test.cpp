#include "train/target_columns.h"

#include <map>

#include "base/atomic_file.h"
#include "train/predict.h"
#include "train/train.h"
#include "unit/train/tables.h"

namespace shoestring::train {
namespace {

std::string target_recipe(const std::string& outputs) {
  return "input_features: [{name: a, type: number}, {name: kind, type: category, encoder: {type: target, "
         "num_folds: 3}}]\n"
         "output_features: [" +
         outputs +
         "]\ncombiner: {type: concat, num_fc_layers: 1, output_size: 8}\ntrainer: {epochs: 2, batch_size: "
         "16}\n";
}
constexpr const char* kBoth = "{name: y, type: binary}, {name: value, type: number}";

TEST(TargetColumns, TrainingRowsHaveTheCodeOfTheirFoldAndOthersThatOfAll) {
  const Folder folder;
  const auto data = prepare({.dataset = folder.write("t.csv", sums_table(200))},
                            recipe_from(target_recipe(kBoth)), {.seed = 42});
  ASSERT_TRUE(data) << data.error().message();
  const auto& fit = std::get<task::CategoryFit>(data->fits.inputs[1]);
  EXPECT_EQ(fit.targets.width, 2);
  EXPECT_EQ(fit.size(), 4);  // red, green, blue and what is none of them
  EXPECT_EQ(fit.vocabulary[static_cast<size_t>(fit.unknown)], "<UNK>");
  std::map<int64_t, int> folds;
  for (const uint32_t row : data->training) {
    const int64_t fold = std::get<data::CodeColumn>(data->inputs.columns[1]).at(row) / 4;
    EXPECT_EQ(fold, task::target_fold(fit.targets, row));
    ++folds[fold];
  }
  EXPECT_EQ(folds.size(), 3u);
  for (const auto* rows : {&data->validation, &data->test})
    for (const uint32_t row : *rows)
      EXPECT_LT(std::get<data::CodeColumn>(data->inputs.columns[1]).at(row), 4);
  EXPECT_EQ(task::fits_from_json(to_json(data->fits)).value().inputs, data->fits.inputs);
}

// The model file holds the means: what it answers is what training measured, and a word that it has not seen
// is answered too.
TEST(TargetColumns, TheModelFileAnswersAlike) {
  const Folder folder;
  const std::string table = folder.write("t.csv", sums_table(200));
  for (const char* outputs : {kBoth, "{name: value, type: number}", "{name: y, type: category}"}) {
    const auto trained = train({.recipe = recipe_from(target_recipe(outputs)),
                                .data = {.dataset = table},
                                .output_directory = folder.file("out")},
                               {});
    ASSERT_TRUE(trained) << trained.error().message();
    const std::string answers = folder.file("answers.csv");
    const auto predicted = predict(
        {.model = trained->folder, .dataset = table, .split = SplitWanted::test, .output = answers}, {});
    ASSERT_TRUE(predicted) << predicted.error().message();
    EXPECT_EQ(*read_file(answers), *read_file(trained->folder + "/predictions.csv")) << outputs;
    const std::string unseen = folder.write("unseen.csv", "a,kind\n0.5,violet\n0.5,\n");
    EXPECT_TRUE(predict({.model = trained->folder, .dataset = unseen, .output = answers}, {}));
  }
}

}  // namespace
}  // namespace shoestring::train
