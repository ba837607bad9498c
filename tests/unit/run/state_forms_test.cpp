// States that are kept in a narrower dtype than what is computed with: each run reads what the last one
// wrote, rounded once a run to what the dtype can hold.
#include "compile/state_forms.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/memory.h"
#include "compile/compile.h"
#include "ir/verify.h"
#include "ops/ops.h"
#include "run/executor.h"

namespace shoestring {
namespace {

using ops::operator+, ops::operator*;

// What is left of the values once they have been kept.
std::vector<double> kept(DType dtype, const std::vector<double>& values) {
  const auto n = static_cast<int64_t>(values.size());
  std::vector<std::byte> bytes(static_cast<size_t>(Type{dtype, {n}}.bytes()));
  std::vector<double> out(values.size());
  encode(dtype, values.data(), bytes.data(), n);
  decode(dtype, bytes.data(), out.data(), n);
  return out;
}

TEST(StateForms, StatesAreKeptInAnyDType) {
  constexpr int64_t n = 700;
  for (const DType dtype : {DType::bf16, DType::f16, DType::dyn8, DType::udyn8}) {
    const std::string_view name = info(dtype).name;
    const StateInfo plain{"average", {DType::f32, {n}}, StateRole::moment};
    Graph g("g");
    const Value x = g.input("x", plain.type);
    g.write("average", g.read(plain) * 0.5 + x * 0.5);
    const Graph restated = restate(g, {{"average", cast_form(plain, dtype)}});
    ASSERT_TRUE(verify(restated)) << verify(restated).error().message();
    StateLayout layout;
    ASSERT_TRUE(layout.include(restated));
    ASSERT_EQ(layout.slots().size(), 1u);
    EXPECT_EQ(layout.slots()[0].info.type, (Type{dtype, {n}})) << name;
    const Result<Plan> plan = compile(restated, layout, {.target = native_target()});
    ASSERT_TRUE(plan) << plan.error().message();
    const Result<Block> block = Block::reserve(layout.bytes()), arena = Block::reserve(plan->arena_bytes);
    Executor executor(*plan, block->data(), arena->data());

    std::vector<double> want(n, 0.0), got(n);
    encode(dtype, want.data(), block->data(), n);
    for (int run = 0; run < 3; ++run) {
      auto* in = executor.input<float>("x");
      for (int64_t i = 0; i < n; ++i) {
        in[i] = static_cast<float>(std::abs(std::sin(static_cast<double>(i + 31 * run))));
        want[static_cast<size_t>(i)] = 0.5 * want[static_cast<size_t>(i)] + 0.5 * static_cast<double>(in[i]);
      }
      executor.run({});
      want = kept(dtype, want);
      decode(dtype, block->data(), got.data(), n);
      // A value between two steps may fall to either side in f32.
      double worst = 0;
      for (size_t i = 0; i < want.size(); ++i) worst = std::max(worst, std::abs(got[i] - want[i]));
      EXPECT_LT(worst, in_blocks(dtype) ? 0.02 : 0.005) << name << " run " << run;
    }
    EXPECT_GT(*std::max_element(got.begin(), got.end()), 0.3) << name;
  }
}

}  // namespace
}  // namespace shoestring
