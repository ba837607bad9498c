// A run's folder: OUTPUT_DIRECTORY/EXPERIMENT_MODEL[_N]/, held by one process at a time.
//
//   recipe.yaml               the recipe as resolved
//   description.json          version, data files and their sizes, seed, machine
//   metrics.jsonl             a line for every evaluation; no times in it, so equal runs give equal lines
//   checkpoint.safetensors    while training: all states, the best model, the position; gone when finished
//   model/model.safetensors   the best model so far, whole at any moment
//   test_statistics.json, predictions.csv      of the test split, or that of --eval_split
//   training_statistics.json  how it ended, what it took, what each evaluation found
//   report.html, report.json   for people, and the same for programs (src/report)
//   planned_against_actual.json  where the time went: of each stage what was planned, and what it took
//   .finished                 written last, whatever else was wanted: the run is finished
//   .lock                     held while a process works on the run
//
// What going on needs and what prediction needs survive a power cut: recipe, description, checkpoint,
// model, .finished and the folders are synced. The others are whole or absent when a process is killed,
// but are not synced: the checkpoint holds the lines of metrics.jsonl, and `evaluate --split test` makes
// the results of the test split again.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace shoestring::train {

class RunFolder {
 public:
  // Makes the first of EXPERIMENT_MODEL, EXPERIMENT_MODEL_0, _1, … that does not exist, and locks it.
  static Result<RunFolder> create(const std::string& output_directory, std::string_view experiment,
                                  std::string_view model);
  // Locks a folder that exists. ErrorKind::data: no such folder; ErrorKind::machine: another process
  // holds it.
  static Result<RunFolder> open(const std::string& path);

  RunFolder(RunFolder&& other) noexcept;
  RunFolder& operator=(RunFolder&& other) noexcept;
  ~RunFolder();  // gives the lock back

  const std::string& path() const { return path_; }
  std::string recipe() const { return path_ + "/recipe.yaml"; }
  std::string description() const { return path_ + "/description.json"; }
  std::string metrics() const { return path_ + "/metrics.jsonl"; }
  std::string checkpoint() const { return path_ + "/checkpoint.safetensors"; }
  std::string model_folder() const { return path_ + "/model"; }
  std::string model() const { return path_ + "/model/model.safetensors"; }
  std::string predictions() const { return path_ + "/predictions.csv"; }
  std::string test_statistics() const { return path_ + "/test_statistics.json"; }
  std::string planned_against_actual() const { return path_ + "/planned_against_actual.json"; }
  std::string training_statistics() const { return path_ + "/training_statistics.json"; }
  // Of a cross-validation: the run folder of a fold, from 1.
  std::string fold(int64_t number) const { return fmt::format("{}/fold_{}", path_, number); }
  bool finished() const;
  Status finish() const;  // from now on finished() is true; ErrorKind::machine as write_file

 private:
  std::string mark() const { return path_ + "/.finished"; }
  RunFolder(std::string path, int lock) : path_(std::move(path)), lock_(lock) {}
  static Result<RunFolder> lock(std::string path);
  std::string path_;
  int lock_ = -1;
};

// The model file that --model_path means: a model file, a model folder or a run folder. ErrorKind::data
// where there is none.
Result<std::string> find_model(const std::string& path);

}  // namespace shoestring::train
