#include "budget/step_time.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "budget/machine_rates.h"
#include "compile/compile.h"
#include "ops/loop.h"
#include "ops/ops.h"

namespace shoestring::budget {
namespace {

constexpr double kAtOnce = 1e30;

// A machine on which nothing takes time but what a test gives it.
MachineProfile ideal() {
  MachineProfile p = built_in_profile({Isa::scalar, 1});
  for (const Rate& rate : rates()) rate.of(p) = rate.unit == RateUnit::seconds ? 0 : kAtOnce;
  p.machine.isa = "scalar";
  p.scaling = {{1, 1, 1}, {4, 4, 2}};
  return p;
}

Plan planned(Graph graph, int threads = 1) {
  EXPECT_TRUE(graph.status());
  StateLayout states;
  EXPECT_TRUE(states.include(graph));
  auto plan = compile(std::move(graph), states, {.target = {Isa::scalar, threads}});
  EXPECT_TRUE(plan) << (plan ? "" : plan.error().message());
  return std::move(*plan);
}

Graph product(int64_t m, int64_t k, int64_t n) {
  Graph g("product");
  g.output("c", ops::matmul(g.input("a", {DType::f32, {m, k}}), g.input("b", {DType::f32, {k, n}})));
  return g;
}

TEST(StepTime, AProductTakesItsFlops) {
  MachineProfile p = ideal();
  p.f32_products = {1e9, 1e9, 1e9, 1e9};
  EXPECT_NEAR(seconds_of(planned(product(10, 20, 30)), p, 1), 2.0 * 10 * 20 * 30 / 1e9, 1e-12);
}

TEST(StepTime, RatesAreInterpolatedOverSizes) {
  const ProductRates rates{1e9, 4e9, 0, 16e9};
  EXPECT_EQ(product_rate(rates, 1), 1e9) << "below the least";
  EXPECT_EQ(product_rate(rates, 1e15), 16e9) << "above the largest";
  EXPECT_NEAR(product_rate(rates, std::sqrt(kProductFlops[0] * kProductFlops[1])), 2e9, 1);
  EXPECT_NEAR(product_rate(rates, std::sqrt(kProductFlops[1] * kProductFlops[3])), 8e9, 1) << "over the gap";
}

TEST(StepTime, AStepCostsItsEntry) {
  MachineProfile p = ideal();
  p.step_seconds = 1e-6;
  const Plan plan = planned(product(2, 2, 2));
  EXPECT_NEAR(seconds_of(plan, p, 1), 1e-6 * static_cast<double>(plan.steps.size()), 1e-12);
  EXPECT_EQ(step_times(plan, p, 1)[0].bound, Bound::overhead);
}

// 1 MiB in, one number out: nothing but reading.
TEST(StepTime, ASumTakesItsBytes) {
  MachineProfile p = ideal();
  p.read = {1e9, 1e9, 1e9, 1e9};
  Graph g("sum");
  g.output("s", ops::reduce_sum(g.input("x", {DType::f32, {1 << 18}})));
  const Plan plan = planned(std::move(g));
  EXPECT_NEAR(seconds_of(plan, p, 1), double{1 << 20} / 1e9, 1e-8);
  EXPECT_EQ(step_times(plan, p, 1)[0].bound, Bound::memory);
}

// What was touched a moment ago is in the cache; the same plan with something large in between is not.
TEST(StepTime, BytesInTheCacheAreCheaper) {
  MachineProfile p = ideal();
  p.read = p.copy = {100e9, 10e9, 5e9, 1e9};
  const auto seconds = [&](int64_t elements) {
    Graph g("sum");
    g.output("s", ops::reduce_sum(g.input("x", {DType::f32, {elements}})));
    return seconds_of(planned(std::move(g)), p, 1) / static_cast<double>(4 * elements);
  };
  EXPECT_NEAR(seconds(1 << 12), 1 / 100e9, 1e-12);
  EXPECT_NEAR(seconds(1 << 27), 1 / 1e9, 1e-11);
}

TEST(StepTime, AFunctionOfElementsTakesTheSlowerOfPassesAndArithmetic) {
  Graph g("f");
  g.output("y", ops::exp(g.input("x", {DType::f32, {1000}})));
  const Plan plan = planned(std::move(g));
  MachineProfile p = ideal();
  p.element_ops = 1e9;
  EXPECT_NEAR(seconds_of(plan, p, 1), 1000 / 1e9, 1e-12);
  p.arithmetic = 1e9;  // of which an exponential takes 20 operations
  EXPECT_NEAR(seconds_of(plan, p, 1), 20 * 1000 / 1e9, 1e-12);
}

TEST(StepTime, WorkThatPaysForItIsSpreadOverTheTeam) {
  MachineProfile p = ideal();
  p.f32_products = {1e9, 1e9, 1e9, 1e9};
  p.region_seconds = 10e-6;
  const Plan plan = planned(product(100, 100, 100), 4);
  const double one = 2e6 / 1e9;
  EXPECT_NEAR(seconds_of(plan, p, 1), one, 1e-12);
  EXPECT_NEAR(seconds_of(plan, p, 4), one / 4 + 10e-6, 1e-12);
  EXPECT_NEAR(seconds_of(plan, p, 2), one / 2 + 10e-6, 1e-12) << "between two points of the scaling";
  EXPECT_EQ(step_times(plan, p, 4)[0].threads, 4);
  const Plan small = planned(product(10, 10, 10), 4);
  EXPECT_EQ(step_times(small, p, 4)[0].threads, 1);
}

// A loop takes its body's time as often as it runs, on one thread.
TEST(StepTime, ALoopTakesItsTurns) {
  constexpr int64_t kTurns = 50;
  Graph body("body");
  const Value h = body.input("h", {DType::f32, {4, 8}}), x = body.input("x", {DType::f32, {4, 8}});
  const Value w = body.input("w", {DType::f32, {8, 8}});
  (void)x;
  body.output("h", ops::matmul(h, w));
  Graph g("loop");
  const Value start = g.input("h", {DType::f32, {4, 8}}), all = g.input("x", {DType::f32, {kTurns, 4, 8}});
  const ops::Scan scan = ops::scan(std::array{start}, std::array{all},
                                   std::array{g.input("w", {DType::f32, {8, 8}})}, std::move(body));
  g.output("h", scan.carries[0]);
  MachineProfile p = ideal();
  p.f32_products = {1e9, 1e9, 1e9, 1e9};
  p.region_seconds = 1e-9;
  EXPECT_NEAR(seconds_of(planned(std::move(g), 4), p, 4), kTurns * 2.0 * 4 * 8 * 8 / 1e9, 1e-9);
}

}  // namespace
}  // namespace shoestring::budget
