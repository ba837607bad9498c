#include "budget/calibrate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "budget/machine_profile.h"
#include "budget/machine_rates.h"
#include "budget/probes.h"
#include "ops/ops.h"

namespace shoestring::budget {
namespace {
namespace fs = std::filesystem;

// Each look at it is a millisecond later: everything that is measured takes the same time.
class TickingClock final : public Clock {
 public:
  double seconds() const override { return now_ += 1e-3; }

 private:
  mutable double now_ = 0;
};

Plan product_plan() {
  Graph g("product");
  g.output("c", ops::matmul(g.input("a", {DType::f32, {64, 64}}), g.input("b", {DType::f32, {64, 64}})));
  StateLayout states;
  return *compile(std::move(g), states, {.target = native_target()});
}

TEST(Median, OfBlocksByTheClock) {
  const TickingClock clock;
  int runs = 0;
  EXPECT_NEAR(median_seconds({.clock = clock, .block_seconds = 1e-4, .blocks = 5}, [&] { ++runs; }), 1e-3,
              1e-9);
  EXPECT_EQ(runs, 1 + 1 + 5);
}

TEST(Calibrate, MeasuresWhatTheTableLists) {
  const std::string folder = testing::TempDir() + "calibrate_files";
  const TickingClock clock;
  std::vector<std::string> told;
  const auto profile =
      calibrate({.target = native_target(), .folder = folder, .seconds = 1e6, .clock = &clock},
                [&](LogLevel, std::string_view text) { told.emplace_back(text); });
  ASSERT_TRUE(profile) << profile.error().message();
  EXPECT_TRUE(same_machine(profile->machine, this_machine(native_target())));
  EXPECT_EQ(profile->measured.size(), 10u);
  for (const Rate& rate : rates()) {
    if (rate.may_be_none) continue;
    EXPECT_GT(rate.in(*profile), 0) << rate.key();
  }
  // A run takes a millisecond by this clock, whatever it is.
  EXPECT_NEAR(profile->read[1] / (1 << 20), 1e3, 1);
  EXPECT_NEAR(profile->f32_products[1], 3 * double{1 << 18} / 1e-3, 0.1 * profile->f32_products[1]);
  ASSERT_FALSE(profile->scaling.empty());
  EXPECT_EQ(profile->scaling.back().threads, native_target().threads);
  EXPECT_NE(std::ranges::find_if(told, [](const auto& t) { return t.starts_with("step_seconds: "); }),
            told.end());
  EXPECT_TRUE(fs::is_empty(folder)) << "the file that was written is gone";
  EXPECT_TRUE(profile_from_json(to_json(*profile), "measured"));
  fs::remove_all(folder);
}

TEST(Calibrate, OutOfTimeKeepsWhatIsBuiltIn) {
  const TickingClock clock;
  std::vector<std::string> told;
  const auto profile = calibrate({.target = native_target(), .seconds = 0, .clock = &clock},
                                 [&](LogLevel, std::string_view text) { told.emplace_back(text); });
  ASSERT_TRUE(profile);
  EXPECT_EQ(profile->f32_products, built_in_profile(native_target()).f32_products);
  ASSERT_FALSE(told.empty());
  EXPECT_NE(told.back().find("were not measured"), std::string::npos);
}

TEST(Calibrate, CanBeStopped) {
  const auto profile = calibrate({.target = native_target(), .stopped = [] { return true; }}, {});
  ASSERT_FALSE(profile);
  EXPECT_EQ(profile.error().kind, ErrorKind::interrupted);
}

// A product of 64 x 64 hangs on the rates of small products and nothing that a table of rows has.
TEST(MeasureNeeded, MeasuresWhatThePlansHangOn) {
  const TickingClock clock;
  const Plan plan = product_plan();
  const Plan* const plans[] = {&plan};
  const MachineProfile known = built_in_profile(native_target());
  const MachineProfile p = measure_needed(plans, known, 1, native_target(), 1e6, &clock);
  EXPECT_NE(p.f32_products[1], known.f32_products[1]);
  EXPECT_EQ(p.gathered_rows, known.gathered_rows);
  EXPECT_EQ(p.arithmetic, known.arithmetic);
  EXPECT_EQ(p.file_read, known.file_read);
  EXPECT_NEAR(bf16_gain(p), bf16_gain(known), 1e-9);
}

TEST(MeasureNeeded, StopsWhenItsTimeIsUp) {
  const TickingClock clock;
  const Plan plan = product_plan();
  const Plan* const plans[] = {&plan};
  const MachineProfile known = built_in_profile(native_target());
  EXPECT_EQ(measure_needed(plans, known, 1, native_target(), 0, &clock).f32_products, known.f32_products);
}

}  // namespace
}  // namespace shoestring::budget
