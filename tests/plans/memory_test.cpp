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
  for (const StateInfo& state : initial.states()) runner.set(state, first_values(state));
  std::vector<double> out;
  for (int t = 0; t < 10; ++t) {
    const auto results = runner.run(step.name(), family.inputs(step, t));
    EXPECT_EQ(results.at("finite")[0], 1);
    out.push_back(results.at("loss")[0]);
  }
  return out;
}

// Twelve activations of 1 MiB wait for the backward part, or twelve halves. One widened lies beside them
// while it is read.
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

// Moments in 8 bits are decoded for the update of their weight, not before: those of one lie in the arena.
TEST(EightBitMoments, AreDecodedOneWeightAfterTheOther) {
  task::NetworkSpec spec = deep(12, 256);
  const int64_t whole = plan_of(spec, 1024, {.target = native_target()}).arena_bytes;
  spec.recipe.trainer.optimizer = model::EightBit<model::Adam>{};
  const int64_t coded = plan_of(spec, 1024, {.target = native_target()}).arena_bytes;
  EXPECT_LE(coded, whole + 2 * 256 * 256 * 4);
}

TEST(StoredActivations, LossesOfTenStepsStayWithinOnePercent) {
  for (const auto& [name, family] : families())
    for (const DType stored : {DType::bf16, DType::f16}) {
      if (stored == DType::f16 && !name.starts_with("mlp")) continue;
      SCOPED_TRACE(name);
      const std::vector<double> exact = losses(family, {.target = native_target()});
      const std::vector<double> kept =
          losses(family, {.target = native_target(), .precision = {.stored = stored, .least_stored = 0}});
      for (size_t t = 0; t < exact.size(); ++t)
        EXPECT_NEAR(kept[t], exact[t], 0.01 * std::max(std::abs(exact[t]), 0.1)) << "step " << t;
    }
}

// A deep network gets by with four fifths of the arena for less than a third more arithmetic, and with much
// less where it must.
TEST(Recomputation, KeepsTheArenaBelowItsLimit) {
  const task::NetworkSpec spec = deep(12, 256);
  const Plan whole = plan_of(spec, 1024, {.target = native_target()});
  for (const auto& [share, work] : {std::pair{0.8, 1.15}, {0.6, 1.3}}) {
    const auto limit = static_cast<int64_t>(share * static_cast<double>(whole.arena_bytes));
    const Plan plan = plan_of(spec, 1024, {.target = native_target(), .arena_limit_bytes = limit});
    EXPECT_TRUE(verify(plan));
    EXPECT_LE(plan.arena_bytes, limit) << share;
    EXPECT_LE(plan.cost().flops, work * whole.cost().flops) << share;
  }
}

TEST(Recomputation, LeavesWhatFitsAsItIs) {
  const task::NetworkSpec spec = deep(3, 64);
  const Plan whole = plan_of(spec, 100, {.target = native_target()});
  const Plan plan = plan_of(spec, 100, {.target = native_target(), .arena_limit_bytes = whole.arena_bytes});
  EXPECT_EQ(to_text(whole), to_text(plan));
}

// Nothing is rounded otherwise; only what is fused with what may differ.
TEST(Recomputation, ChangesNoLoss) {
  for (const auto& [name, family] : families()) {
    SCOPED_TRACE(name);
    const std::vector<double> kept = losses(family, {.target = native_target()});
    const std::vector<double> again = losses(family, {.target = native_target(), .arena_limit_bytes = 1});
    for (size_t t = 0; t < kept.size(); ++t)
      EXPECT_NEAR(again[t], kept[t], 1e-5 * std::max(std::abs(kept[t]), 1.0)) << "step " << t;
  }
}

// Dropout draws the same numbers again, and batch norm moves its statistics once.
TEST(Recomputation, RepeatsRandomNumbersAndWritesStatisticsOnce) {
  Family family = families().at("mlp_adam");
  task::FcStack stack;
  for (int i = 0; i < 4; ++i)
    stack.layers.push_back(
        {.output_size = 32, .norm = task::Norm::batch, .activation = task::Activation::gelu, .dropout = 0.3});
  family.spec.recipe.combiner = task::ConcatCombiner{.stack = stack};
  const Graph step = task::build_training(family.spec, family.rows, task::StepKind::update);
  const Graph initial = task::build_initial(family.spec);
  const Plan whole = plan_of(family.spec, family.rows, {.target = native_target()});
  Planned kept(native_target()), again(CompileOptions{.target = native_target(), .arena_limit_bytes = 1});
  for (Planned* runner : {&kept, &again}) {
    runner->add(step);
    for (const StateInfo& state : initial.states()) runner->set(state, first_values(state));
    for (int t = 0; t < 5; ++t)
      runner->run(step.name(), family.inputs(step, t), {.seed = 7, .step = static_cast<uint32_t>(t)});
  }
  EXPECT_LT(again.plan(step.name()).arena_bytes, whole.arena_bytes * 8 / 10);
  for (const StateInfo& state : initial.states()) {
    const Tensor64 a = kept.get(state.name), b = again.get(state.name);
    for (size_t i = 0; i < a.size(); ++i)
      ASSERT_NEAR(a[i], b[i], 1e-4 * std::max(std::abs(a[i]), 1.0)) << state.name << "[" << i << "]";
  }
}

// Of eight gradients of 256 KiB that waited for each other one remains, beside the activations and their
// gradients.
TEST(EarlyUpdates, LetGoOfEachGradient) {
  task::NetworkSpec spec = deep(8, 256);
  const Plan late = plan_of(spec, 64, {.target = native_target()});
  spec.early_updates = true;
  const Plan early = plan_of(spec, 64, {.target = native_target()});
  EXPECT_TRUE(verify(early));
  EXPECT_LE(early.arena_bytes, late.arena_bytes - 7 * kMiB / 8);
}

TEST(EarlyUpdates, ChangeNoLoss) {
  for (auto [name, family] : families()) {
    if (!task::can_update_early(family.spec.recipe)) continue;
    SCOPED_TRACE(name);
    const std::vector<double> whole = losses(family, {.target = native_target()});
    family.spec.early_updates = true;
    const std::vector<double> early = losses(family, {.target = native_target()});
    for (size_t t = 0; t < whole.size(); ++t)
      EXPECT_NEAR(early[t], whole[t], 1e-5 * std::max(std::abs(whole[t]), 1.0)) << "step " << t;
  }
}

// The first layer's gradient overflows: its weights and their moments stay as they are, the others move.
// Without early updates nothing moves.
TEST(EarlyUpdates, ABadGradientStopsItsOwnParameter) {
  for (const bool early : {false, true}) {
    Family family = families().at("mlp_adam");
    family.spec.early_updates = early;
    Planned runner;
    const Graph step = task::build_training(family.spec, family.rows, task::StepKind::update);
    runner.add(step);
    const Graph initial = task::build_initial(family.spec);
    std::map<std::string, Tensor64> before;
    for (const StateInfo& state : initial.states()) {
      Tensor64 values = first_values(state);
      if (state.name == "combiner.fc0.weights") std::ranges::fill(values, 0.0);
      runner.set(state, values);
      before[state.name] = runner.get(state.name);
    }
    auto inputs = family.inputs(step, 0);
    std::ranges::fill(inputs.at("numbers"), 3e38);
    const auto results = runner.run(step.name(), inputs);
    EXPECT_EQ(results.at("finite")[0], 0);
    EXPECT_TRUE(std::isfinite(results.at("loss")[0]));
    EXPECT_FALSE(std::isfinite(results.at("gradient_norm")[0]));
    for (const auto& [name, values] : before) {
      const bool stays = !early || name.starts_with("combiner.fc0.weights");
      EXPECT_EQ(runner.get(name) == values, stays) << name;
    }
  }
}

TEST(EarlyUpdates, NeedEachGradientToStandAlone) {
  task::NetworkSpec spec = deep(2, 8);
  spec.early_updates = true;
  EXPECT_TRUE(task::build_training(spec, 4, task::StepKind::update).status());
  spec.accumulates = true;
  EXPECT_FALSE(task::build_training(spec, 4, task::StepKind::accumulate_and_update).status());
  spec.recipe.trainer.gradient_clipping.clipglobalnorm = 1;
  EXPECT_FALSE(task::can_update_early(spec.recipe));
  EXPECT_FALSE(task::build_training(spec, 4, task::StepKind::update).status());
}

}  // namespace
}  // namespace shoestring::test
