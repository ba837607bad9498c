// Training as a whole: from a table and perhaps a recipe to a run folder with an evaluated model.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "budget/ledger.h"
#include "train/estimate.h"
#include "train/loop.h"
#include "train/site.h"
#include "train/timing.h"
#include "train/witness.h"

namespace shoestring::train {

struct TrainRequest {
  std::optional<task::Recipe> recipe = {};  // absent: inferred for `targets`, or the run's own when resuming
  std::vector<std::string> targets = {};
  DataFiles data = {};  // when resuming: the run's own if left empty
  std::string output_directory = "results", experiment = "experiment", model = "run";
  std::string resume = {};            // a run folder to go on with
  std::string load = {};              // a model whose weights to start from
  std::optional<uint64_t> seed = {};  // 42, or the run's own when resuming
  bool save_model = true, save_checkpoints = true, save_metrics = true;
  bool save_description = true, save_statistics = true, save_predictions = true;
  // Whose rows predictions.csv and test_statistics.json are of; it must have some. Absent: test, or the run's
  // own when resuming.
  std::optional<task::SplitName> eval_split = {};
  std::string budget = {};  // as task::parse_budget reads it, laid over the recipe's
  // When its time began to count, on SteadyClock: the start of the process, the call of the library. Absent:
  // now.
  std::optional<double> started = {};
  // And when it is over, where that is not for the recipe to say, as the time is shared with other runs.
  std::optional<double> ends = {};
  double time_share = 1;                    // of the time, the rest being for what comes after this run
  double save_seconds = 1;                  // between two checkpoints, at least
  const std::atomic<bool>* stop = nullptr;  // set from outside: save and return
  Site site = {};                           // elsewhere: for plan() only
  std::optional<FromFile> from_file = {};   // keep the encoded rows in a file (train/from_file.h)
  std::string surveys = {};  // where surveys of long tables are kept (train/kept_survey.h); "": nowhere
  Witness witness = {};
};

// What is known before the first step.
struct Start {
  std::string folder;
  bool resumed = false;
  int64_t first_step = 0;
  Estimate estimate;
  budget::Ledger ledger;
  Times times;  // as planned
};

struct TrainEvents {
  std::function<void(const Dataset&)> prepared = {};
  std::function<void(const Start&)> started = {};
  std::function<void(const Progress&)> progress = {};
  std::function<void(const Evaluation&)> evaluated = {};
  LogSink log = {};
};

struct TrainOutcome {
  bool already_finished = false;  // the resumed run had ended before: nothing was done
  Ending ending = Ending::finished;
  std::string folder, model_path;  // model_path is "" if none was to be saved
  std::string report;              // what the witness wrote; "" if nothing
  bool can_resume = false;         // from where it stopped
  int64_t steps = 0, best_step = 0, skipped = 0;
  double seconds = 0, samples_per_second = 0;  // of the loop
  Times times;
  std::optional<Metrics> training, validation, test;  // of the best model
  std::vector<std::string> remarks;                   // a sentence each (train/remarks.h)
  std::string bad_node;                               // of a diverged run

  // The metrics on the rows that the model was least fitted to, and what they are called; null if there are
  // none.
  const Metrics* held_out() const { return test ? &*test : validation ? &*validation : nullptr; }
  const char* held_out_name() const { return test ? "test" : "validation"; }
};

// What train() would take, by doing what it does up to its first step, the memory of the plans not taken.
// Nothing is written.
struct Planned {
  budget::Ledger ledger;
  Status fits;  // ErrorKind::budget where it is more than the budget
};
Result<Planned> plan(const TrainRequest& request, const TrainEvents& events);

// ErrorKind::budget where the ledger is more than the budget, before anything is written; errors of data,
// recipe and machine; an interrupted or diverged run is an outcome, its model saved.
Result<TrainOutcome> train(const TrainRequest& request, const TrainEvents& events);

}  // namespace shoestring::train
