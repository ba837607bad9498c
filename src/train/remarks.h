// What a careful colleague would say about a finished run, in a sentence each.
#pragma once

#include <cstdint>
#include <span>
#include <string>

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
// "No sign of overfitting: …" or "It overfits: …; …what helps".
std::string overfitting_remark(const Gap& gap);

// Losses at the step of the best model and at the end of training.
struct Course {
  int64_t best_step = 0, last_step = 0;
  double best_training = 0, last_training = 0;
  double best_validation = 0, last_validation = 0;
};
// "From step 100 on it learned the training rows by heart: …", where the training loss fell on and the
// validation loss rose by more than a twentieth; otherwise "".
std::string course_remark(const Course& course);

// Whether the rarest of the classes has less than half of its equal share.
bool unbalanced(std::span<const int64_t> rows_of_class);
// "The classes are balanced: …" or "The classes are unbalanced: …; always answering 'no' would be right
// for 88 %, so judge by …".
std::string balance_remark(const std::string& output, std::span<const std::string> labels,
                           std::span<const int64_t> rows_of_class);

}  // namespace shoestring::train
