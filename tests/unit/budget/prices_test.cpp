#include "budget/prices.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "budget/energy.h"

namespace shoestring::budget {
namespace {
namespace fs = std::filesystem;

constexpr int64_t kGiB = int64_t{1} << 30;

const std::string kOwn = R"({
  "shoestring_prices": 1, "date": "2020-02-02",
  "instances": [
    {"provider": "Here", "name": "small", "region": "office", "usd_an_hour": 0.5, "cores": 2, "memory_gib": 4,
     "date": "2020-01-01", "source": "the invoice"},
    {"provider": "Here", "name": "card", "region": "office", "usd_an_hour": 0.1, "cores": 8, "memory_gib": 64,
     "gpu": "one", "date": "2020-01-01", "source": "the invoice"},
    {"provider": "Here", "name": "large", "region": "office", "usd_an_hour": 4, "cores": 16, "memory_gib": 64,
     "date": "2020-01-01", "source": "the invoice"}],
  "power": {"core_watts": 10, "memory_watts_per_gib": 1, "overhead": 1.5, "date": "2020-01-01", "source": "a plug"},
  "grid": {"co2_g_per_kwh": 500, "place": "here", "date": "2020-01-01", "source": "the supplier"}})";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(Prices, BuiltInOnesNameTheirSources) {
  const Prices prices = built_in_prices();
  EXPECT_EQ(prices.path, "");
  EXPECT_EQ(prices.date.size(), 10u);
  ASSERT_GE(prices.instances.size(), 5u);
  for (const Instance& i : prices.instances) {
    EXPECT_GT(i.usd_an_hour, 0) << i.name;
    EXPECT_GT(i.memory_bytes, 0) << i.name;
    EXPECT_EQ(i.date.size(), 10u) << i.name;
    EXPECT_NE(i.source.find('.'), std::string::npos) << i.name;
  }
  EXPECT_GT(prices.power.core_watts, 0);
  EXPECT_GT(prices.grid.co2_g_per_kwh, 0);
}

TEST(Prices, OfAJob) {
  const Prices prices = *prices_from_json(kOwn, "own.json");
  const Costs costs = cost_of({.seconds = 7200, .cores = 2, .memory = 4 * kGiB}, prices);
  EXPECT_DOUBLE_EQ(costs.usd.value(), 2 * 0.5);
  EXPECT_EQ(costs.instance, "Here small, office, 2020-01-01");
  EXPECT_DOUBLE_EQ(costs.energy_wh, 2 * (2 * 10 + 4 * 1) * 1.5);
  EXPECT_DOUBLE_EQ(costs.co2_g, 72 * 0.5);
  EXPECT_DOUBLE_EQ(cost_of({.seconds = 3600, .cores = 1}, prices, 20).energy_wh, 20 * 1.5)
      << "this machine counted its own";
}

TEST(Prices, OfTheCheapestThatIsLargeEnough) {
  const Prices prices = *prices_from_json(kOwn, "own.json");
  EXPECT_EQ(cheapest(prices, 1, 0)->name, "small") << "a GPU that is not used is not rented";
  EXPECT_EQ(cheapest(prices, 2, 5 * kGiB)->name, "large");
  EXPECT_EQ(cheapest(prices, 3, 0)->name, "large");
  EXPECT_EQ(cheapest(prices, 17, 0), nullptr);
  EXPECT_FALSE(cost_of({.seconds = 1, .cores = 17}, prices).usd);
}

TEST(Prices, AreStrict) {
  const auto refused = [](const std::string& text) {
    const auto prices = prices_from_json(text, "own.json");
    EXPECT_FALSE(prices);
    return prices ? "" : prices.error().message();
  };
  EXPECT_EQ(
      refused(replaced(kOwn, "\"usd_an_hour\"", "\"usd_a_hour\"")),
      "own.json: cannot read the prices: instance 1 lacks 'usd_an_hour'; mend the file, or leave it out for "
      "the built-in prices");
  EXPECT_EQ(refused(replaced(kOwn, "\"gpu\"", "\"gpus\"")),
            "own.json: cannot read the prices: unknown key 'gpus' in instance 2; did you mean 'gpu'?");
  EXPECT_EQ(
      refused(replaced(kOwn, "\"cores\": 16", "\"cores\": 0")),
      "own.json: cannot read the prices: 'cores' of instance 3 is 0, no number from 1; mend the file, or "
      "leave it out for the built-in prices");
  EXPECT_EQ(
      refused("nothing"),
      "own.json: cannot read the prices: it is no JSON; mend the file, or leave it out for the built-in "
      "prices");
}

TEST(Prices, AFileTakesThePlaceOfTheBuiltInOnes) {
  const std::string cache = testing::TempDir() + "prices_cache";
  fs::create_directories(cache);
  EXPECT_EQ(load_prices("", cache)->path, "");
  std::ofstream(cache + "/prices.json") << kOwn;
  EXPECT_EQ(load_prices("", cache)->path, cache + "/prices.json");
  EXPECT_EQ(load_prices("", cache)->date, "2020-02-02");
  EXPECT_FALSE(load_prices(cache + "/none.json", cache)) << "a file that is named must be there";
  fs::remove_all(cache);
}

// Package and memory count; cores are a part of their package. A counter that began again goes on from 0.
TEST(Energy, IsThatOfThePackages) {
  const std::string root = testing::TempDir() + "powercap", at = root + "/sys/class/powercap/";
  const auto zone = [&](const std::string& name, const std::string& what, double microjoules) {
    fs::create_directories(at + name);
    std::ofstream(at + name + "/name") << what << "\n";
    std::ofstream(at + name + "/max_energy_range_uj") << "10000000\n";
    std::ofstream(at + name + "/energy_uj") << static_cast<int64_t>(microjoules) << "\n";
  };
  EXPECT_FALSE(EnergyMeter::open(root));
  zone("intel-rapl:0", "package-0", 1e6);
  zone("intel-rapl:0:0", "core", 5e5);
  zone("intel-rapl:0:1", "dram", 9e6);
  auto meter = EnergyMeter::open(root);
  ASSERT_TRUE(meter);
  zone("intel-rapl:0", "package-0", 3e6);
  zone("intel-rapl:0:0", "core", 9e5);
  EXPECT_DOUBLE_EQ(meter->joules(), 2);
  zone("intel-rapl:0:1", "dram", 1e6);
  EXPECT_DOUBLE_EQ(meter->joules(), 4);
  fs::remove_all(root);
}

}  // namespace
}  // namespace shoestring::budget
