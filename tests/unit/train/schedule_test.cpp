#include "train/schedule.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace shoestring::train {
namespace {

const double kNan = std::numeric_limits<double>::quiet_NaN();

TEST(Horizon, EpochsOfPartialBatches) {
  task::Trainer trainer;
  trainer.epochs = 5;
  const Horizon h = horizon(trainer, 1000, 256);
  EXPECT_EQ(h.steps_per_epoch, 4);
  EXPECT_EQ(h.total_steps, 20);
  EXPECT_EQ(h.steps_per_evaluation, 4);
}

TEST(Horizon, TrainStepsStandBeforeEpochsAndStepsPerCheckpointBeforeShares) {
  task::Trainer trainer;
  trainer.train_steps = 1000;
  trainer.checkpoints_per_epoch = 2;
  EXPECT_EQ(horizon(trainer, 70, 7).steps_per_evaluation, 5);
  trainer.steps_per_checkpoint = 100;
  const Horizon h = horizon(trainer, 70, 70);
  EXPECT_EQ(h.total_steps, 1000);
  EXPECT_EQ(h.steps_per_evaluation, 100);
}

TEST(Horizon, MoreCheckpointsThanStepsAreOneAStep) {
  task::Trainer trainer;
  trainer.checkpoints_per_epoch = 50;
  EXPECT_EQ(horizon(trainer, 70, 35).steps_per_evaluation, 1);
}

TEST(Schedule, ConstantByDefault) {
  const Schedule schedule({}, 0.01, {10, 100, 10});
  EXPECT_TRUE(schedule.constant());
  EXPECT_DOUBLE_EQ(schedule.at(0), 0.01);
  EXPECT_DOUBLE_EQ(schedule.at(99), 0.01);
}

TEST(Schedule, WarmUpReachesTheBaseAndFractionStandsBeforeEvaluations) {
  task::LearningRateScheduler spec;
  spec.warmup_evaluations = 2;
  const Schedule by_evaluations(spec, 1.0, {10, 100, 10});
  EXPECT_DOUBLE_EQ(by_evaluations.at(0), 1.0 / 20);
  EXPECT_DOUBLE_EQ(by_evaluations.at(19), 1.0);
  EXPECT_DOUBLE_EQ(by_evaluations.at(50), 1.0);
  spec.warmup_fraction = 0.1;
  EXPECT_DOUBLE_EQ(Schedule(spec, 1.0, {10, 100, 10}).at(4), 0.5);
}

TEST(Schedule, LinearEndsAtZeroAfterWarmUp) {
  task::LearningRateScheduler spec;
  spec.decay = task::Decay::linear;
  spec.warmup_fraction = 0.2;
  const Schedule schedule(spec, 1.0, {10, 100, 10});
  EXPECT_DOUBLE_EQ(schedule.at(20), 1.0);
  EXPECT_DOUBLE_EQ(schedule.at(60), 0.5);
  EXPECT_DOUBLE_EQ(schedule.at(100), 0.0);
  EXPECT_DOUBLE_EQ(schedule.at(1000), 0.0);
}

TEST(Schedule, ExponentialSmoothAndInStairs) {
  task::LearningRateScheduler spec;
  spec.decay = task::Decay::exponential;
  spec.decay_rate = 0.5;
  spec.decay_steps = 10;
  EXPECT_DOUBLE_EQ(Schedule(spec, 1.0, {10, 100, 10}).at(5), std::sqrt(0.5));
  spec.staircase = true;
  const Schedule stairs(spec, 1.0, {10, 100, 10});
  EXPECT_DOUBLE_EQ(stairs.at(9), 1.0);
  EXPECT_DOUBLE_EQ(stairs.at(10), 0.5);
  EXPECT_DOUBLE_EQ(stairs.at(29), 0.25);
}

TEST(Schedule, CosineRestartsWithLongerCycles) {
  task::LearningRateScheduler spec;
  spec.decay = task::Decay::cosine;
  spec.t_0 = 10;
  spec.t_mult = 2;
  spec.eta_min = 0.1;
  const Schedule schedule(spec, 1.0, {10, 100, 7});
  EXPECT_DOUBLE_EQ(schedule.at(0), 1.0);
  EXPECT_DOUBLE_EQ(schedule.at(5), 0.55);
  EXPECT_DOUBLE_EQ(schedule.at(10), 1.0);  // the second cycle, of 20 steps
  EXPECT_DOUBLE_EQ(schedule.at(20), 0.55);
  EXPECT_DOUBLE_EQ(schedule.at(30), 1.0);  // the third, of 40
  spec.t_0.reset();
  spec.t_mult = 1;
  EXPECT_DOUBLE_EQ(Schedule(spec, 1.0, {10, 100, 7}).at(7), 1.0);
}

TEST(Schedule, PlateauReducesAfterPatienceAndNotMoreOftenThanAllowed) {
  task::LearningRateScheduler spec;
  spec.reduce_on_plateau = 2;
  spec.reduce_on_plateau_patience = 1;
  spec.reduce_on_plateau_rate = 0.1;
  Schedule schedule(spec, 1.0, {10, 100, 10});
  std::vector<bool> reduced;
  for (const double loss : {1.0, 0.9, 0.9, kNan, 1.0, 1.0, 1.0, 1.0})
    reduced.push_back(schedule.observe(loss, false));
  EXPECT_EQ(reduced, (std::vector<bool>{false, false, false, true, false, true, false, false}));
  EXPECT_NEAR(schedule.at(0), 0.01, 1e-15);
  Schedule resumed(spec, 1.0, {10, 100, 10});
  resumed.restore(schedule.memory());
  EXPECT_EQ(resumed.at(3), schedule.at(3));
}

TEST(BestSoFar, CountsEvaluationsWithoutImprovement) {
  BestSoFar best(2, true);
  EXPECT_TRUE(best.observe(0.5, 10));
  EXPECT_FALSE(best.observe(0.5, 20));
  EXPECT_FALSE(best.stop());
  EXPECT_FALSE(best.observe(kNan, 30));
  EXPECT_TRUE(best.stop());
  EXPECT_EQ(best.memory().step, 10);
}

TEST(BestSoFar, NegativePatienceNeverStops) {
  BestSoFar best(-1, false);
  for (int i = 0; i < 100; ++i) best.observe(1.0, i);
  EXPECT_FALSE(best.stop());
}

}  // namespace
}  // namespace shoestring::train
