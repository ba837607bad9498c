#include "train/schedule.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <numbers>
#include <sstream>
#include <vector>

#include "base/atomic_file.h"

namespace shoestring::train {
namespace {

const double kNan = std::numeric_limits<double>::quiet_NaN();

TEST(Horizon, EpochsOfPartialBatches) {
  task::Trainer trainer;
  trainer.epochs.value = 5;
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

// schedules.txt, written by schedules.py.
TEST(Schedule, AsPyTorch) {
  using task::Decay;
  const std::map<std::string, task::LearningRateScheduler> cases{
      {"one_cycle", {.decay = Decay::one_cycle}},
      {"one_cycle_own",
       {.decay = Decay::one_cycle,
        .max_lr = 0.5,
        .pct_start = 0.12,
        .div_factor = 10,
        .final_div_factor = 100}},
      {"one_cycle_at_once", {.decay = Decay::one_cycle, .pct_start = 0}},
      {"polynomial", {.decay = Decay::polynomial, .polynomial_power = 2}},
      {"cosine", {.decay = Decay::cosine, .t_0 = 5, .t_mult = 2, .eta_min = 0.001}}};
  std::istringstream text(read_file("tests/unit/train/schedules.txt").value());
  int compared = 0;
  for (std::string line; std::getline(text, line);) {
    if (line.starts_with("#")) continue;
    std::istringstream words(line);
    std::string name;
    int64_t step = 0;
    double rate = 0;
    words >> name >> step >> rate;
    EXPECT_NEAR(Schedule(cases.at(name), 0.02, {10, 40, 10}).at(step), rate, 1e-12 + 1e-9 * rate) << line;
    ++compared;
  }
  EXPECT_EQ(compared, 5 * 40);
}

TEST(Schedule, SomeDecaysBringTheirOwnWarmUp) {
  task::LearningRateScheduler spec{.decay = task::Decay::one_cycle};
  const double first = Schedule(spec, 1.0, {10, 100, 10}).at(0);
  spec.warmup_fraction = 0.5;
  EXPECT_NEAR(first, 1.0 / 25, 1e-15);
  EXPECT_EQ(Schedule(spec, 1.0, {10, 100, 10}).at(0), first);
  spec.decay = task::Decay::wsd;
  EXPECT_DOUBLE_EQ(Schedule(spec, 1.0, {10, 100, 10}).at(0), 0.1);
  spec.decay = task::Decay::coslog;
  EXPECT_DOUBLE_EQ(Schedule(spec, 1.0, {10, 100, 10}).at(0), 0);
  EXPECT_NEAR(Schedule({.decay = task::Decay::one_cycle}, 1.0, {1, 1, 1}).at(0), 1.0 / 25 / 10000, 1e-12);
}

TEST(Schedule, WsdWarmsStaysAndFalls) {
  const task::LearningRateScheduler spec{.decay = task::Decay::wsd,
                                         .wsd_warmup_fraction = 0.2,
                                         .wsd_stable_fraction = 0.5,
                                         .wsd_decay_fraction = 0.3};
  const Schedule schedule(spec, 2.0, {10, 100, 10});
  EXPECT_DOUBLE_EQ(schedule.at(0), 0.1);
  EXPECT_DOUBLE_EQ(schedule.at(19), 2.0);
  EXPECT_DOUBLE_EQ(schedule.at(69), 2.0);
  EXPECT_DOUBLE_EQ(schedule.at(70), 2.0);
  EXPECT_DOUBLE_EQ(schedule.at(80), 1.5);  // a third of the way: (1 + cos 60°) / 2
  EXPECT_DOUBLE_EQ(schedule.at(85), 1.0);
  EXPECT_NEAR(schedule.at(100), 0, 1e-15);
  EXPECT_NEAR(schedule.at(1000), 0, 1e-15);
}

TEST(Schedule, InverseSqrtStaysThenFalls) {
  task::LearningRateScheduler spec{.decay = task::Decay::inverse_sqrt, .inverse_sqrt_warmup_steps = 16};
  const Schedule schedule(spec, 1.0, {10, 1000, 10});
  EXPECT_DOUBLE_EQ(schedule.at(0), 0.25);
  EXPECT_DOUBLE_EQ(schedule.at(16), 0.25);
  EXPECT_DOUBLE_EQ(schedule.at(100), 0.1);
  spec.warmup_fraction = 0.02;
  const Schedule warm(spec, 1.0, {10, 1000, 10});
  EXPECT_DOUBLE_EQ(warm.at(9), 0.125);
  EXPECT_DOUBLE_EQ(warm.at(19), 0.25);
  EXPECT_DOUBLE_EQ(warm.at(120), 0.1);
}

TEST(Schedule, PolynomialEndsAtItsLastRate) {
  const task::LearningRateScheduler spec{.decay = task::Decay::polynomial,
                                         .warmup_fraction = 0.2,
                                         .polynomial_power = 3,
                                         .polynomial_end_lr = 0.2};
  const Schedule schedule(spec, 1.0, {10, 100, 10});
  EXPECT_DOUBLE_EQ(schedule.at(20), 1.0);
  EXPECT_DOUBLE_EQ(schedule.at(60), 0.3);
  EXPECT_DOUBLE_EQ(schedule.at(100), 0.2);
  EXPECT_DOUBLE_EQ(schedule.at(500), 0.2);
}

// Each cycle ends where 1 + 15 t is a power of two, and is in its middle at the powers of two between.
TEST(Schedule, CoslogFallsToZeroAfterEachCycle) {
  const task::LearningRateScheduler spec{.decay = task::Decay::coslog};
  const Schedule schedule(spec, 0.5, {10, 1500, 10});
  for (const int64_t end : {0, 100, 300, 700, 1500}) EXPECT_NEAR(schedule.at(end), 0, 1e-12) << end;
  for (const double cycle : {0.5, 1.5, 2.5, 3.5})
    EXPECT_NEAR(schedule.at(std::lround(100 * (std::exp2(cycle) - 1))), 0.5, 2e-4) << cycle;
  EXPECT_NEAR(schedule.at(50), 0.25 * (1 - std::cos(2 * std::numbers::pi * std::log2(1.5))), 1e-12);
  const Schedule two({.decay = task::Decay::coslog, .coslog_cycles = 2}, 1.0, {10, 300, 10});
  EXPECT_NEAR(two.at(100), 0, 1e-12);
  EXPECT_NEAR(two.at(50), (1 - std::cos(2 * std::numbers::pi * std::log2(1.5))) / 2, 1e-12);
}

TEST(Schedule, AdafactorBringsItsOwnRate) {
  task::Trainer trainer;
  trainer.optimizer = task::Adafactor{};
  const Horizon h{10, 100'000, 10};
  const Schedule relative(trainer, h);
  EXPECT_FALSE(relative.constant());
  EXPECT_DOUBLE_EQ(relative.at(0), 0.01);
  EXPECT_DOUBLE_EQ(relative.at(9'999), 0.01);
  EXPECT_DOUBLE_EQ(relative.at(39'999), 0.005);
  trainer.optimizer = task::Adafactor{.warmup_init = true};
  EXPECT_DOUBLE_EQ(Schedule(trainer, h).at(0), 1e-6);
  EXPECT_DOUBLE_EQ(Schedule(trainer, h).at(4'999), 0.005);
  EXPECT_DOUBLE_EQ(Schedule(trainer, h).at(39'999), 0.005);
  trainer.optimizer = task::Adafactor{.lr = 0.3, .relative_step = false};
  EXPECT_DOUBLE_EQ(Schedule(trainer, h).at(70), 0.3);
  trainer.optimizer = task::Adafactor{.relative_step = false};
  EXPECT_DOUBLE_EQ(Schedule(trainer, h).at(70), 0.001);
  trainer.optimizer = task::Adafactor{};
  trainer.learning_rate_scheduler.decay = task::Decay::linear;
  EXPECT_DOUBLE_EQ(Schedule(trainer, h).at(50'000), 0.5 / std::sqrt(50'001));
}

// Warm-up, linear and coslog go on without a jump from where they stand, and end where the run does.
TEST(Schedule, IsRefittedWithoutAJump) {
  for (const auto decay : {task::Decay::linear, task::Decay::coslog, task::Decay::wsd, task::Decay::one_cycle,
                           task::Decay::polynomial}) {
    const task::LearningRateScheduler spec{.decay = decay, .warmup_fraction = 0.1};
    const Schedule whole(spec, 1.0, {10, 1000, 10});
    for (const int64_t total : {500, 2000}) {
      Schedule refitted(spec, 1.0, {10, 1000, 10});
      refitted.refit(400, total);
      EXPECT_EQ(refitted.at(400), whole.at(400));
      const double pace = 600.0 / static_cast<double>(total - 400);
      for (const int64_t step : {450, 480, 499}) {
        const double place = 400 + static_cast<double>(step - 400) * pace;
        if (place != std::floor(place)) continue;
        EXPECT_NEAR(refitted.at(step), whole.at(static_cast<int64_t>(place)), 1e-12) << step;
      }
      EXPECT_NEAR(refitted.at(total), whole.at(1000), 1e-9);
      refitted.refit(450, 450);  // no steps left: nothing to divide by
      EXPECT_TRUE(std::isfinite(refitted.at(450)));
    }
  }
  // What counts its own steps is not told of the end.
  task::LearningRateScheduler own{.decay = task::Decay::exponential, .decay_rate = 0.5, .decay_steps = 100};
  Schedule exponential(own, 1.0, {10, 1000, 10});
  exponential.refit(100, 300);
  EXPECT_DOUBLE_EQ(exponential.at(200), 0.25);
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
