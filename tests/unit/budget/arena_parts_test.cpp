#include "budget/arena_parts.h"

#include <gtest/gtest.h>

namespace shoestring::budget {
namespace {

// Three steps: one of ours and two of the library's, of which only one asks for scratch here. By hand:
//   step           0     1     2
//   values       100   300   200
//   scratch       50     -    10
Plan three_steps() {
  Plan plan;
  for (const char* kernel : {"tiles", "onednn", "onednn"}) {
    plan.steps.emplace_back();
    plan.steps.back().kernel = kernel;
  }
  plan.slots = {{"%0", 0, 100, -1, 1},
                {"%1", 100, 200, 1, 2},
                {"%0 scratch", 100, 50, 0, 0},
                {"%2 scratch", 300, 10, 2, 2},
                {"%3", 310, 20, 2, 3}};
  plan.arena_bytes = 330;  // 30 more than what is live at step 1
  return plan;
}

TEST(ArenaParts, AreTheWholeArena) {
  const ArenaParts parts = parts_of(three_steps());
  EXPECT_EQ(parts.scratch, 0);
  EXPECT_EQ(parts.gradients, 0);
  EXPECT_EQ(parts.activations, 330);
}

TEST(ArenaParts, ElsewhereTakeTheLibrarysScratchAsItsBound) {
  const ArenaParts none = parts_elsewhere(three_steps(), 0);
  EXPECT_EQ(none.scratch + none.activations, 330);
  const ArenaParts more = parts_elsewhere(three_steps(), 1000);
  EXPECT_EQ(more.scratch, 1000);
  EXPECT_EQ(more.activations, 330) << "300 are live at step 1, and 30 lie between";
}

}  // namespace
}  // namespace shoestring::budget
