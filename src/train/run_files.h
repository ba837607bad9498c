// The small files of a run folder, as text: what the run is, what each evaluation found, how it ended.
#pragma once

#include <string>

#include "train/remarks.h"
#include "train/train.h"

namespace shoestring::train {

// description.json: what is needed to go on with the run, and what a person asks later.
struct Description {
  DataFiles data;
  std::vector<SourceFile> files;
  uint64_t seed = 42;
  std::string load = {};  // the model whose weights it began with, or ""; one of `files`
  task::SplitName eval_split = task::SplitName::test;
};
std::string to_json(const Description& description, const Dataset& dataset, const Estimate& estimate);
// ErrorKind::data where the file is missing or not what was written.
Result<Description> read_description(const std::string& path);

// The data files that the run was made with have not changed; else ErrorKind::data.
Status same_files(const Description& then, const std::vector<SourceFile>& now);

// A line of metrics.jsonl.
std::string metrics_line(const Evaluation& evaluation);

// The losses of the history, where both of its ends had a validation split.
Course course(const Position& position);
// training_statistics.json.
Status write_training_statistics(const std::string& path, const TrainOutcome& outcome,
                                 const Position& position);
// The metrics on the training rows out of the statistics beside a model; nothing where they are not there.
std::optional<Metrics> training_metrics_of(const std::string& model_path);

std::string_view to_string(Ending ending);

}  // namespace shoestring::train
