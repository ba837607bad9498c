// Each kind of broken graph is rejected. The builder makes none, so nodes are broken behind its back.
#include "ir/verify.h"

#include <gtest/gtest.h>

#include <functional>

#include "unit/ir/small_ops.h"

namespace shoestring {
namespace {

const Type kVector{DType::f32, {3}};

// %0 x, %1 w, %2 sum(x, w), %3 split(%2), %4 constant, %5 write w, output y = %3.1
Graph good() {
  Graph g("g");
  const Value x = g.input("x", kVector), w = g.read({"w", kVector});
  const Value s = g.add(test::sum_op, {x, w});
  const Value t = g.add(test::split_op, {s});
  g.constant(kVector, std::array{1.0, 2.0, 3.0});
  g.write("w", s);
  g.output("y", t.output(1));
  return g;
}

std::string error_after(const std::function<void(Graph&, std::span<Node>)>& breakage) {
  Graph g = good();
  breakage(g, {const_cast<Node*>(g.nodes().data()), g.nodes().size()});
  const Status s = verify(g);
  return s ? "" : s.error().message();
}

TEST(Verify, AcceptsAGoodGraph) {
  EXPECT_TRUE(verify(good()));
  EXPECT_TRUE(verify(Graph("empty")));
}

TEST(Verify, RejectsEachKindOfBrokenGraph) {
  EXPECT_EQ(error_after([](Graph&, auto n) { n[2].inputs[0].node.index = 4; }),
            "graph g, %2 = sum: uses %4 before it is computed");
  EXPECT_EQ(error_after([](Graph&, auto n) { n[2].inputs[0].node.index = 2; }),
            "graph g, %2 = sum: uses %2 before it is computed");
  EXPECT_EQ(error_after([](Graph&, auto n) { n[2].inputs[0].node.index = 99; }),
            "graph g, %2 = sum: uses %99 before it is computed");
  EXPECT_EQ(error_after([](Graph&, auto n) { n[2].inputs[0].output = 1; }),
            "graph g, %2 = sum: uses %0.1, which does not exist");
  EXPECT_EQ(error_after([](Graph&, auto n) { n[2].inputs.clear(); }), "graph g, %2 = sum: has 0 inputs");
  EXPECT_EQ(error_after([](Graph&, auto n) { n[2].op = nullptr; }), "graph g, %2 = ?: has no operator");
  EXPECT_EQ(error_after([](Graph&, auto n) { n[2].types[0].dims = {4}; }),
            "graph g, %2 = sum: its type is not what the shape rule says");
  EXPECT_EQ(error_after([](Graph&, auto n) { n[2].types.push_back(kVector); }),
            "graph g, %2 = sum: its type is not what the shape rule says");
  EXPECT_EQ(error_after([](Graph&, auto n) { n[0].types[0].dims = {4}; }),
            "graph g, %2 = sum: sum: f32[4] and f32[3] differ");
  EXPECT_EQ(error_after([](Graph&, auto n) {
              n[3].attrs = Attrs{{"at", int64_t{1}}};
            }),
            "graph g, %3 = split: attribute 'scale' is missing or of another type");
  EXPECT_EQ(error_after([](Graph&, auto n) { n[3].attrs.set("at", 1.0); }),
            "graph g, %3 = split: attribute 'at' is missing or of another type");
  EXPECT_EQ(error_after([](Graph&, auto n) { n[3].attrs.set("more", 1.0); }),
            "graph g, %3 = split: has attributes that are not declared");
  EXPECT_EQ(error_after([](Graph&, auto n) { n[4].literal = nullptr; }),
            "graph g, %4 = constant: the constant's bytes do not fill its type");
  EXPECT_EQ(error_after([](Graph&, auto n) { n[4].types[0].dims = {2}; }),
            "graph g, %4 = constant: the constant's bytes do not fill its type");
  EXPECT_EQ(error_after([](Graph&, auto n) { n[1].name = "v"; }),
            "graph g, %1 = read: state 'v' is not declared");
  EXPECT_EQ(error_after([](Graph&, auto n) {
              n[5].inputs[0] = {{3}, 0};
            }),
            "graph g, %5 = write: state 'w' is f32[3], not f32[1]");
  EXPECT_EQ(error_after([](Graph&, auto n) {
              n[4] = n[1], n[4].op = &write_op, n[4].types.clear(), n[4].inputs = {{{0}, 0}};
            }),
            "graph g, %5 = write: state 'w' is written twice");
  EXPECT_EQ(error_after([](Graph& g, auto n) {
              g.output("z", g.value({{3}, 1})), n[3].types.pop_back();
            }),
            "graph g, %3 = split: its type is not what the shape rule says");
  EXPECT_EQ(error_after([](Graph& g, auto) {
              g.output("z", g.value({{77}, 0}));
            }),
            "graph g: output 'z' does not exist");
  EXPECT_EQ(error_after([](Graph& g, auto) {
              g.output("z", g.value({{2}, 1}));
            }),
            "graph g: output 'z' does not exist");
}

TEST(Verify, RejectsAnInputThatStandsTwice) {
  EXPECT_EQ(error_after([](Graph&, auto n) { n[4] = n[0]; }), "graph g, %4 = input: input 'x' stands twice");
}

TEST(Verify, RejectsReadingAStateAfterItIsWritten) {
  Graph g("g");
  const Value x = g.input("x", kVector);
  g.read({"w", kVector});
  g.write("w", x);
  g.input("late", kVector);
  Node& late = const_cast<Node&>(g.nodes()[3]);
  late = g.nodes()[1];
  EXPECT_EQ(verify(g).error().message(), "graph g, %3 = read: state 'w' is read after it is written");
}

TEST(Verify, RejectsUsingAnOldValueAfterItsStateIsWritten) {
  Graph g("g");
  const Value x = g.input("x", kVector), w = g.read({"w", kVector});
  g.write("w", x);
  g.add(test::sum_op, {x, w});
  EXPECT_EQ(verify(g).error().message(),
            "graph g, %3 = sum: uses the old value of state 'w' after it is written");
}

// A view lies in the state's own memory, so it counts as the state; what is computed from it does not.
TEST(Verify, RejectsUsingAViewOfAnOldValueAfterItsStateIsWritten) {
  Graph g("g");
  const Value x = g.input("x", kVector), w = g.read({"w", kVector});
  const Value view = g.add(test::same_op, {w}), copy = g.add(test::sum_op, {w, w});
  g.write("w", x);
  g.add(test::sum_op, {x, copy});
  EXPECT_TRUE(verify(g));
  g.add(test::sum_op, {x, view});
  EXPECT_EQ(verify(g).error().message(),
            "graph g, %6 = sum: uses the old value of state 'w' after it is written");
}

TEST(Verify, LooksIntoBodies) {
  auto body = std::make_shared<Graph>("body");
  body->output("y", body->add(test::sum_op, {body->input("x", kVector)}));
  Graph g("g");
  g.output("y", g.add(test::holds_op, std::array{g.input("x", kVector)}, {}, body));
  ASSERT_TRUE(verify(g));
  const_cast<Node&>(body->nodes()[1]).inputs[0].node.index = 1;
  EXPECT_EQ(verify(g).error().message(), "graph body, %1 = sum: uses %1 before it is computed");
}

}  // namespace
}  // namespace shoestring
