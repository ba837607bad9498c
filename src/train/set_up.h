// A run in memory: what it trains with, and how it gets it. Nothing here writes to its folder.
#pragma once

#include <optional>

#include "base/clock.h"
#include "budget/deadline.h"
#include "budget/fitting.h"
#include "budget/ledger.h"
#include "train/evaluate.h"
#include "train/job.h"
#include "train/planning.h"
#include "train/pretrained_weights.h"
#include "train/saved_model.h"
#include "train/timing.h"
#include "train/train.h"

namespace shoestring::train {

// Of all times of a run.
const SteadyClock& run_clock();

// The plans of a run and what they were compiled for.
struct Compiled {
  task::BatchSizes batch;
  CompileOptions options;
  Engine engine;
};

// The time of a run: its limit, if it has one, and where it goes.
struct RunTime {
  explicit RunTime(double began) : started(began), laps(began) {}
  void limit_to(double end, double seconds) {
    deadline.emplace(run_clock(), end, seconds);
    times.limit = seconds;
  }
  void lap(Stage stage) { times.of(stage).took += laps.lap(); }

  double started;
  Laps laps;
  Times times;
  budget::Rates rehearsed;  // where there is no deadline to hold them
  std::optional<budget::Deadline> deadline;
  budget::Rates& rates() { return deadline ? deadline->rates() : rehearsed; }
};

// Everything in memory that a run trains with.
struct Run {
  Job job;
  Dataset data;
  Site site = {};
  std::optional<SavedModel> beginning;
  std::optional<PretrainedWeights> weights = {};  // that its encoders begin with
  std::optional<Compiled> compiled;
  Horizon horizon = {};
  budget::Ledger ledger = {};
  bool planned_only = false;                // another process will train
  budget::Asked asked = {};                 // the recipe as it was written, and as it was made to fit
  std::optional<int64_t> peak_before = {};  // of the process, when the memory of the plans was first taken
  int64_t witness_bytes = 0, witness_disk_bytes = 0;  // of the request's witness
  int64_t most_steps = 0;                             // what the recipe asks for
  std::optional<MachineProfile> rates = {};           // that times are told by before anything was run
  BestModel best = {};
  Position position = {};

  Engine& engine() { return compiled->engine; }
  const Engine& engine() const { return compiled->engine; }
  const task::BatchSizes& batch() const { return compiled->batch; }
  // What the memory has to have room for: in another process that may be what differs from run to run, too.
  int64_t needed() const { return planned_only ? ledger.memory.total_bytes : least_of(ledger); }
  Runner& evaluation() {
    for (const auto& runner : engine().runners())
      if (runner->request().kind == PlanKind::evaluate) return *runner;
    std::abort();  // plans_for() always asks for one
  }
};

// Everything that is known before memory for the plans is taken: data, plans, ledger.
// Where it does not fit, the ledger has its ways_out. `to_plan`: for another process.
Result<Run> prepare_run(Job job, const TrainRequest& request, RunTime& time, const TrainEvents& events,
                        bool to_plan = false);

// The same of another recipe for the same data; the memory of the plans, if it was taken, is given back. What
// train takes at its peak with it, but for what differs from run to run.
Result<int64_t> compile_again(Run& run, const TrainRequest& request, const task::Recipe& recipe);

inline constexpr const char* kNoReport = "no report.html";  // the price of --report none
// The cheapest changes that need less memory, for a ledger; the last of them is compiled afterwards.
Result<std::vector<budget::WayOut>> memory_ways_out(Run& run, const TrainRequest& request);

// Takes the memory of the plans, fills it, and fits the run into its time. `always`: rehearses even where no
// time has to be fitted. ErrorKind::budget where not even one step fits.
Status take_memory(Run& run, const TrainRequest& request, RunTime& time, const TrainEvents& events,
                   bool always = false);

// In the place of a rehearsal, of a machine that is not here: by the formula, or as slow as twice that.
void rates_by_formula(const Run& run, budget::Rates& rates);

// Takes the memory and rehearses, whatever the recipe says; fits nothing.
Status rehearse_alone(Run& run, RunTime& time);

// Fits the run into its time, or chooses the epochs where the recipe leaves that to us. ErrorKind::budget
// where not even one step fits.
Status fit_time(Run& run, const TrainRequest& request, RunTime& time, const LogSink& log);

// The time is too short, or the money that buys it too little: `goes_on` says what it goes on, `needed` are
// the seconds that would do.
Failure too_little_time(const task::Budget& budget, double limit, std::string_view goes_on, double needed);

// What the run will take, and of its time what that goes on.
Estimate plan_time(Run& run, const TrainRequest& request, RunTime& time);

Evaluator evaluator_of(Run& run);

// Computes what frozen encoders make of the rows, where it is kept, with the states as they are now.
Status make_features(Run& run, const TrainRequest& request, RunTime& time, const LogSink& log);

inline void say(const LogSink& log, LogLevel level, std::string_view text) {
  if (log) log(level, text);
}

}  // namespace shoestring::train
