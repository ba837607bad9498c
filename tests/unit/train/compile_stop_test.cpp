// Compiling gives up between passes once it is asked to.
#include <gtest/gtest.h>

#include "compile/compile.h"
#include "ops/ops.h"

namespace shoestring {
namespace {

Graph doubled() {
  Graph g("doubled");
  const Value x = g.input("x", {DType::f32, {4}});
  g.output("y", ops::add(x, x));
  return g;
}

TEST(CompileStop, BetweenAnyTwoPasses) {
  int asked = 0;
  const auto compiled = [&](int until) {
    asked = 0;
    return compile(doubled(), StateLayout{},
                   {.target = native_target(), .stopped = [&asked, until] { return ++asked > until; }});
  };
  ASSERT_TRUE(compiled(1 << 20));
  const int all = asked;
  EXPECT_GE(all, static_cast<int>(passes().size()));
  for (int until = 0; until < all; ++until) {
    const auto plan = compiled(until);
    ASSERT_FALSE(plan) << until;
    EXPECT_EQ(plan.error().kind, ErrorKind::interrupted);
    EXPECT_EQ(asked, until + 1);
  }
}

}  // namespace
}  // namespace shoestring
