#include "task/table_rows.h"

#include <gtest/gtest.h>

#include <cmath>
#include <sstream>

#include "base/atomic_file.h"
#include "base/memory.h"
#include "compile/compile.h"
#include "compile/differentiate.h"
#include "ir/interpret.h"
#include "ops/ops.h"
#include "run/executor.h"

namespace shoestring::task {
namespace {

// One step on a table of `rows` rows of `width`: the upstream of three gathered rows is an input.
Graph step(const model::Optimizer& optimizer, int64_t rows, int64_t width, int64_t most_dense_bytes) {
  Graph g("step");
  const Value table = g.read({"table", {DType::f32, {rows, width}}});
  const Value loss = ops::reduce_sum(ops::mul(ops::gather(table, g.input("rows", {DType::i32, {3}})),
                                              g.input("upstream", {DType::f32, {3, width}})));
  std::vector<model::Trained> trained{{.name = "table", .value = table}};
  trained[0].gradient = differentiate(g, loss, std::vector{table})[0];
  TableRows by_rows;
  by_rows.take(g, trained, most_dense_bytes);
  const Value one = g.scalar(DType::f32, 1);
  std::vector<model::StateUpdate> updates =
      model::update(optimizer, trained, g.input("rate", {DType::f32, {}}), one);
  by_rows.put(updates);
  for (const model::StateUpdate& u : updates) g.write(u.state, u.value);
  return restate(g, by_rows.forms(g));
}

std::map<std::string, Tensor64> inputs_at(int t) {
  std::map<std::string, Tensor64> in{{"rows", {t % 4 + 0.0, 4, t % 4 + 0.0}}, {"rate", {0.1}}};
  for (int i = 0; i < 9; ++i) in["upstream"].push_back(std::cos(0.7 * i + t));
  return in;
}

std::map<std::string, Tensor64> first_states(const Graph& g) {
  std::map<std::string, Tensor64> states;
  for (const StateInfo& s : g.states()) states[s.name] = Tensor64(static_cast<size_t>(s.type.elements()));
  for (size_t i = 0; i < states["table"].size(); ++i)
    states["table"][i] = 0.3 * std::sin(1.3 * static_cast<double>(i));
  return states;
}

TEST(TableRows, AdamOfRowsIsPyTorchsSparseAdam) {
  const Graph g = step(model::Adam{}, 6, 3, 0);
  ASSERT_TRUE(g.status()) << g.status().error().message();
  ASSERT_EQ(g.state("table/m")->type, (Type{DType::f32, {6, 3}}));
  std::istringstream stored(read_file("tests/unit/task/sparse_adam.txt").value());
  auto states = first_states(g);
  for (int t = 0; t < 5; ++t) {
    for (auto& [name, values] : interpret(g, inputs_at(t), states).states) states[name] = values;
    for (double got : states["table"]) {
      double want = 0;
      stored >> want;
      ASSERT_NEAR(got, want, 1e-6) << "step " << t;
    }
  }
}

// Without momentum a row that is not taken would not move anyway.
TEST(TableRows, SgdOfRowsIsThatOfTheWholeTable) {
  const Graph rows = step(model::Sgd{}, 6, 3, 0), dense = step(model::Sgd{}, 6, 3, 1 << 20);
  auto a = first_states(rows), b = first_states(dense);
  for (int t = 0; t < 3; ++t) {
    a = interpret(rows, inputs_at(t), a).states;
    b = interpret(dense, inputs_at(t), b).states;
  }
  for (size_t i = 0; i < 18; ++i) ASSERT_NEAR(a["table"][i], b["table"][i], 1e-12);
}

// Everything that a plan does to a table a thousand times as high is the same: nothing is as large as the
// table.
TEST(TableRows, AStepCostsNothingForTheTablesHeight) {
  const auto plan_of = [](int64_t height) {
    Graph g = step(model::Adam{}, height, 3, 0);
    StateLayout layout;
    EXPECT_TRUE(layout.include(g));
    return compile(std::move(g), layout, {.target = native_target()});
  };
  const auto low = plan_of(6), high = plan_of(6000);
  ASSERT_TRUE(low) << low.error().message();
  ASSERT_TRUE(high);
  EXPECT_EQ(low->arena_bytes, high->arena_bytes);
  EXPECT_EQ(low->steps.size(), high->steps.size());
  for (const Step& s : high->steps) {
    EXPECT_NE(s.kernel, "copy") << s.name;
    if (s.name.ends_with("scatter_rows")) {  // in its own memory
      EXPECT_EQ(s.operands.front().place.offset, s.operands.back().place.offset) << s.name;
    }
  }
}

TEST(TableRows, OtherUsesOfTheTableNeedTheWholeGradient) {
  Graph g("step");
  const Value table = g.read({"table", {DType::f32, {6, 3}}});
  const Value loss = ops::add(ops::reduce_sum(ops::gather(table, g.input("rows", {DType::i32, {3}}))),
                              ops::sum_squares(table));
  std::vector<model::Trained> trained{{.name = "table", .value = table}};
  trained[0].gradient = differentiate(g, loss, std::vector{table})[0];
  TableRows().take(g, trained, 0);
  EXPECT_EQ(trained[0].gradient.type(), table.type());
}

}  // namespace
}  // namespace shoestring::task
