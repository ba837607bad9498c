#include "budget/deadline.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

namespace shoestring::budget {
namespace {

TEST(Durations, TheTypicalOneIsTheMedianAndAHiccupIsNotSlow) {
  Durations d;
  EXPECT_FALSE(d.any());
  EXPECT_EQ(d.typical(), 0);
  for (const double s : {1.0, 1.2, 20.0, 0.9, 1.1}) d.add(s);
  EXPECT_DOUBLE_EQ(d.typical(), 1.1);
  EXPECT_DOUBLE_EQ(d.slow(), 1.2);
  Durations two;
  two.add(20);
  two.add(1);  // of two, the one without the hiccup
  EXPECT_DOUBLE_EQ(two.typical(), 1);
  EXPECT_DOUBLE_EQ(two.slow(), 1);
}

TEST(Durations, OnlyTheLastCount) {
  Durations d;
  for (int i = 0; i < 15; ++i) d.add(1);
  for (int i = 0; i < 8; ++i) d.add(2);
  EXPECT_DOUBLE_EQ(d.typical(), 2);
}

TEST(Rates, ASyncHasAShareThatDoesNotDependOnTheBytes) {
  Rates r;
  r.saved(100, 0.05);
  r.saved(100 << 20, 1.05);
  EXPECT_NEAR(r.save_seconds(0), 0.05, 1e-12);
  EXPECT_NEAR(r.save_seconds(200 << 20), 2.05, 1e-9);
}

// 100 s; a step takes 1 s, an evaluation 2 s, and finishing (50 rows of 0.04 s) 2.8 s with its margin.
struct Scripted {
  Scripted() {
    deadline.rates().step.add(1);
    deadline.rates().evaluated(50, 2);
    deadline.set_finish({.rows = 50});
  }
  ScriptedClock clock;
  Deadline deadline{clock, 100, 100};
};

TEST(Deadline, KeepsTimeForTheLastEvaluationAndFinishing) {
  Scripted s;
  const double margin = 1.02, finishing = 1.4 * (50 * 0.04 + 0.01);
  EXPECT_NEAR(s.deadline.finishing(), finishing, 1e-9);
  EXPECT_NEAR(s.deadline.left_to_train(), 100 - margin - finishing - 2, 1e-9);  // 94.2
  EXPECT_EQ(s.deadline.steps_that_fit(0, 1000, 1000), 94);
  EXPECT_EQ(s.deadline.steps_that_fit(0, 1000, 30), 30);
  // With one after every 10 steps, but none after the last: 94 s hold 80 steps and 7 evaluations.
  EXPECT_EQ(s.deadline.steps_that_fit(0, 10, 1000), 80);
  EXPECT_NEAR(s.deadline.seconds_of(0, 10, 80), 80 + 7 * 2, 1e-9);
  EXPECT_NEAR(s.deadline.seconds_of(5, 10, 10), 10 + 2, 1e-9);
}

TEST(Deadline, DoesNotBeginWhatCannotEnd) {
  Scripted s;
  s.clock.advance(90);  // 4.2 s are left to train
  EXPECT_FALSE(s.deadline.stop());
  EXPECT_TRUE(s.deadline.room_for_evaluation());
  s.clock.advance(1);  // 3.2 s: an evaluation would leave less than it takes
  EXPECT_FALSE(s.deadline.room_for_evaluation());
  EXPECT_FALSE(s.deadline.stop());
  s.clock.advance(2.5);
  EXPECT_TRUE(s.deadline.stop());
  EXPECT_EQ(s.deadline.steps_that_fit(0, 10, 1000), 0);
}

TEST(Deadline, RowsThatMayBeLeftOutAreKeptA25thOfTheTime) {
  Scripted s;
  s.deadline.set_finish({.rows = 10'000, .optional_rows = 9'950});  // 398 s of them
  EXPECT_NEAR(s.deadline.finishing(), 1.4 * (4 + 2 + 0.01), 0.1);
  EXPECT_NEAR(s.deadline.least_finishing(), 1.4 * (2 + 0.01), 1e-9);
  s.clock.advance(95);
  const int64_t fit = s.deadline.rows_that_fit(9'950);
  EXPECT_GT(fit, 60);  // of 5 s
  EXPECT_LT(fit, 75);
}

TEST(Deadline, AResumedRunHasWhatIsLeft) {
  Scripted s;
  s.deadline.used_before(50);
  EXPECT_DOUBLE_EQ(s.deadline.left(), 50);
  EXPECT_DOUBLE_EQ(s.deadline.used(), 50);
  EXPECT_EQ(s.deadline.steps_that_fit(0, 1000, 1000), 44);
  s.deadline.used_before(60);
  EXPECT_TRUE(s.deadline.stop());
}

TEST(Alarm, RingsByItselfAndForAnother) {
  Alarm now(0, nullptr);
  while (!now.flag()->load()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_TRUE(now.rang());
  std::atomic<bool> other{false};
  Alarm later(1000, &other);
  EXPECT_FALSE(later.flag()->load());
  other = true;
  while (!later.flag()->load()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_FALSE(later.rang());
}

}  // namespace
}  // namespace shoestring::budget
