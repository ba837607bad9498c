// Where the time of a run goes: planned before the first step, fitted into a limit where there is one, and
// told beside what it was.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "budget/deadline.h"
#include "budget/ledger.h"
#include "train/best_model.h"
#include "train/dataset.h"
#include "train/schedule.h"

namespace shoestring::train {

// What a run goes through, in order; evaluations and checkpoints are those of the training loop, and
// `finishing` all that comes after it.
enum class Stage : uint8_t {
  starting,
  reading,  // twice where the recipe is made by looking
  preprocessing,
  compiling,
  rehearsing,
  features,  // what frozen encoders make of the rows (train/features.h)
  training,
  evaluating,
  saving,
  finishing,
};
inline constexpr std::array<std::string_view, 10> kStageNames{
    "starting", "reading",  "preprocessing", "compiling",   "rehearsal",
    "features", "training", "evaluation",    "checkpoints", "finishing"};

struct StageSeconds {
  double p50 = 0, p90 = 0;  // planned; of what was over by then, what it took
  double took = 0;
};

// What goes into the steps of training beside the network, as shares of their time, measured in some of them.
struct FeedShares {
  double loading = 0;     // rows put into the plan's inputs, from memory or a file
  double augmenting = 0;  // pictures
  double all() const { return loading + augmenting; }
};
// What to do where these are what limits training, more than a third of its time; "" where they are not.
// `from_file`: the rows are read from a file, as the memory has no room for them.
std::string feed_note(const FeedShares& shares, bool from_file);

struct Times {
  std::array<StageSeconds, kStageNames.size()> stages{};
  std::optional<double> limit;  // what may be spent, from the start of the process to its exit
  double used_before = 0;       // by earlier processes of the run
  int64_t steps_wanted = 0, steps_planned = 0, steps_done = 0;
  double step_by_formula = 0, step_rehearsed = 0;  // seconds; 0 if it was not rehearsed
  std::optional<FeedShares> feed = {};             // where there are pictures or rows from a file

  StageSeconds& of(Stage stage) { return stages[static_cast<size_t>(stage)]; }
  const StageSeconds& of(Stage stage) const { return stages[static_cast<size_t>(stage)]; }
  bool has(Stage stage) const;  // whether the run goes through it: all but `features` always
  double planned() const;
  double planned_p90() const;
  double took() const;
};

// Takes the time between two laps.
class Laps {
 public:
  explicit Laps(double started) : last_(started) {}
  double lap() {
    const double now = SteadyClock().seconds(), took = now - last_;
    last_ = now;
    return took;
  }

 private:
  double last_;
};

// What remains once training has ended, for a deadline to keep time for.
struct FinishWork {
  bool predictions = true, model = true;
  int64_t predicted_rows = 0;
  double witness_seconds = 0;
};
budget::Finish finish_of(const Engine& engine, const Dataset& data, const FinishWork& work);

// The part of the horizon that fits. Evaluations that nobody asked for at certain steps come so often that
// there are four of them and that they take a fifth of the time at most. Where all fits, nothing changes.
Horizon fit_horizon(const task::Trainer& trainer, const Horizon& wanted, const budget::Deadline& deadline);

// Fills what is planned from the stages that are over (their `took`) and from rates, which are those of a
// rehearsal or, where `rates.step` is empty, of a formula: `step_by_formula` and `row_by_formula`.
struct PlanBasis {
  Horizon horizon;
  int64_t evaluated_rows = 0;  // by each evaluation of the loop
  budget::Finish finish;
  int64_t checkpoint_bytes = 0;
  double save_seconds = 1;
  double step_by_formula = 0, row_by_formula = 0;
  int64_t feature_rows = 0;
  double feature_by_formula = 0;  // of a row
};
void plan_times(const PlanBasis& basis, const budget::Rates& rates, Times& times);
// The same for the ledger.
budget::Time ledger_time(const Times& times);

// planned_against_actual.json.
std::string to_json(const Times& times);

}  // namespace shoestring::train
