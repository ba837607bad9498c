// The public library: problems, never exceptions.
#include <gtest/gtest.h>
#include <shoestring/shoestring.h>

#include <stdexcept>

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

}  // namespace
}  // namespace shoestring
