// The flags that train, experiment and plan have in common, and the request that they make.
#pragma once

#include "cli/inputs.h"
#include "report/report.h"
#include "train/train.h"

namespace shoestring::cli {

struct TrainFlags {
  RecipeInput recipe;
  train::TrainRequest request;
  std::string output_directory, experiment, model, logging_level, eval_split, prices, machine, sweep,
      remedy_share;
  std::optional<int64_t> seed;
  bool skip_description = false, skip_statistics = false, skip_model = false, skip_progress = false,
       skip_log = false;
  std::string report = "normal";
  report::Level report_level = report::Level::normal;
  bool skip_report = false;
  bool skip_processed = false, skip_predictions = false, quiet = false, json = false, remedy = false;
  std::optional<int64_t> save_milliseconds, folds;
};

Options options_of(std::string_view verb, TrainFlags& flags);
// What the flags say, as the library wants it.
Status complete(TrainFlags& flags);

}  // namespace shoestring::cli
