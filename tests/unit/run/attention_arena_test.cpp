// Attention and its gradient hold no matrix of scores: what a plan needs beside operands grows with neither
// length.
#include <gtest/gtest.h>

#include "compile/compile.h"
#include "compile/differentiate.h"
#include "ops/ops.h"

namespace shoestring {
namespace {

struct Needs {
  int64_t arena, scratch;  // scratch: the largest of a step
};

Needs needs(int64_t queries, int64_t keys, bool gradient) {
  Graph g("attention");
  const Type q{DType::f32, {2, 4, queries, 64}}, k{DType::f32, {2, 4, keys, 64}};
  const std::array wrt = {g.input("q", q), g.input("k", k), g.input("v", k)};
  const Value out = ops::attention(wrt[0], wrt[1], wrt[2], {.causal = true});
  g.output("out", out);
  if (gradient) {
    const std::vector<Value> d = differentiate(g, ops::sum_squares(out), wrt);
    for (size_t i = 0; i < d.size(); ++i) g.output("d" + std::to_string(i), d[i]);
  }
  StateLayout states;
  const Result<Plan> plan = compile(g, states, {.target = {ops::best_isa(), 2}});
  EXPECT_TRUE(plan) << plan.error().message();
  Needs out_needs{plan->arena_bytes, 0};
  for (const Slot& s : plan->slots)
    if (s.name.ends_with("scratch")) out_needs.scratch = std::max(out_needs.scratch, s.bytes);
  return out_needs;
}

TEST(AttentionArena, GrowsWithLengthsNotWithTheirProduct) {
  for (bool gradient : {false, true}) {
    const Needs small = needs(256, 512, gradient), large = needs(1024, 2048, gradient);
    EXPECT_EQ(small.scratch, large.scratch) << gradient;
    EXPECT_LT(large.scratch, 300'000) << gradient;
    // Operands grow by 4; one head's scores alone would be 8 MB.
    EXPECT_LE(large.arena, 4 * small.arena) << gradient;
    EXPECT_GT(large.arena, int64_t{2} * 4 * 2048 * 64 * 4) << gradient;
  }
}

}  // namespace
}  // namespace shoestring
