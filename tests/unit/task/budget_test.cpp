// --budget: the keys of `budget` in one word.
#include <gtest/gtest.h>

#include "task/recipe.h"

namespace shoestring::task {
namespace {

TEST(Budget, IsReadFromOneWord) {
  const auto budget = parse_budget("memory=512MiB,time=10min,cores=2,disk=1GB,money=0.50 USD,device=cpu");
  ASSERT_TRUE(budget) << budget.error().message();
  EXPECT_EQ(*budget, (Budget{.memory_bytes = int64_t{512} << 20,
                             .time_seconds = 600,
                             .cores = 2,
                             .disk_bytes = 1'000'000'000,
                             .money_usd = 0.5}));
}

TEST(Budget, IsLaidOverTheRecipes) {
  const auto budget = parse_budget("time=5s", {.memory_bytes = 1 << 20, .time_seconds = 60});
  ASSERT_TRUE(budget);
  EXPECT_EQ(*budget, (Budget{.memory_bytes = 1 << 20, .time_seconds = 5}));
}

TEST(Budget, NamesWhatIsWrong) {
  const std::pair<const char*, const char*> kWrong[] = {
      {"", "--budget: it says nothing; write --budget memory=512MiB,time=10min"},
      {"time", "--budget: 'time' names a key without a value; write --budget memory=512MiB,time=10min"},
      {"time=5s,time=6s", "--budget: time is given twice; give it once"},
      {"tme=5s", "--budget: unknown key 'tme' in budget; did you mean 'time'?"},
      {"time=soon",
       "--budget: budget.time must be a time such as 60s, 10min or 2h, not 'soon'; write a time "
       "such as 60s, 10min or 2h"},
      {"cores=0", "--budget: budget.cores is 0, out of range; give an integer, from 1 to 1024, or null"}};
  for (const auto& [text, error] : kWrong) {
    const auto budget = parse_budget(text);
    ASSERT_FALSE(budget) << text;
    EXPECT_EQ(budget.error().kind, ErrorKind::usage);
    EXPECT_EQ(budget.error().message(), error);
  }
}

}  // namespace
}  // namespace shoestring::task
