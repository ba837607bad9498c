// What a careful colleague would say about a finished run, in a sentence each.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "train/dataset.h"
#include "train/evaluate.h"

namespace shoestring::train {

// A metric of the best model on the rows it was trained on and on rows it never saw.
struct Gap {
  std::string output, metric;
  bool maximise = true;
  double training = 0, held_out = 0;
  int64_t held_out_rows = 0;
  std::string held_out_name;  // "test", "validation"
};

// Whether the gap is more than chance would make of so few rows (two standard errors of a share, and
// 0.02) for a share such as accuracy, or more than a quarter for a loss.
bool overfits(const Gap& gap);
// "No sign of overfitting: …", "It overfits: …; …what helps", or that so few rows cannot tell.
std::string overfitting_remark(const Gap& gap);

// Losses before the first step, at the step of the best model and at the end of training.
struct Course {
  int64_t best_step = 0, last_step = 0;
  double untrained = std::numeric_limits<double>::quiet_NaN();
  double best_training = 0, last_training = 0;
  double best_validation = 0, last_validation = 0;
};
// Whether the training loss fell on after the best step while the validation loss rose by more than a
// twentieth.
bool learned_by_heart(const Course& course);
// "From step 100 on it learned the training rows by heart: …", where the training loss fell on and the
// validation loss rose by more than a twentieth; "The loss rose: …" where training made it worse; otherwise
// "".
std::string course_remark(const Course& course);

// What the best model reaches on held-out rows beside an answer that needs no model: for classes the share of
// the commonest, for a number the mean.
struct Usefulness {
  std::string output, commonest;                // commonest: the label, "" for a number
  double accuracy = 0, share = 0, roc_auc = 0;  // of classes; roc_auc NaN where there is none
  double r2 = 0;                                // of a number
  int64_t rows = 0;
  std::string rows_name;  // "test", "validation"
};
// "It has learned nothing that helps: …", or "".
std::string usefulness_remark(const Usefulness& u);

// Whether the rarest of the classes has less than half of its equal share.
bool unbalanced(std::span<const int64_t> rows_of_class);
// "The classes are balanced: …" or "The classes are unbalanced: …; always answering 'no' would be right
// for 88 %, so judge by …".
std::string balance_remark(const std::string& output, std::span<const std::string> labels,
                           std::span<const int64_t> rows_of_class);

// What can be said of some rows that a saved model was measured on; `training`: its metrics on the rows that
// it was trained on, null where nobody knows them.
std::vector<std::string> remarks_on(const task::NetworkSpec& spec, const task::Fits& fits,
                                    const Metrics& measured, const std::string& rows_name,
                                    const Metrics* training);

// All that is to be said of a run that has ended; `held_out` may be null.
std::vector<std::string> remarks(const Dataset& data, const Course& course, const Metrics& training,
                                 const Metrics* held_out, const std::string& held_out_name);

}  // namespace shoestring::train
