#include "ir/graph.h"

#include <gtest/gtest.h>

#include "unit/ir/small_ops.h"

namespace shoestring {
namespace {

using test::draw_op;
using test::split_op;
using test::sum_op;

const Type kVector{DType::f32, {3}};

TEST(Graph, BuildsAndReads) {
  Graph g("forward");
  const Value x = g.input("x", kVector), y = g.input("y", kVector);
  const Value z = g.add(sum_op, {x, y});
  g.output("z", z);
  ASSERT_TRUE(g.status());
  EXPECT_EQ(g.nodes().size(), 3u);
  EXPECT_EQ(z.type(), kVector);
  EXPECT_EQ(g.node(z.id()).inputs, (std::vector<ValueId>{x.id(), y.id()}));
  EXPECT_EQ(g.output_named("z").id(), z.id());
  EXPECT_FALSE(g.output_named("none").valid());
}

TEST(Graph, MissingAttributesTakeTheirDefaults) {
  Graph g;
  const Value a = g.add(split_op, {g.input("x", kVector)}, {{"at", int64_t{2}}});
  EXPECT_EQ(g.node(a.id()).attrs.pairs().size(), split_op.attrs.size());
  EXPECT_EQ(g.node(a.id()).attrs.text("mode"), "near");
  EXPECT_EQ(a.dims(), Shape{2});
  EXPECT_EQ(a.output(1).dims(), Shape{1});
}

// The first error is kept, and what is built on it stays silent.
TEST(Graph, KeepsTheFirstError) {
  Graph g("net");
  const Value bad = g.add(sum_op, {g.input("x", kVector), g.input("y", {DType::f32, {4}})});
  EXPECT_FALSE(bad.valid());
  EXPECT_FALSE(g.add(sum_op, {bad}).valid());
  g.output("z", bad);
  ASSERT_FALSE(g.status());
  EXPECT_EQ(g.status().error().message(),
            "graph net: sum: f32[3] and f32[4] differ; check the shapes of its inputs");
}

TEST(Graph, RefusesBlocksWhereElementsAreWanted) {
  Graph g("net");
  const Value x = g.input("x", {DType::dyn8, {300}});
  EXPECT_FALSE(g.add(sum_op, {x, x}).valid());
  EXPECT_EQ(g.status().error().what, "sum: dyn8[300] has no single elements: cast it first");
}

std::string error_of(const std::function<void(Graph&)>& build) {
  Graph g;
  build(g);
  return g.status() ? "" : g.status().error().what;
}

// A size that no machine holds is the job's fault, not the shapes': it ends before anything is computed with
// it.
TEST(Graph, RefusesWhatNoMachineHolds) {
  constexpr int64_t kLong = 4'000'000'000;
  const Type square{DType::f32, {kLong, kLong}};
  const std::pair<std::string, std::function<void(Graph&)>> cases[] = {
      {"input 'x' is f32[4000000000,4000000000]", [&](Graph& g) { g.input("x", square); }},
      {"state 'w' is f32[4000000000,4000000000]",
       [&](Graph& g) {
         g.read({"w", square});
       }},
      {"a constant is f32[4000000000,4000000000]",
       [&](Graph& g) { g.constant(square, std::vector<double>{0}); }},
      {"input 'c' is u8[500000000000000]",  // each fits, all together do not
       [&](Graph& g) {
         for (const char* name : {"a", "b", "c"}) g.input(name, {DType::u8, {500'000'000'000'000}});
       }},
      {"%1 = sum is u8[600000000000000]",
       [&](Graph& g) {
         g.add(sum_op, {g.input("x", {DType::u8, {600'000'000'000'000}})});
       }},
  };
  for (const auto& [what, build] : cases) {
    Graph g("net");
    build(g);
    ASSERT_FALSE(g.status()) << what;
    EXPECT_EQ(g.status().error().kind, ErrorKind::budget);
    EXPECT_EQ(g.status().error().message(),
              "graph net: " + what + ": more than any machine holds; make the layers or the batch smaller");
  }
}

TEST(Graph, WhatItRefuses) {
  const StateInfo w{"w", kVector};
  EXPECT_EQ(error_of([](Graph& g) { g.input("x", kVector), g.input("x", kVector); }),
            "input 'x' is declared twice");
  EXPECT_EQ(error_of([](Graph& g) { g.add(sum_op, {}); }), "sum: takes 1 to 4 inputs, not 0");
  EXPECT_EQ(error_of([](Graph& g) { g.add(sum_op, {Value()}); }), "sum: an input is missing");
  EXPECT_EQ(error_of([](Graph& g) {
              g.add(split_op, {g.input("x", kVector)}, {{"where", int64_t{1}}});
            }),
            "split: no attribute 'where'");
  EXPECT_EQ(error_of([](Graph& g) {
              g.add(split_op, {g.input("x", kVector)}, {{"at", 1.0}});
            }),
            "split: attribute 'at' cannot be 1.0");
  EXPECT_EQ(error_of([](Graph& g) {
              g.constant(kVector, std::array{1.0, 2.0});
            }),
            "constant: 2 values given for f32[3]");
  EXPECT_EQ(error_of([&](Graph& g) {
              g.read(w), g.read({"w", {DType::f32, {4}}});
            }),
            "state 'w' is declared as f32[3] and as f32[4]");
  EXPECT_EQ(error_of([&](Graph& g) { g.write("w", g.input("x", kVector)), g.read(w); }),
            "state 'w' is read after it is written");
  EXPECT_EQ(error_of([&](Graph& g) {
              const Value x = g.read(w);
              g.write("w", x), g.write("w", x);
            }),
            "state 'w' is written twice");
  EXPECT_EQ(error_of([&](Graph& g) {
              g.read(w), g.write("w", g.input("x", {DType::f64, {3}}));
            }),
            "state 'w' is f32[3] and cannot be written with f64[3]");
}

TEST(Graph, AStateIsReadOnce) {
  Graph g;
  const StateInfo w{"w", kVector, StateRole::moment};
  EXPECT_EQ(g.read(w).id(), g.read(w).id());
  EXPECT_EQ(g.states().size(), 1u);
  EXPECT_EQ(g.state("w")->role, StateRole::moment);
}

TEST(Graph, OneValueFillsAConstant) {
  Graph g;
  const Value c = g.constant(kVector, std::array{0.5});
  double values[3];
  decode(DType::f32, g.node(c.id()).literal->data(), values, 3);
  for (double v : values) EXPECT_EQ(v, 0.5);
}

TEST(Graph, StreamsAreNeverGivenTwice) {
  Graph g;
  g.add(draw_op, {}, {{"stream", int64_t{7}}});
  EXPECT_EQ(g.next_stream(), 8);
  EXPECT_EQ(g.next_stream(), 9);
}

TEST(Graph, CloneKeepsWhatANodeIs) {
  Graph from("from");
  const Value x = from.input("x", kVector);
  from.read({"w", kVector, StateRole::statistic});
  const Value s = from.add(split_op, {x}, {{"at", int64_t{2}}});
  Graph to("to");
  const Value y = to.clone(from.node(x.id()), {});
  const Value t = to.clone(from.node(s.id()), std::array{y});
  EXPECT_EQ(to.node(y.id()).name, "x");
  EXPECT_EQ(to.node(t.id()).attrs, from.node(s.id()).attrs);
  EXPECT_EQ(to.node(t.id()).types, from.node(s.id()).types);
}

TEST(Graph, UsersInOrderAndOnce) {
  Graph g;
  const Value x = g.input("x", kVector);
  const Value a = g.add(sum_op, {x, x}), b = g.add(sum_op, {a, x});
  const auto users = users_of(g);
  EXPECT_EQ(users[x.id().node.index], (std::vector<NodeId>{a.id().node, b.id().node}));
  EXPECT_EQ(users[a.id().node.index], (std::vector<NodeId>{b.id().node}));
  EXPECT_TRUE(users[b.id().node.index].empty());
}

}  // namespace
}  // namespace shoestring
