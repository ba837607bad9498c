// A checkpoint: every state of the model, row-major, the best model so far (its states' names begin with
// "best/") and where the reader stood. Nothing else is needed to go on with the same bits on the same
// build, machine and thread count, whether or not a model file is written.
#pragma once

#include <optional>
#include <string>

#include "train/best_model.h"
#include "train/schedule.h"

namespace shoestring::train {

// The part of a horizon that was fitted into a limited time.
struct Fitted {
  int64_t schedule_steps = 0;  // that the schedule was made for (Schedule::Memory::place counts them)
  int64_t total_steps = 0, steps_per_evaluation = 1;
  double seconds_used = 0;  // from the start of each process of the run
  bool operator==(const Fitted&) const = default;
};

// Where training stands. The order of an epoch's rows is a function of seed and epoch, and the epoch of
// the step, so no generator has to be saved.
struct Position {
  int64_t step = 0;     // optimizer steps done, skipped ones included
  int64_t skipped = 0;  // of them, those whose loss or gradient was not finite
  int64_t skipped_in_a_row = 0;
  double loss_sum = 0;  // over the epoch's rows since the last evaluation
  int64_t loss_rows = 0;
  int64_t evaluated_step = 0;  // of the last evaluation
  Schedule::Memory schedule;
  BestSoFar::Memory best;
  // Of a run whose time is limited: how long it is by now, the schedule's own length, and how much of the
  // time has been used. Absent in other runs.
  std::optional<Fitted> fitted;
  std::string history;  // metrics.jsonl so far
  bool operator==(const Position&) const = default;
};

Status write_checkpoint(const std::string& path, const Engine& engine, const BestModel& best,
                        const Position& position, uint64_t seed);

struct Restored {
  Position position;
  std::string note;  // what differs from where it was written and may change the last bits, or ""
};
// Fills the engine's states and the best model. Fails with ErrorKind::data where the file is damaged or
// belongs to another model, ErrorKind::usage where it has another seed.
Result<Restored> read_checkpoint(const std::string& path, Engine& engine, BestModel& best, uint64_t seed);

}  // namespace shoestring::train
