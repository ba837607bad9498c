// What a training step needs, and what it still computes, with the options that spare memory.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "plans/families.h"
#include "plans/runner.h"

namespace shoestring::test {
namespace {

constexpr int64_t kMiB = int64_t{1} << 20;

// `layers` layers of `width` with relu over as many numbers, and three classes.
task::NetworkSpec deep(int layers, int64_t width) {
  task::NetworkSpec spec;
  for (int64_t i = 0; i < width; ++i)
    spec.recipe.inputs.push_back({fmt::format("n{}", i), fmt::format("n{}", i), task::NumberInput{}});
  task::FcStack stack;
  for (int i = 0; i < layers; ++i) stack.layers.push_back({.output_size = width});
  spec.recipe.combiner = task::ConcatCombiner{.stack = stack};
  spec.recipe.outputs = {{"y", "y", task::CategoryOutput{}}};
  spec.recipe.trainer.gradient_clipping.clipglobalnorm.reset();
  spec.input_sizes.assign(static_cast<size_t>(width), 1);
  spec.output_sizes = {3};
  spec.class_weights.resize(1);
  return spec;
}

Plan plan_of(const task::NetworkSpec& spec, int64_t rows, const CompileOptions& options) {
  Graph graph = task::build_training(spec, rows, task::StepKind::update);
  StateLayout layout;
  EXPECT_TRUE(layout.include(graph));
  return compile(std::move(graph), layout, options).value();
}

// Ten steps' losses, and the evaluation's after them.
std::vector<double> losses(const Family& family, const CompileOptions& options) {
  Planned runner(options);
  const Graph step = task::build_training(family.spec, family.rows, task::StepKind::update);
  runner.add(step);
  const Graph initial = task::build_initial(family.spec);
  for (const StateInfo& state : initial.states())
    runner.set(state, first_values(state));
  std::vector<double> out;
  for (int t = 0; t < 10; ++t) {
    const auto results = runner.run(step.name(), family.inputs(step, t));
    EXPECT_EQ(results.at("finite")[0], 1);
    out.push_back(results.at("loss")[0]);
  }
  return out;
}

// Twelve activations of 1 MiB wait for the backward part, or twelve halves. One widened lies beside them while
// it is read.
TEST(StoredActivations, TakeHalfTheMemory) {
  const task::NetworkSpec spec = deep(12, 256);
  const Target target = native_target();
  const int64_t whole = plan_of(spec, 1024, {.target = target}).arena_bytes;
  EXPECT_GE(whole, 12 * kMiB);
  for (const DType stored : {DType::bf16, DType::f16}) {
    const Plan plan = plan_of(spec, 1024, {.target = target, .precision = {.stored = stored}});
    EXPECT_TRUE(verify(plan));
    EXPECT_LE(plan.arena_bytes, whole - 4 * kMiB);
  }
}

TEST(StoredActivations, LossesOfTenStepsStayWithinOnePercent) {
  for (const auto& [name, family] : families())
    for (const DType stored : {DType::bf16, DType::f16}) {
      if (stored == DType::f16 && !name.starts_with("mlp")) continue;
      SCOPED_TRACE(name);
      const std::vector<double> exact = losses(family, {.target = native_target()});
      const std::vector<double> kept = losses(
          family, {.target = native_target(), .precision = {.stored = stored, .least_stored = 0}});
      for (size_t t = 0; t < exact.size(); ++t)
        EXPECT_NEAR(kept[t], exact[t], 0.01 * std::max(std::abs(exact[t]), 0.1)) << "step " << t;
    }
}

}  // namespace
}  // namespace shoestring::test
