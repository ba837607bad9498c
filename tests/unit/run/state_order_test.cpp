// A value made of a state's old value stays what it was after the state is written, even where a pass reads
// the state itself in the place of the value.
#include <gtest/gtest.h>

#include <cmath>

#include "base/memory.h"
#include "compile/compile.h"
#include "ir/interpret.h"
#include "ir/verify.h"
#include "ops/ops.h"
#include "run/executor.h"

namespace shoestring {
namespace {

using ops::operator+, ops::operator*;

Tensor64 sines(const Type& type, double offset) {
  Tensor64 out(static_cast<size_t>(type.elements()));
  for (size_t i = 0; i < out.size(); ++i) out[i] = std::sin(1.3 * static_cast<double>(i) + offset);
  return out;
}

// Two runs of the plan, each against the interpreter: output "y" and every state.
void expect_as_interpreted(const Graph& graph) {
  ASSERT_TRUE(verify(graph)) << verify(graph).error().message();
  StateLayout layout;
  ASSERT_TRUE(layout.include(graph));
  const Result<Plan> plan = compile(graph, layout, {.target = native_target()});
  ASSERT_TRUE(plan) << plan.error().message();
  const Result<Block> block = Block::reserve(layout.bytes()), arena = Block::reserve(plan->arena_bytes);
  Executor executor(*plan, block->data(), arena->data());
  std::map<std::string, Tensor64> states, inputs;
  for (const StateSlot& s : layout.slots()) {
    states[s.info.name] = sines(s.info.type, 1);
    encode(s.info.type.dtype, states[s.info.name].data(), block->data() + s.offset, s.info.type.elements());
  }
  for (int run = 0; run < 2; ++run) {
    for (const Port& p : plan->inputs) {
      inputs[p.name] = sines(p.type, 2 + run);
      encode(p.type.dtype, inputs[p.name].data(), executor.input(p.name), p.type.elements());
    }
    executor.run({});
    const Interpretation want = interpret(graph, inputs, states);
    for (const auto& [name, values] : want.states) states[name] = values;
    const auto* y = executor.output<double>("y");
    for (size_t i = 0; i < want.outputs.at("y").size(); ++i)
      ASSERT_NEAR(y[i], want.outputs.at("y")[i], 1e-12) << "run " << run;
    for (const StateSlot& s : layout.slots())
      for (size_t i = 0; i < states[s.info.name].size(); ++i)
        ASSERT_NEAR(reinterpret_cast<const double*>(block->data() + s.offset)[i], states[s.info.name][i],
                    1e-12)
            << s.info.name << " after run " << run;
  }
}

const Type kX{DType::f64, {4, 6}}, kW{DType::f64, {6, 5}}, kB{DType::f64, {5}};

TEST(StateOrder, ABiasThatAMatmulTakesOver) {
  Graph g("g");
  const Value x = g.input("x", kX), w = g.read({"w", kW}), b = g.read({"b", kB});
  const Value spread = ops::broadcast(b, {4, 5});
  g.write("b", ops::reduce_sum(w, {0}));
  g.output("y", ops::matmul(x, w) + spread);
  expect_as_interpreted(g);
}

TEST(StateOrder, ATransposeThatAMatmulReadsThrough) {
  Graph g("g");
  const Value x = g.input("x", kX), w = g.read({"w", {DType::f64, {5, 6}}});
  const Value turned = ops::transpose(w);
  g.write("w", w * 2.0);
  g.output("y", ops::matmul(x, turned));
  expect_as_interpreted(g);
}

TEST(StateOrder, ABroadcastThatIsCopiedIntoAFusedBody) {
  Graph g("g");
  const Value x = g.input("x", {DType::f64, {4, 5}}), b = g.read({"b", kB});
  const Value spread = ops::broadcast(b, {4, 5});
  g.write("b", b + b);
  g.output("y", ops::tanh(x + spread));
  expect_as_interpreted(g);
}

}  // namespace
}  // namespace shoestring
