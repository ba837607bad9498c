// The order of filters in memory: what is chosen for a training step, and that nobody who runs it can tell.
#include "ir/layout.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "compile/compile.h"
#include "compile/differentiate.h"
#include "ops/conv.h"
#include "run/executor.h"

namespace shoestring {
namespace {

constexpr DType f32 = DType::f32;

Layout of(std::vector<Layout::Part> parts) { return Layout(parts); }

TEST(Layout, EqualOrdersAreEqual) {
  EXPECT_TRUE(of({{0, 3}, {1, 4}}).row_major());
  EXPECT_TRUE(of({{0, 3}, {1, 2}, {1, 2}}).row_major());
  EXPECT_TRUE(of({{1, 1}, {0, 3}, {1, 4}}).row_major());
  EXPECT_FALSE(of({{1, 2}, {0, 3}, {1, 2}}).row_major());
  EXPECT_EQ(of({{1, 2}, {1, 2}, {0, 3}}), of({{1, 4}, {0, 3}}));
  EXPECT_EQ(to_string(of({{1, 2}, {0, 3}, {1, 8}})), "b2 a3 b8");
  EXPECT_EQ(Layout(of({{1, 2}, {0, 3}, {1, 8}}).attribute()), of({{1, 2}, {0, 3}, {1, 8}}));
}

TEST(Layout, FitsOneShape) {
  const Layout blocks = of({{1, 2}, {0, 3}, {1, 8}});
  EXPECT_TRUE(blocks.fits({3, 16}));
  EXPECT_FALSE(blocks.fits({3, 8}));
  EXPECT_FALSE(blocks.fits({3, 16, 2}));
  EXPECT_FALSE(blocks.fits({16}));
  EXPECT_TRUE(Layout().fits({5, 0, 7}));
  for (const std::vector<int64_t>& broken : {std::vector<int64_t>{1}, {9, 2}, {-1, 2}, {0, 0}, {0, -3}})
    EXPECT_FALSE(Layout(broken).fits({2, 2})) << broken[0];
}

// [3,4] as b2 a3 b2: the columns 0 and 1 of all rows, then 2 and 3.
TEST(Layout, ElementsLieAsItSays) {
  const Layout blocks = of({{1, 2}, {0, 3}, {1, 2}});
  const Type type{DType::i16, {3, 4}};
  const std::vector<int16_t> rows{0, 1, 2, 3, 10, 11, 12, 13, 20, 21, 22, 23};
  const std::vector<int16_t> lying{0, 1, 10, 11, 20, 21, 2, 3, 12, 13, 22, 23};
  std::vector<int16_t> made(12, -1), back(12, -1);
  write_elements(blocks, type, std::as_writable_bytes(std::span(made)).data(), 0,
                 std::as_bytes(std::span(rows)));
  EXPECT_EQ(made, lying);
  for (size_t at = 0; at < 12; at += 5)  // in pieces
    read_elements(blocks, type, std::as_bytes(std::span(lying)).data(), static_cast<int64_t>(at),
                  std::as_writable_bytes(std::span(back).subspan(at, std::min<size_t>(5, 12 - at))));
  EXPECT_EQ(back, rows);
}

// Two convolutions, the second in the shape that oneDNN has an order of its own for, and an SGD step with
// momentum.
Graph training_step() {
  using namespace ops;  // for its arithmetic
  Graph g("train");
  const Value x = g.input("x", {f32, {8, 10, 10, 3}});
  const auto parameter = [&](const char* name, const Shape& dims) {
    return g.read({.name = name, .type = {f32, dims}, .role = StateRole::parameter});
  };
  const std::vector<Value> filters{parameter("first", {3, 3, 3, 64}), parameter("second", {3, 3, 64, 128}),
                                   parameter("third", {3, 3, 128, 128})};
  Value y = ops::relu(ops::conv2d(x, filters[0], {.padding = {1, 1, 1, 1}}));
  y = ops::relu(ops::conv2d(y, filters[1], {.padding = {1, 1, 1, 1}}));
  y = ops::conv2d(y, filters[2], {.strides = {2, 2}});
  const Value loss = ops::reduce_mean(ops::square(y));
  const std::vector<Value> slopes = differentiate(g, loss, filters);
  Value norm;
  for (size_t i = 0; i < filters.size(); ++i) {
    const StateInfo m{"m" + std::to_string(i), filters[i].type(), StateRole::moment, {}};
    const Value moment = g.read(m) * 0.9 + slopes[i];
    const Value part = ops::sum_squares(slopes[i]);
    norm = norm.valid() ? norm + part : part;
    const std::string name = g.node(filters[i].id()).name;
    g.write(m.name, moment);
    g.write(name, filters[i] - moment * 0.5);
  }
  g.output("loss", loss);
  g.output("norm", norm);
  return g;
}

struct Ran {
  std::vector<float> outputs;
  std::vector<std::vector<float>> states;
  Plan::Reorders reorders;
};

Ran run(const Graph& graph, bool laid_out, Precision precision = {}) {
  const CompileOptions options{.target = native_target(), .precision = precision};
  StateLayout layout;
  EXPECT_TRUE(layout.include(graph));
  if (laid_out) {
    EXPECT_TRUE(lay_out_states(graph, layout, options));
  }
  const auto plan = compile(graph, layout, options);
  EXPECT_TRUE(plan) << plan.error().message();
  auto states = Block::reserve(layout.bytes()), arena = Block::reserve(plan->arena_bytes);
  const auto rows = [&](const StateSlot& slot, auto&& f) {
    std::vector<float> values(static_cast<size_t>(slot.info.type.elements()));
    f(values, states->data() + slot.offset);
    return values;
  };
  uint32_t next = 1;
  for (const StateSlot& slot : layout.slots())
    rows(slot, [&](std::vector<float>& values, std::byte* at) {
      for (float& v : values)
        v = static_cast<float>((next = next * 1664525u + 1013904223u) >> 8) * 0x1p-26f - 0.125f;
      write_elements(slot.info.layout, slot.info.type, at, 0, std::as_bytes(std::span(values)));
    });
  Executor executor(*plan, states->data(), arena->data());
  Ran out{.reorders = plan->reorders()};
  for (int step = 0; step < 3; ++step) {
    float* x = executor.input<float>("x");
    for (int64_t i = 0; i < plan->input("x")->type.elements(); ++i)
      x[i] = std::sin(static_cast<float>(i) + static_cast<float>(step));
    executor.run({});
  }
  for (const Port& port : plan->outputs) out.outputs.push_back(*executor.output<float>(port.name));
  for (const StateSlot& slot : layout.slots())
    out.states.push_back(rows(slot, [&](std::vector<float>& values, std::byte* at) {
      read_elements(slot.info.layout, slot.info.type, at, 0, std::as_writable_bytes(std::span(values)));
    }));
  return out;
}

void expect_same(const Ran& a, const Ran& b) {
  ASSERT_EQ(a.states.size(), b.states.size());
  for (size_t s = 0; s < a.states.size(); ++s)
    for (size_t i = 0; i < a.states[s].size(); ++i)
      ASSERT_NEAR(a.states[s][i], b.states[s][i], 1e-5) << "state " << s << " at " << i;
  for (size_t i = 0; i < a.outputs.size(); ++i)
    EXPECT_NEAR(a.outputs[i], b.outputs[i], 1e-4 * std::abs(b.outputs[i])) << i;
}

TEST(Layouts, TrainAsRowMajorOnes) {
  const Graph graph = training_step();
  ASSERT_TRUE(graph.status()) << graph.status().error().message();
  const Ran rows = run(graph, false), laid_out = run(graph, true);
  expect_same(laid_out, rows);
  EXPECT_LE(laid_out.reorders.count, rows.reorders.count);
}

TEST(Layouts, TrainInHalvesAsRowMajorOnes) {
  const Precision halves{.products = DType::bf16, .least_products = 0};
  const Graph graph = training_step();
  expect_same(run(graph, true, halves), run(graph, false, halves));
}

TEST(Layouts, PredictionReordersNothing) {
  if (native_target().isa != Isa::avx512) GTEST_SKIP() << "this machine has no AVX-512";
  Graph g("predict");
  Value y = g.input("x", {f32, {1, 8, 8, 256}});
  for (const char* name : {"a", "b"})
    y = ops::conv2d(y, g.read({.name = name, .type = {f32, {3, 3, 256, 256}}}), {.padding = {1, 1, 1, 1}});
  g.output("y", ops::reduce_mean(y));
  const Ran rows = run(g, false), laid_out = run(g, true);
  EXPECT_EQ(rows.reorders.count, 2);
  EXPECT_EQ(laid_out.reorders.count, 0);
  expect_same(laid_out, rows);
}

// A moment has the order of its weights, whichever that is.
TEST(Layouts, MomentsLieAsTheirWeights) {
  const Graph graph = training_step();
  StateLayout layout;
  ASSERT_TRUE(layout.include(graph));
  ASSERT_TRUE(lay_out_states(graph, layout, {.target = native_target()}));
  const char* const names[] = {"first", "second", "third"};
  for (size_t i = 0; i < std::size(names); ++i)
    EXPECT_EQ(layout.find(names[i])->info.layout, layout.find("m" + std::to_string(i))->info.layout);
}

// The first graph that has a state says how it lies; later ones say it of what they alone have.
TEST(Layouts, TheFirstGraphDecides) {
  if (native_target().isa != Isa::avx512) GTEST_SKIP() << "this machine has no AVX-512";
  const auto convolving = [](std::vector<const char*> names, int64_t batch) {
    Graph g;
    Value y = g.input("x", {f32, {batch, 8, 8, 256}});
    for (const char* name : names)
      y = ops::conv2d(y, g.read({.name = name, .type = {f32, {3, 3, 256, 256}}}), {.padding = {1, 1, 1, 1}});
    g.output("y", y);
    return g;
  };
  const CompileOptions options{.target = native_target()};
  StateLayout layout;
  const Graph first = convolving({"a"}, 1), second = convolving({"a", "b"}, 1);
  ASSERT_TRUE(layout.include(first));
  ASSERT_TRUE(layout.include(second));
  ASSERT_TRUE(lay_out_states(first, layout, options));
  EXPECT_FALSE(layout.find("a")->info.layout.row_major());
  EXPECT_TRUE(layout.find("b")->info.layout.row_major());
  layout.lay_out("a", {});
  ASSERT_TRUE(lay_out_states(second, layout, options));
  EXPECT_TRUE(layout.find("a")->info.layout.row_major());
  EXPECT_FALSE(layout.find("b")->info.layout.row_major());
}

TEST(Layouts, WithoutThePassStatesLieRowMajor) {
  const Graph graph = training_step();
  StateLayout layout;
  ASSERT_TRUE(layout.include(graph));
  const CompileOptions options{.target = native_target(), .skip = {"layout"}};
  ASSERT_TRUE(lay_out_states(graph, layout, options));
  for (const StateSlot& slot : layout.slots()) EXPECT_TRUE(slot.info.layout.row_major());
  layout.lay_out("second", of({{3, 128}, {0, 3}, {1, 3}, {2, 64}}));
  EXPECT_FALSE(compile(graph, layout, options));
}

}  // namespace
}  // namespace shoestring
