// What each of several budgets would buy: the table in which a user finds how little is enough.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "train/train.h"

namespace shoestring::train {

struct SweepRange {
  enum class Key : uint8_t { memory, time };
  Key key = Key::memory;
  double from = 0, to = 0;  // bytes or seconds

  // From the least on, each twice the one before; the most is the last.
  std::vector<double> budgets() const;
};
// "memory=64MiB..4GiB" or "time=10s..10min". ErrorKind::usage.
Result<SweepRange> parse_sweep(std::string_view text);

struct SweepRow {
  double budget = 0;  // bytes or seconds
  Status fits;        // ErrorKind::budget where nothing that may be changed makes it fit
  std::vector<budget::Choice> choices = {};  // what was changed for it
  int64_t total_bytes = 0;                   // of memory; where it does not fit the least that was found
  int64_t parameters = 0;
  double seconds = 0, slow_seconds = 0;  // of train, as a rule and in 9 of 10
  int64_t steps = 0, steps_wanted = 0;   // that fit, and that the recipe asks for
  double epochs = 0;
  bool same = false;  // as what the budget before it buys
};

struct Swept {
  SweepRange range;
  budget::Machine machine;
  std::vector<SweepRow> rows;
};

// Reads the data once and compiles the plans of each budget; one of them is rehearsed for the times of all.
// (Where the recipe is made by looking and hangs on the time, the data is read for each network.) Nothing is
// written. Fails as plan() does, but not for a budget.
Result<Swept> sweep(const TrainRequest& request, const SweepRange& range, const TrainEvents& events);

std::string to_json(const Swept& swept);

}  // namespace shoestring::train
