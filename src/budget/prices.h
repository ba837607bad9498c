// What time costs: a dated list of rented machines, and the energy that a core takes. All of it is estimates.
// The built-in list is src/budget/prices.json; a file of the user's takes its place.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"

namespace shoestring::budget {

struct Instance {
  std::string provider, name, region;
  double usd_an_hour = 0;
  int cores = 0;
  int64_t memory_bytes = 0;
  std::string gpu;           // empty: none
  std::string date, source;  // when the price was read, and where
};

struct Power {
  double core_watts = 0;            // of a busy core
  double memory_watts_per_gib = 0;  // of what is held
  double overhead = 1;              // of the building: cooling and conversion
  std::string date, source;
};

struct Grid {
  double co2_g_per_kwh = 0;
  std::string place, date, source;
};

struct Prices {
  std::string path;  // where they are from; empty: built in
  std::string date;
  std::vector<Instance> instances;
  Power power;
  Grid grid;
};

// Strict: a key that is unknown, missing or out of range is named. ErrorKind::data.
Result<Prices> prices_from_json(const std::string& text, const std::string& path);
Prices built_in_prices();
// Those of the file, if one is named; else of prices.json in the cache folder, if it is there; else built in.
Result<Prices> load_prices(const std::string& file, const std::string& cache);

// The cheapest without a GPU that has as many cores and as much memory; null where none is large enough.
const Instance* cheapest(const Prices& prices, double cores, int64_t memory_bytes);

// What a job takes: `cores` are busy for so long, `memory` is held.
struct Spend {
  double seconds = 0, cores = 1;
  int64_t memory = 0;
};
struct Costs {
  std::optional<double> usd;  // of `instance` for that time; none where none is large enough
  std::string instance;       // "AWS t3.medium, us-east-1, 2026-04-17"
  double energy_wh = 0, co2_g = 0;
};
// `core_watts`: of this machine's profile, where it counted them; 0: those of the list.
Costs cost_of(const Spend& spend, const Prices& prices, double core_watts = 0);

}  // namespace shoestring::budget
