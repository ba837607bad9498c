// What a run will take, from its data and its compiled plans, before their memory is taken.
#pragma once

#include "budget/deadline.h"
#include "budget/ledger.h"
#include "train/dataset.h"
#include "train/site.h"

namespace shoestring::train {

// The memory of `train` from here on and what it took so far. To be called when data and plans are there
// (their share of the process is measured) and the engine's blocks are not (they are planned).
// `initial_bytes`: Engine::initial_bytes(); `history_bytes`: of the log of evaluations, at the end;
// `saving_bytes`: while the model file is written; `witness_bytes`: of who looks on (train/witness.h).
// `peak_bytes`: of the process up to now, and before the engine's blocks were taken.
struct ToCome {
  int64_t initial_bytes = 0, history_bytes = 0, saving_bytes = 0, witness_bytes = 0, peak_bytes = 0;
};
budget::Memory planned_memory(const Engine& engine, const Dataset& data, const ToCome& to_come,
                              const Site& site = {});

// What the run folder takes at most: the checkpoint and the model, each with its successor while that is
// written, predictions and logs.
int64_t planned_disk(const Engine& engine, const Dataset& data, int64_t history_bytes);

// The parts of it that may be left out: answers to the test rows; the checkpoint.
int64_t answers_disk(const Dataset& data);
int64_t checkpoint_disk(const Engine& engine);

// Sets what binds, from what may be spent.
void find_binding(const task::Budget& budget, const Site& site, budget::Ledger& ledger);

// Money and energy of the ledger's time and memory, by the price list, and what a thousand answers would cost
// by their time.
Status plan_costs(const Site& site, budget::Ledger& ledger);

// What this very process takes: the total without what differs from run to run.
int64_t least_of(const budget::Ledger& ledger);

// ErrorKind::budget where the ledger is more than the budget, or the memory that is needed is: the line that
// takes most, and the smallest change that fits.
Status within(const task::Budget& budget, const Site& site, const budget::Ledger& ledger,
              int64_t needed_bytes);

}  // namespace shoestring::train
