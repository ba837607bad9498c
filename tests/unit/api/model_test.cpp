// The public library: problems, never exceptions.
#include <gtest/gtest.h>
#include <shoestring/shoestring.h>

#include <stdexcept>

#include "base/atomic_file.h"
#include "unit/train/tables.h"

namespace shoestring {
namespace {
using train::Folder;

TEST(Api, AnExceptionInACallbackIsAProblem) {
  const Folder folder;
  auto run = train_model({.dataset = folder.write("t.csv", train::sums_table(100)),
                          .recipe = folder.write("recipe.yaml", train::sums_recipe()),
                          .output_directory = folder.file("results"),
                          .on_evaluation = [](const Evaluation&) { throw std::runtime_error("no screen"); }});
  ASSERT_FALSE(run);
  EXPECT_EQ(run.problem().code, 1);
  EXPECT_NE(run.problem().what.find("no screen"), std::string::npos) << run.problem().message();
}

TEST(Api, TooLittleMemoryIsAProblem) {
  const Folder folder;
  auto run = train_model({.dataset = folder.write("t.csv", train::sums_table(100)),
                          .recipe = folder.write("recipe.yaml", train::sums_recipe()),
                          .output_directory = folder.file("results"),
                          .on_evaluation = [](const Evaluation&) { throw std::bad_alloc(); }});
  ASSERT_FALSE(run);
  EXPECT_EQ(run.problem().code, 6);
  EXPECT_NE(run.problem().fix, "");
}

TEST(Api, AModelAnswersAgainWithoutItsFile) {
  const Folder folder;
  const std::string table = folder.write("t.csv", train::sums_table(200));
  auto run = train_model(
      {.dataset = table, .recipe_text = train::sums_recipe(), .output_directory = folder.file("results")});
  ASSERT_TRUE(run) << run.problem().message();
  const auto answers = [&] {
    auto rows = run->model.predict(table, folder.file("answers.csv"));
    EXPECT_TRUE(rows && *rows == 200);
    return read_file(folder.file("answers.csv")).value_or("");
  };
  const std::string first = answers();
  auto measured = run->model.evaluate(table);
  ASSERT_TRUE(measured) << measured.problem().message();
  std::filesystem::remove_all(run->folder);
  EXPECT_EQ(answers(), first);
  auto again = run->model.evaluate(table);
  ASSERT_TRUE(again) << again.problem().message();
  EXPECT_EQ(*again, *measured);
}

TEST(Api, ARecipeIsAFileOrATextNotBoth) {
  auto run = train_model({.dataset = "t.csv", .recipe = "a{b.yaml", .recipe_text = "{}"});
  ASSERT_FALSE(run);
  EXPECT_EQ(run.problem().code, 2);
  run = train_model({.dataset = "t.csv", .recipe = "a{b.yaml"});  // a file's name, whatever is in it
  ASSERT_FALSE(run);
  EXPECT_EQ(run.problem().where, "a{b.yaml");
}

}  // namespace
}  // namespace shoestring
