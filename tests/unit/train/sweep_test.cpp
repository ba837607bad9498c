// What several budgets buy, and plans for other machines and prices.
#include "train/sweep.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "budget/machine_profile.h"
#include "unit/train/allocations.h"
#include "unit/train/tables.h"

namespace shoestring::train {
namespace {

constexpr const char* kRecipe = R"(
input_features: [{name: a, type: number}, {name: b, type: number}]
output_features: [{name: value, type: number}]
combiner: {type: concat, num_fc_layers: 4, output_size: 512}
trainer: {epochs: 2, batch_size: 256}
)";

TrainRequest request(const Folder& folder, std::string budget = {}) {
  return {.recipe = recipe_from(kRecipe),
          .data = {.dataset = folder.write("t.csv", sums_table(2000))},
          .output_directory = folder.file("results"),
          .budget = std::move(budget)};
}

std::string refused(std::string_view text) {
  const auto range = parse_sweep(text);
  EXPECT_FALSE(range) << text;
  if (range) return {};
  EXPECT_EQ(range.error().kind, ErrorKind::usage);
  return range.error().what;
}

// A machine of 8 cores whose every rate is 4 times that of `slow`.
std::shared_ptr<MachineProfile> machine(double times) {
  auto p = std::make_shared<MachineProfile>(built_in_profile({native_target().isa, 8}));
  p->machine = {.cpu = "Another CPU",
                .cores = 8,
                .isa = std::string(to_string(native_target().isa)),
                .memory_bytes = int64_t{4} << 30,
                .kernel = "Linux 1.0"};
  p->measured = "2026-01-02";
  for (double& rate : p->f32_products) rate *= times;
  for (Bandwidth* table : {&p->read, &p->copy})
    for (double& rate : *table) rate *= times;
  p->arithmetic *= times, p->element_ops *= times;
  p->step_seconds /= times, p->region_seconds /= times;
  return p;
}

TEST(Sweep, ReadsItsRange) {
  const auto memory = parse_sweep("memory=64MiB..300MiB");
  ASSERT_TRUE(memory);
  const double mib = 1 << 20;
  EXPECT_EQ(memory->budgets(), (std::vector<double>{64 * mib, 128 * mib, 256 * mib, 300 * mib}));
  const auto time = parse_sweep("time=10s..10s");
  ASSERT_TRUE(time);
  EXPECT_EQ(time->budgets(), std::vector<double>{10});
  EXPECT_EQ(refused("memory=64MiB"), "'memory=64MiB' is no range of a budget");
  EXPECT_EQ(refused("disk=1GiB..2GiB"), "'disk' cannot be swept over");
  EXPECT_EQ(refused("memory=10s..1GiB"), "'10s' is no size");
  EXPECT_EQ(refused("memory=2GiB..1GiB"), "2GiB is more than 1GiB");
  EXPECT_EQ(refused("memory=1..1TiB"), "from 1 to 1TiB are more than 24 doublings");
}

// The more memory, the less is changed; from where all fits on nothing is bought by more.
TEST(Sweep, OfMemory) {
  if (!kOwnAllocator) GTEST_SKIP() << "a sanitizer's memory is in the way";
  const Folder folder;
  const auto base = plan(request(folder), {});
  ASSERT_TRUE(base) << base.error().message();
  const double total = static_cast<double>(base->ledger.memory.total_bytes);
  const SweepRange range{SweepRange::Key::memory, 0.25 * total, 4 * total};
  const auto swept = sweep(request(folder), range, {});
  ASSERT_TRUE(swept) << swept.error().message();
  ASSERT_EQ(swept->rows.size(), 5u);
  EXPECT_FALSE(swept->rows.front().fits);
  EXPECT_TRUE(swept->machine.here);
  for (size_t i = 0; i + 1 < swept->rows.size(); ++i) {
    const SweepRow &less = swept->rows[i], &more = swept->rows[i + 1];
    if (!less.fits) continue;
    ASSERT_TRUE(more.fits) << i;
    EXPECT_GE(less.choices.size(), more.choices.size());
  }
  EXPECT_TRUE(swept->rows.back().same);
  EXPECT_TRUE(swept->rows.back().choices.empty());
  EXPECT_EQ(swept->rows.back().steps, 2 * 6);  // two epochs of 1,400 training rows
  EXPECT_GT(swept->rows.back().seconds, 0);
  EXPECT_NEAR(static_cast<double>(swept->rows.back().total_bytes), total, 3 << 20);
  const auto json = nlohmann::json::parse(to_json(*swept));
  EXPECT_EQ(json["sweep"], "memory");
  EXPECT_EQ(json["rows"].size(), 5u);
  EXPECT_EQ(json["rows"][0]["fits"], false);
  EXPECT_EQ(json["rows"][4]["same_as_before"], true);
}

// More time, more steps; and so long as it is more than needed, all that the recipe asks for.
TEST(Sweep, OfTime) {
  const Folder folder;
  TrainRequest r = request(folder);
  r.recipe->trainer.epochs.value = 100'000;
  r.site.elsewhere = machine(1);  // whose times hang on no other work here
  const auto swept = sweep(r, {SweepRange::Key::time, 10, 80}, {});
  ASSERT_TRUE(swept) << swept.error().message();
  ASSERT_EQ(swept->rows.size(), 4u);
  EXPECT_FALSE(swept->machine.here);
  for (size_t i = 0; i < 4; ++i) {
    const SweepRow& row = swept->rows[i];
    ASSERT_TRUE(row.fits) << i;
    EXPECT_LE(row.seconds, row.budget);
    EXPECT_LT(row.steps, row.steps_wanted);
    const double before = i > 0 ? static_cast<double>(swept->rows[i - 1].steps) : 0;
    EXPECT_GT(static_cast<double>(row.steps), 1.5 * before);
  }
}

TEST(PlanElsewhere, IsByThatMachinesRatesAndMemory) {
  const Folder folder;
  TrainRequest r = request(folder);
  r.site.elsewhere = machine(1);
  const auto slow = plan(r, {});
  r.site.elsewhere = machine(4);
  const auto fast = plan(r, {});
  ASSERT_TRUE(slow) << slow.error().message();
  ASSERT_TRUE(fast) << fast.error().message();
  const auto training = [](const Planned& p) {
    for (const auto& stage : p.ledger.time.stages)
      if (stage.name == "training") return stage.p50_s;
    return 0.0;
  };
  EXPECT_NEAR(training(*slow) / training(*fast), 4, 0.05);
  EXPECT_EQ(slow->ledger.machine.name,
            "Another CPU, 8 cores, " + std::string(to_string(native_target().isa)) + ", 4.0 GiB, Linux 1.0");
  EXPECT_EQ(slow->ledger.machine.threads, 8);
  EXPECT_EQ(slow->ledger.machine.measured, "2026-01-02");
  EXPECT_FALSE(slow->ledger.machine.here);
  const auto& lines = slow->ledger.memory.lines;
  const auto scratch = std::ranges::find(lines, "scratch", &budget::MemoryLine::name);
  ASSERT_NE(scratch, lines.end());
  EXPECT_EQ(name_of(scratch->certainty), "bound");
  EXPECT_NE(slow->ledger.binding.find("4.0 GiB that the machine has"), std::string::npos);
}

TEST(PlanElsewhere, ItsMemoryIsALimit) {
  const Folder folder;
  TrainRequest r = request(folder);
  auto small = machine(1);
  small->machine.memory_bytes = 8 << 20;
  r.site.elsewhere = small;
  const auto planned = plan(r, {});
  ASSERT_TRUE(planned) << planned.error().message();
  ASSERT_FALSE(planned->fits);
  EXPECT_NE(planned->fits.error().what.find("that machine's memory is 8.0 MiB"), std::string::npos)
      << planned->fits.error().message();
}

TEST(PlanPrices, AreThoseOfTheSite) {
  const Folder folder;
  TrainRequest r = request(folder, "money=1 USD");
  auto prices = budget::built_in_prices();
  for (auto& instance : prices.instances) instance.usd_an_hour = 360;  // ten cents a second
  r.site.prices = std::make_shared<const budget::Prices>(prices);
  const task::Budget budget = *task::parse_budget("money=1 USD");
  EXPECT_NEAR(time_limit(budget, r.site).value(), 10, 1e-9);
  const auto planned = plan(r, {});
  ASSERT_TRUE(planned) << planned.error().message();
  EXPECT_NEAR(planned->ledger.money_usd.value(), planned->ledger.time.p50_s / 10, 1e-6);
  prices.instances.clear();
  r.site.prices = std::make_shared<const budget::Prices>(prices);
  const auto unpaid = plan(r, {});
  ASSERT_FALSE(unpaid);
  EXPECT_EQ(unpaid.error().kind, ErrorKind::usage);
}

TEST(PlanAnswering, HasTotalsOfItsOwn) {
  const Folder folder;
  const auto planned = plan(request(folder), {});
  ASSERT_TRUE(planned) << planned.error().message();
  const auto& stages = planned->ledger.memory.stages;
  for (const char* name : {"prediction", "serving"}) {
    const auto stage = std::ranges::find(stages, name, &budget::MemoryStage::name);
    ASSERT_NE(stage, stages.end()) << name;
    EXPECT_TRUE(stage->apart);
    // The weights of 2 -> 512 -> 512 -> 512 -> 512 -> 1, in the model and in the block of states.
    EXPECT_GT(stage->bytes, 2 * 4 * (3 * 512 * 512));
  }
  EXPECT_GT(planned->ledger.seconds_per_1000_predictions.value(), 0);
  EXPECT_GT(planned->ledger.usd_per_1000_predictions.value(), 0);
}

}  // namespace
}  // namespace shoestring::train
