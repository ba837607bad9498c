// The ledger: what a job takes of memory, time, disk and money, line by line, before it starts. `plan` prints
// it, `train` obeys it and writes it down beside what the run really took.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace shoestring::budget {

// How sure a figure is.
enum class Certainty : uint8_t {
  exact,       // read from the compiled plans: what they reserve, to the byte
  cap,         // never more, and no more than this data needs
  measured,    // of this process on this machine
  bound,       // of another machine: what was recorded of it as the most
  unverified,  // planned from what is exact and measured, but of what cannot be run yet
};

std::string_view name_of(Certainty certainty);

struct MemoryLine {
  std::string name;
  int64_t bytes = 0;
  Certainty certainty = Certainty::exact;
  std::string about = {};  // a word on what it is made of
};

// What the process holds at the peak of one part of the job, resident.
struct MemoryStage {
  std::string name;
  int64_t bytes = 0;
  bool apart = false;  // of a process of its own (prediction, serving): no part of the total
  Certainty certainty = Certainty::measured;
};

struct Memory {
  int64_t total_bytes = 0;  // the largest stage of train itself: its VmHWM is no more
  int64_t arena_bytes = 0;
  int64_t address_space_bytes = 0;  // what RLIMIT_AS has to allow
  std::vector<MemoryLine> lines;    // of training; they add up to its stage
  std::vector<MemoryStage> stages;

  int64_t of_line(std::string_view name) const;  // bytes; 0 where there is no such line
};

struct TimeStage {
  std::string name;
  double p50_s = 0, p90_s = 0;
};

struct Time {
  double p50_s = 0, p90_s = 0;
  std::vector<TimeStage> stages;
};

// What may be spent.
enum class Resource : uint8_t { memory, time, disk, money };
std::string_view name_of(Resource resource);

// A change that would relax what binds, and what it gives.
struct WayOut {
  std::string change;  // "trainer.batch_size: 128", or "--budget memory=96MiB"
  std::string gives;   // "58 MiB"
  std::string price;   // "twice the steps an epoch"; "" if it has none
  Resource of = Resource::memory;
  double total = 0;   // bytes or seconds of all with it
  bool fits = false;  // with it alone, the budget holds
};

// What the planner changed so that the budget holds.
struct Choice {
  std::string kind, change, price;
  int64_t saved_bytes = 0;
};

// The machine that a plan is for.
struct Machine {
  std::string name;      // "AMD EPYC 9755, 2 cores, avx512, 7.8 GiB, Linux 6.1"
  std::string measured;  // when its rates were, "2026-11-26"; empty: they are built in
  bool here = true;
  int threads = 1;  // that the plan uses
};

struct Ledger {
  Machine machine;
  Memory memory;
  int64_t least_bytes = 0;  // of memory, with all that the planner may change; 0: it was not looked for
  Time time;
  int64_t disk_bytes = 0;
  std::optional<double> money_usd, energy_wh, co2_g;  // estimates; absent where no price or rate is known
  std::string priced_as;                              // the rented machine whose price that is, and its date
  std::optional<double> usd_per_1000_predictions, seconds_per_1000_predictions;
  Resource binds = Resource::memory;
  std::string binding;  // "memory: activations, 41 MiB of 64 MiB"; "nothing" where no budget is near
  std::vector<WayOut> ways_out;
  std::vector<Choice> choices;
};

// {"memory": {"total_bytes": …, "arena_bytes": …, "lines": […], "stages": […]}, "time": {"p50_s": …, …},
//  "disk_bytes": …, "money": …, "energy_wh": …, "binding": …, "ways_out": […]}
std::string to_json(const Ledger& ledger, int indent = 2);

}  // namespace shoestring::budget
