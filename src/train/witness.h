// Who looks on when a run is measured for the last time and when it has ended, while all of it is still in
// memory: the report (src/report), which stands above this folder. Without one nothing is done.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "budget/ledger.h"
#include "train/evaluate.h"

namespace shoestring::train {

struct Position;
struct Times;
struct TrainOutcome;

// Money, energy: of a number of seconds, by the price list.
struct Spent {
  std::optional<double> usd, energy_wh;
};

// What the same recipe makes of some of the training rows.
struct OfShare {
  int64_t rows = 0;
  Metrics training, held_out;
  double seconds = 0;
};

// A run that has ended, model and answers written, its best model in the engine.
struct Ended {
  const Dataset& data;
  const budget::Ledger& ledger;
  const Times& times;
  const Position& position;
  const TrainOutcome& outcome;
  task::SplitName answered;  // the split whose answers the witness was shown
  Spent planned, spent;      // of the planned time and of the time that it took
  int64_t parameters = 0;
  double rows_per_step = 0;  // training rows, on average
  uint64_t seed = 42;
  std::optional<double> seconds_left = {};  // where there is a limit
  // Trains anew on a share of the rows (train/shares.h); null where that cannot be. The states that
  // `evaluation` runs over are those of that training afterwards.
  std::function<Result<OfShare>(double share)> of_share = {};
  Runner* evaluation = nullptr;  // the plan that evaluates, over the best model's states
};

struct Witness {
  // What it holds at most, bytes, and what it takes after the last evaluation, seconds: both are in the plan.
  int64_t bytes = 0;
  double seconds = 0;
  int64_t disk_bytes = 0;  // of what it writes
  // Each batch of the rows that are answered at the end, once they are: each row once, in order.
  std::function<void(task::SplitName, const Dataset&, const RowsAt&, const Ports&)> answered = {};
  // The same of the validation rows, before those, where it is other rows that are answered.
  std::function<void(const Dataset&, const RowsAt&, const Ports&)> choosing = {};
  // Returns the path of what it wrote, "" for nothing. Not called where there is no time for it.
  std::function<Result<std::string>(const Ended&)> ended = {};
};

}  // namespace shoestring::train
