#include "base/error.h"

#include <gtest/gtest.h>

namespace shoestring {
namespace {

TEST(Error, MessageIsWhereWhatFix) {
  const Error e{ErrorKind::usage, "unknown key 'lerning_rate'", "recipe.yaml:12:3",
                "did you mean 'learning_rate'?"};
  EXPECT_EQ(e.message(), "recipe.yaml:12:3: unknown key 'lerning_rate'; did you mean 'learning_rate'?");
}

TEST(Error, MessageWithoutPlaceOrFix) {
  EXPECT_EQ((Error{ErrorKind::internal, "what", "", ""}).message(), "what");
  EXPECT_EQ((Error{ErrorKind::data, "what", "", "fix"}).message(), "what; fix");
  EXPECT_EQ((Error{ErrorKind::data, "what", "where", ""}).message(), "where: what");
}

TEST(Error, ExitCodesAreTheDocumentedOnes) {
  const std::pair<ErrorKind, int> codes[] = {
      {ErrorKind::internal, 1}, {ErrorKind::usage, 2},   {ErrorKind::data, 3},         {ErrorKind::budget, 4},
      {ErrorKind::stopped, 5},  {ErrorKind::machine, 6}, {ErrorKind::interrupted, 130}};
  for (const auto& [kind, code] : codes) EXPECT_EQ((Error{kind}).exit_code(), code);
}

TEST(Error, FailMakesAFailedResult) {
  const Result<int> r = fail(ErrorKind::budget, "too big", "here", "buy more");
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().kind, ErrorKind::budget);
  EXPECT_EQ(r.error().message(), "here: too big; buy more");
}

}  // namespace
}  // namespace shoestring
