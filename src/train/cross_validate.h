// k-fold cross-validation: as many runs as folds, each trained anew, each tested on rows that no other run
// tests on.
//
//   results/experiment_run/
//     recipe.yaml                      of the first fold
//     fold_1/ … fold_K/                run folders, as train leaves them
//     kfold_training_statistics.json   metrics of each fold's test rows; over the folds their mean and sample
//                                      standard deviation: {"overall": {"y": {"accuracy_mean": …,
//                                      "accuracy_std": …}}}
//     report.html, report.json         over the folds (src/report/folds.h)
//     kfold_split_indices.json         which rows of the table train, validate and test in each fold, from 0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "train/train.h"

namespace shoestring::train {

struct FoldMetric {
  std::string output, name;
  double mean = 0, deviation = 0;  // NaN where a fold has no value
  std::vector<double> of_fold;
};

struct CrossValidation {
  std::string folder;
  int64_t folds = 0;
  bool out_of_time = false;  // a fold was ended by the budget before its last step
  bool interrupted = false;  // then `values` is empty; a request with `resume` goes on
  std::vector<FoldMetric> values;
};

// Folds are stratified by the first output that is a class, if there is one; where the recipe's split is
// stratified, by groups, or a fold of its own, they follow that. Of the rows that do not test, the recipe's
// share validates. The budget's time is that of all folds together: each gets an equal part of what is left.
// Where the recipe leaves the epochs to us and there is no such time, they are chosen once, for all folds.
//
// request.resume is the folder of an earlier call, whose finished folds are kept: what is given again has to
// agree with it, and data and recipe may be left out once the first fold has begun. Fails as train() does,
// and with ErrorKind::usage where several tables are given, the recipe's split is fixed, datetime or hash,
// the table has a column that says the split, or the folder is of another request; a fold whose numbers stop
// being finite is ErrorKind::stopped.
Result<CrossValidation> cross_validate(
    const TrainRequest& request, int64_t folds, const TrainEvents& events,
    const std::function<void(int64_t fold, const TrainOutcome&)>& ended = {});

// The recipe of one fold.
task::Recipe fold_recipe(task::Recipe recipe, int64_t fold, int64_t folds);

}  // namespace shoestring::train
