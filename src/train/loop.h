// The training loop: gather a batch, run a plan, and now and then look up: at the clock, at the metrics
// of the validation split, at whether to stop. It takes no memory, and no time outside the plan that
// matters even for steps of a microsecond.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "budget/deadline.h"
#include "train/batches.h"
#include "train/best_model.h"
#include "train/checkpoint.h"
#include "train/dataset.h"
#include "train/evaluate.h"
#include "train/timing.h"

namespace shoestring::train {

// How things stand, at most every `progress_seconds`.
struct Progress {
  int64_t step = 0, total_steps = 0;
  int64_t epoch = 0, epochs = 0;  // from 1; how many the steps make
  double loss = 0;                // as in Evaluation
  double metric = 0;              // the watched metric at the last evaluation; NaN before the first
  double samples_per_second = 0;
  double seconds = 0, seconds_left = 0;
};

// What an evaluation found. The first, of step 0, is of the untrained model: it is told, and watched by
// nothing.
struct Evaluation {
  int64_t step = 0, total_steps = 0;  // optimizer steps done, of how many
  int64_t epoch = 0, epochs = 0;      // from 1; 0 at step 0
  double learning_rate = 0;           // of the last step
  double loss = 0;           // training loss, mean over the epoch's rows since the last evaluation, each
                             // before its step's update; at step 0 that of the first step
  double gradient_norm = 0;  // of the last step, before clipping
  int64_t skipped = 0;       // steps whose numbers were not finite, so far
  std::optional<Metrics> training, validation;
  double metric = 0;  // the watched one; NaN where there is nothing to watch
  bool best = false;  // so far
};

struct LoopHooks {
  std::function<void(const Progress&)> progress = {};
  double progress_seconds = 0.1;
  // The line of metrics.jsonl that this evaluation makes; it becomes part of Position::history. An error
  // ends training.
  std::function<Result<std::string>(const Evaluation&)> evaluated = {};
  // Writes the position to disk, and the best model if it is new. Called at most every `save_seconds`,
  // and rarer if it is slow; with 0 at every look. An error ends training.
  std::function<Status(const Position&, BestModel&)> save = {};
  double save_seconds = 1;
  LogSink log = {};
  const std::atomic<bool>* stop = nullptr;  // set from outside: finish the step, save, return
  // Null: no limit. Else it is told how long everything takes, and steps, schedule, evaluations and
  // checkpoints are fitted into what it says is left.
  budget::Deadline* deadline = nullptr;
  const Clock* clock = nullptr;  // null: the steady one
};

enum class Ending { finished, early_stopped, out_of_time, interrupted, diverged };

struct LoopSettings {
  task::Trainer trainer;
  task::BatchSizes batch;
  Horizon horizon;
  uint64_t seed = 42;
  // Where there is a deadline: how many steps there would be with time enough, 0: those of the horizon; and
  // whether a run that has done fewer is complete, as nobody asked for so many.
  int64_t most_steps = 0;
  bool open_end = false;
};

// The plans that a loop over this many rows runs, evaluation of at most `evaluated_rows` included.
std::vector<PlanRequest> plans_for(const task::BatchSizes& batch, int64_t training_rows,
                                   int64_t evaluated_rows);

class Loop {
 public:
  // Everything must outlive it. The engine has the plans of plans_for() and is initialised or restored.
  Loop(Engine& engine, const Dataset& data, Evaluator& evaluator, BestModel& best, LoopSettings settings,
       LoopHooks hooks);

  // From the position to the end. Steps of NaN or infinity change nothing and are counted; after
  // kBadInARow of them the run ends as diverged, with the states as before the first.
  Result<Ending> run();
  // Before that: some steps and evaluations for their times, which go to `rates`; about so many seconds of
  // them, or one step. The states are changed and have to be initialised again.
  void rehearse(budget::Rates& rates, double seconds);
  static constexpr int64_t kBadInARow = 5;

  const Position& position() const { return position_; }
  void restore(Position position);
  // Of a diverged run: the node where it began.
  const std::string& bad_node() const { return bad_node_; }
  double seconds() const { return seconds_; }  // of run(), and of it in evaluations and checkpoints
  double evaluating_seconds() const { return evaluating_; }
  double saving_seconds() const { return saving_; }
  const Horizon& horizon() const { return settings_.horizon; }  // as it was fitted
  int64_t steps_run() const { return position_.step - first_step_; }
  // Of run(), measured in some of its steps; nothing for rows that are numbers in memory.
  std::optional<FeedShares> feed() const;

 private:
  // One batch within an optimizer step.
  struct Micro {
    Runner* runner = nullptr;
    int64_t first = 0, rows = 0;  // in the epoch's order
  };
  Micro micro(int64_t first, int64_t end_of_step) const;
  int64_t rows_per_step() const { return settings_.batch.batch * settings_.batch.accumulation; }
  int64_t epoch() const { return position_.step / settings_.horizon.steps_per_epoch; }
  void fill(const Micro& micro, float rate);
  void run_measured(const Micro& micro, float rate, const RunContext& context);
  bool measures_feed() const;
  bool step();
  void diverge(const Micro& micro, float rate, const RunContext& context);
  Evaluation look();
  Status evaluate();
  Status evaluate_now();
  Status tell(const Evaluation& evaluation);
  double plateau_metric(Evaluation& evaluation);
  Status save(double now);
  void tell(double now);
  int64_t evaluated_rows() const;
  void stepped(double now);
  void refit(double now);
  int64_t steps_until_look(double now) const;
  bool room_for_evaluation() const { return !hooks_.deadline || hooks_.deadline->room_for_evaluation(); }

  Engine* engine_;
  const Dataset* data_;
  Evaluator* evaluator_;
  BestModel* best_model_;
  LoopSettings settings_;
  LoopHooks hooks_;
  SteadyClock steady_;
  const Clock* clock_;

  Runner *update_ = nullptr, *accumulate_ = nullptr, *last_ = nullptr;  // last_: the partial batch
  Schedule schedule_;
  BestSoFar best_;
  bool maximise_plateau_ = false;

  Position position_;
  Batches training_;
  double last_rate_ = 0, last_norm_ = 0;
  double step_loss_, metric_;  // of the last step and evaluation; NaN before the first
  std::string bad_node_;
  bool diverged_ = false;
  int64_t first_step_ = 0;
  double started_ = 0, seconds_ = 0, told_ = 0, saved_ = 0, save_cost_ = 0;
  double evaluating_ = 0, saving_ = 0;
  int64_t marked_step_ = 0;  // steps since then are yet to be told to the deadline, which began at marked_
  double marked_ = 0;
  bool has_feed_ = false;                                     // pictures, or rows from a file
  double loading_ = 0, augmenting_ = 0, measured_steps_ = 0;  // seconds, of the steps that are measured
  int64_t schedule_steps_ = 0;                                // what the schedule was made for
  int64_t told_total_ = 0;                                    // steps, and when a note said so
  double told_refit_ = 0;
};

}  // namespace shoestring::train
