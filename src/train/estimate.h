// What a training run will take. Memory is exact for what the plans own; time is a guess from the
// arithmetic of the plans, for train/timing.h to put measured rates in the place of.
#pragma once

#include "compile/machine.h"
#include "train/best_model.h"
#include "train/dataset.h"
#include "train/schedule.h"

namespace shoestring::train {

struct Estimate {
  int64_t parameters = 0;
  int64_t states_bytes = 0, arena_bytes = 0, best_bytes = 0, data_bytes = 0;
  int64_t steps = 0;
  double flops_per_step = 0;
  double seconds_per_step = 0, seconds_per_evaluated_row = 0;
  double seconds_per_feature_row = 0;  // of a frozen encoder, before training (train/features.h)
  double seconds = 0;                  // of features, all steps and evaluations, if nothing stops it early
  int64_t bytes() const { return states_bytes + arena_bytes + best_bytes + data_bytes; }
};

// `machine`: whose rates the time is of.
Estimate estimate(const Engine& engine, const BestModel& best, const Dataset& data, const Horizon& horizon,
                  const MachineProfile& machine);

}  // namespace shoestring::train
