// A key-value cache as states: each run appends a row at a position and attends to what is there so far. The
// whole must equal attention over the whole sequence, and no run may copy a cache.
#include <gtest/gtest.h>

#include <cmath>

#include "base/memory.h"
#include "compile/compile.h"
#include "ir/interpret.h"
#include "ops/loop.h"
#include "ops/ops.h"
#include "run/executor.h"

namespace shoestring {
namespace {

constexpr int64_t kBatch = 2, kHeads = 4, kKeyHeads = 2, kRoom = 300, kSize = 8;

// One new row a sequence: input "k" and "v" [b, g, 1, d] go to the caches at "position", `positions` of them.
Graph decode_step(int64_t positions) {
  Graph g("decode");
  const Type cache{DType::f32, {kBatch, kKeyHeads, kRoom, kSize}},
      row{DType::f32, {kBatch, kKeyHeads, 1, kSize}};
  const Value position = g.input("position", {DType::i32, positions == 1 ? Shape{} : Shape{positions}});
  const auto appended = [&](const char* name) {
    const Value all =
        ops::update_at(g.read({name, cache, StateRole::accumulator}), g.input(name, row), position, 2);
    g.write(name, all);
    return all;
  };
  const Value keys = appended("k"), values = appended("v");
  const Value q = g.input("q", {DType::f32, {kBatch, kHeads, 1, kSize}});
  g.output("out", ops::attention(q, keys, values, {}, g.input("mask", {DType::f32, {kBatch, kRoom}})));
  return g;
}

float at(int64_t what, int64_t b, int64_t h, int64_t t, int64_t i) {
  return std::sin(static_cast<float>(what + 3 * b + 5 * h + 2 * t) + 0.7f * static_cast<float>(i * t));
}

TEST(Decode, OneRowAfterTheOtherIsAttentionOverAll) {
  for (const int64_t positions : {int64_t{1}, kBatch}) {
    const Graph graph = decode_step(positions);
    ASSERT_TRUE(graph.status()) << graph.status().error().message();
    StateLayout layout;
    ASSERT_TRUE(layout.include(graph));
    const Result<Plan> plan = compile(graph, layout, {.target = native_target()});
    ASSERT_TRUE(plan) << plan.error().message();
    // Two updates and the attention; the updates write where they read.
    ASSERT_EQ(plan->steps.size(), 3u) << to_text(*plan);
    for (const Step& s : plan->steps)
      if (s.name.ends_with("update_at")) {
        EXPECT_EQ(s.operands.front().place.memory, Memory::state);
        EXPECT_EQ(s.operands.front().place, s.operands.back().place) << to_text(*plan);
      }
    EXPECT_LT(plan->arena_bytes, layout.slots()[0].info.type.bytes());

    const Result<Block> states = Block::reserve(layout.bytes()), arena = Block::reserve(plan->arena_bytes);
    std::fill_n(states->data(), layout.bytes(), std::byte{0});
    Executor executor(*plan, states->data(), arena->data());
    constexpr int64_t kSteps = 20;
    std::vector<float> got;  // [t, b, h, d]
    std::vector<float> mask(static_cast<size_t>(kBatch * kRoom), 0.0f);
    for (int64_t t = 0; t < kSteps; ++t) {
      std::fill_n(executor.input<int32_t>("position"), positions, static_cast<int32_t>(t));
      for (int64_t b = 0; b < kBatch; ++b) {
        mask[static_cast<size_t>(b * kRoom + t)] = 1;
        for (int64_t i = 0; i < kSize; ++i) {
          for (int64_t h = 0; h < kHeads; ++h)
            executor.input<float>("q")[(b * kHeads + h) * kSize + i] = at(0, b, h, t, i);
          for (int64_t h = 0; h < kKeyHeads; ++h) {
            executor.input<float>("k")[(b * kKeyHeads + h) * kSize + i] = at(10, b, h, t, i);
            executor.input<float>("v")[(b * kKeyHeads + h) * kSize + i] = at(20, b, h, t, i);
          }
        }
      }
      std::copy(mask.begin(), mask.end(), executor.input<float>("mask"));
      executor.run({});
      const float* out = executor.output<float>("out");
      got.insert(got.end(), out, out + kBatch * kHeads * kSize);
    }

    Graph whole("whole");
    const Value q = whole.input("q", {DType::f64, {kBatch, kHeads, kSteps, kSize}});
    const Value k = whole.input("k", {DType::f64, {kBatch, kKeyHeads, kSteps, kSize}});
    const Value v = whole.input("v", {DType::f64, {kBatch, kKeyHeads, kSteps, kSize}});
    whole.output("out", ops::attention(q, k, v, {.causal = true}));
    std::map<std::string, Tensor64> in;
    const auto fill = [&](const std::string& name, int64_t what, int64_t heads) {
      for (int64_t b = 0; b < kBatch; ++b)
        for (int64_t h = 0; h < heads; ++h)
          for (int64_t t = 0; t < kSteps; ++t)
            for (int64_t i = 0; i < kSize; ++i) in[name].push_back(at(what, b, h, t, i));
    };
    fill("q", 0, kHeads);
    fill("k", 10, kKeyHeads);
    fill("v", 20, kKeyHeads);
    const Tensor64 want = interpret(whole, in, {}).outputs.at("out");  // [b, h, t, d]
    for (int64_t t = 0; t < kSteps; ++t)
      for (int64_t bh = 0; bh < kBatch * kHeads; ++bh)
        for (int64_t i = 0; i < kSize; ++i)
          ASSERT_NEAR(got[static_cast<size_t>((t * kBatch * kHeads + bh) * kSize + i)],
                      want[static_cast<size_t>((bh * kSteps + t) * kSize + i)], 1e-5)
              << t << " " << bh << " " << i;
  }
}

// Where the old value is needed after the update, the update may not be made in place: it is made elsewhere.
TEST(Decode, AReaderOfTheOldValueKeepsIt) {
  Graph g("both");
  const Value old = g.read({"s", {DType::f32, {4}}, StateRole::accumulator});
  const Value now =
      ops::update_at(old, g.input("row", {DType::f32, {1}}), g.input("position", {DType::i32, {}}), 0);
  g.output("sum", ops::add(ops::reduce_sum(now), ops::reduce_sum(ops::mul(old, now))));
  g.write("s", now);
  StateLayout layout;
  ASSERT_TRUE(layout.include(g));
  const Result<Plan> plan = compile(g, layout, {.target = native_target()});
  ASSERT_TRUE(plan) << plan.error().message();
  const Result<Block> states = Block::reserve(layout.bytes()), arena = Block::reserve(plan->arena_bytes);
  Executor executor(*plan, states->data(), arena->data());
  auto* s = reinterpret_cast<float*>(states->data());
  for (int i = 0; i < 4; ++i) s[i] = static_cast<float>(i + 1);
  *executor.input<float>("row") = 10;
  *executor.input<int32_t>("position") = 99;  // beyond: the last
  executor.run({});
  EXPECT_FLOAT_EQ(*executor.output<float>("sum"), (1 + 2 + 3 + 10) + (1 + 4 + 9 + 40));
  EXPECT_FLOAT_EQ(s[3], 10);
  EXPECT_FLOAT_EQ(s[2], 3);
}

}  // namespace
}  // namespace shoestring
