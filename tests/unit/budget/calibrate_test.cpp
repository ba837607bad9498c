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

Target one_thread() { return {native_target().isa, 1}; }

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
  const auto measured =
      calibrate({.target = native_target(), .folder = folder, .seconds = 1e6, .clock = &clock},
                [&](LogLevel, std::string_view text) { told.emplace_back(text); });
  ASSERT_TRUE(measured) << measured.error().message();
  EXPECT_EQ(measured->built_in, 0);
  const MachineProfile* const profile = &measured->profile;
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
  const auto measured = calibrate({.target = native_target(), .seconds = 0, .clock = &clock},
                                  [&](LogLevel, std::string_view text) { told.emplace_back(text); });
  ASSERT_TRUE(measured);
  EXPECT_GT(measured->built_in, 0);
  EXPECT_EQ(measured->profile.f32_products, built_in_profile(native_target()).f32_products);
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
  const MachineProfile p =
      measure_needed(plans, known, {.target = one_thread(), .seconds = 1e6, .clock = &clock});
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
  EXPECT_EQ(
      measure_needed(plans, known, {.target = one_thread(), .seconds = 0, .clock = &clock}).f32_products,
      known.f32_products);
}

TEST(MeasureNeeded, TakesNoMoreMemoryThanItMay) {
  const TickingClock clock;
  const Plan plan = product_plan();
  const Plan* const plans[] = {&plan};
  const MachineProfile known = built_in_profile(native_target());
  const NeededOptions options{.target = one_thread(), .seconds = 1e6, .most_bytes = 1000, .clock = &clock};
  EXPECT_EQ(measure_needed(plans, known, options).f32_products, known.f32_products);
  EXPECT_EQ(probe_bytes("read.8MiB"), 8 << 20);
  EXPECT_EQ(probe_bytes("copy.128MiB"), 48 << 20);
  EXPECT_EQ(probe_bytes("f32_products.small"), 4 * (64 * 32 + 32 * 64 + 64 * 64));
}

// By this clock a small product has 2 * 64 * 32 * 64 FLOP in a millisecond.
TEST(RatesNow, AProfileThatDiffersIsMeasuredAgain) {
  const TickingClock clock;
  const Plan plan = product_plan();
  const Plan* const plans[] = {&plan};
  const NeededOptions options{.target = one_thread(), .seconds = 1e6, .clock = &clock};
  auto profile = std::make_shared<MachineProfile>(built_in_profile(native_target()));
  profile->measured = "2026-01-02";
  profile->step_seconds = 1e-9;
  profile->f32_products[1] = 1.2 * (1 << 18) / 1e-3;  // within half as much again
  profile->copy[1] = 1.2 * (1 << 20) / 1e-3;
  const RatesNow same = rates_now(plans, {.profile = profile, .path = "kept.json", .note = {}}, options);
  EXPECT_EQ(same.note, "");
  EXPECT_EQ(same.profile.f32_products, profile->f32_products);
  profile->f32_products[1] = 2.0 * (1 << 18) / 1e-3;
  const RatesNow other = rates_now(plans, {.profile = profile, .path = "kept.json", .note = {}}, options);
  EXPECT_NEAR(other.profile.f32_products[1], (1 << 18) / 1e-3, 0.01 * (1 << 18) / 1e-3);
  EXPECT_NE(other.note.find("its profile of 2026-01-02: small products are 262 MFLOP/s where it says 524"),
            std::string::npos)
      << other.note;
  // Without a file there is nothing to compare with.
  const RatesNow none = rates_now(plans, {.profile = profile, .path = "", .note = {}}, options);
  EXPECT_NEAR(none.profile.f32_products[1], (1 << 18) / 1e-3, 0.01 * (1 << 18) / 1e-3);
  EXPECT_EQ(none.note, "");
}

}  // namespace
}  // namespace shoestring::budget
