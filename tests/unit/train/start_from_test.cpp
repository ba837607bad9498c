// Models that training begins with, and models whose stored network is another.
#include "train/start_from.h"

#include "base/atomic_file.h"
#include "train/predict.h"
#include "train/train.h"
#include "unit/train/tables.h"

namespace shoestring::train {
namespace {

class StartFrom : public testing::Test {
 protected:
  Result<TrainOutcome> train(const std::string& recipe, const std::string& table,
                             const std::string& load = {}) const {
    TrainRequest request{.recipe = recipe_from(recipe),
                         .data = {.dataset = folder_.write("t.csv", table)},
                         .output_directory = folder_.file("results")};
    request.load = load;
    return train::train(request, {});
  }
  std::string refused(const std::string& recipe, const std::string& table, const std::string& load) const {
    const auto outcome = train(recipe, table, load);
    EXPECT_FALSE(outcome);
    if (outcome) return {};
    EXPECT_EQ(outcome.error().kind, ErrorKind::data);
    return outcome.error().message();
  }
  const Folder folder_;
};

// The table with every `from` replaced.
std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

TEST_F(StartFrom, AnswersAsTheModelBeforeTheFirstStep) {
  const std::string still = "epochs: 1, learning_rate: 1e-30, batch_size: 16";
  const auto model = train(sums_recipe("epochs: 20, batch_size: 16, learning_rate: 0.01"), sums_table(300));
  ASSERT_TRUE(model) << model.error().message();
  // Other rows: another most frequent word, another mean.
  std::string table = sums_table(500);
  table.erase(table.begin() + static_cast<std::ptrdiff_t>(table.find('\n') + 1),
              table.begin() + static_cast<std::ptrdiff_t>(table.find('\n', table.size() / 2) + 1));
  for (int i = 0; i < 60; ++i) table += "0.9,0.8,blue,yes,2.5\n0.9,0.1,green,no,1.1\n";
  const auto again = train(sums_recipe(still), table, model->model_path);
  ASSERT_TRUE(again) << again.error().message();
  const auto answers = [&](const std::string& path) {
    const std::string out = folder_.file("answers.csv");
    EXPECT_TRUE(predict({.model = path, .dataset = folder_.file("t.csv"), .output = out}, {}));
    return read_file(out).value_or("");
  };
  EXPECT_EQ(answers(again->model_path), answers(model->model_path));
}

TEST_F(StartFrom, RefusesWhatDoesNotFit) {
  const std::string table = sums_table(300), recipe = sums_recipe("epochs: 1, batch_size: 16");
  const auto model = train(recipe, table);
  ASSERT_TRUE(model) << model.error().message();
  const std::string path = model->model_path;
  const std::string fix =
      "; use the recipe and such data as it was trained with, or leave --model_load_path out";
  EXPECT_EQ(refused(recipe, replaced(table, "green", "violet"), path),
            "column 'kind': the model that training would start from does not know 'violet'" + fix);
  EXPECT_EQ(
      refused(recipe, replaced(table, ",no,", ",never,"), path),
      "column 'y': the words are 'yes' and 'never', in the model that training would start from 'no' and "
      "'yes'" +
          fix);
  EXPECT_EQ(
      refused(replaced(recipe, "{name: b, type: number}, ", ""), table, path),
      "input feature 2 is 'kind' (category), of the model that training would start from 'b' (number)" + fix);
  EXPECT_EQ(refused(replaced(recipe, "output_size: 8", "output_size: 9"), table, path),
            "the network's 'combiner.fc0.weights' is f32[5,9], the model that training would start from has "
            "f32[5,8]" +
                fix);
  EXPECT_EQ(refused(replaced(recipe, "output_size: 8", "output_size: 8, norm: layer"), table, path),
            "the network's 'combiner.norm.scale' is f32[5], the model that training would start from has no "
            "such weights" +
                fix);
}

TEST_F(StartFrom, AModelWhoseNetworkIsAnotherIsRefused) {
  const auto trained = train(sums_recipe("epochs: 1, batch_size: 16"), sums_table(300));
  ASSERT_TRUE(trained) << trained.error().message();
  auto file = model::read_model(trained->model_path);
  ASSERT_TRUE(file);
  ASSERT_NE(file->graph.find("relu"), std::string::npos);
  file->graph = replaced(file->graph, "relu", "tanh");
  ASSERT_TRUE(model::write_model(trained->model_path, *file));
  const auto loaded = load_model(trained->model_path);
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().kind, ErrorKind::data);
  EXPECT_NE(loaded.error().what.find("tanh"), std::string::npos) << loaded.error().message();
  EXPECT_NE(loaded.error().what.find("relu"), std::string::npos) << loaded.error().message();
  // Written in another way it is the same network.
  file->graph = "# a remark\n" + replaced(file->graph, "tanh", "relu");
  ASSERT_TRUE(model::write_model(trained->model_path, *file));
  EXPECT_TRUE(load_model(trained->model_path));
}

}  // namespace
}  // namespace shoestring::train
