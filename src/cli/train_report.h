// What `train` says while it works and when it is done.
#pragma once

#include "cli/console.h"
#include "train/train.h"

namespace shoestring::cli {

class TrainReport {
 public:
  // `verb` is how a run goes on: train or experiment.
  TrainReport(Console& console, std::string_view verb) : console_(console), verb_(verb) {}
  train::TrainEvents events();  // this must outlive them
  // Says how it ended; returns the exit code.
  int end(const train::TrainOutcome& outcome);

 private:
  void prepared(const train::Dataset& data);
  void started(const train::Start& start);
  void progress(const train::Progress& p);
  void evaluated(const train::Evaluation& e);
  static bool ends_group(int64_t evaluation, int64_t expected);
  void tell_evaluation();
  void tell_last_evaluation();
  void finished(const train::TrainOutcome& outcome);

  Console& console_;
  std::string verb_;
  std::string outputs_;  // "'income' (binary)"
  size_t inputs_ = 0;
  int64_t early_stop_ = 0;
  std::string watched_;                                     // "roc_auc of 'income'"
  std::string loss_output_ = std::string(task::kCombined);  // whose validation loss is shown, and its name
  std::string loss_label_ = "validation loss";
  // Shown at each evaluation: the watched metric, or the usual one of its output where that is the loss.
  std::string output_, metric_, label_;
  // A run may have hundreds of evaluations: a line is told of each group of them, the best that was new or
  // else the last. (All stand in metrics.jsonl.)
  std::string worth_telling_, last_;
  int64_t evaluations_ = 0, last_step_ = 0;
  bool told_skipped_ = false;
  double planned_ = 0;  // seconds of the whole process, where they were planned by a rehearsal
};

}  // namespace shoestring::cli
