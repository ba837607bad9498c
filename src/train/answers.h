// Predictions as the columns that users know: of an output F the columns F_predictions and, of classes,
// F_probabilities, F_probability (of the predicted one) and F_probabilities_CLASS. Of a vector F_predictions
// is a list of numbers, of a set one of words, beside F_probabilities and F_probabilities_WORD.
#pragma once

#include <string>
#include <vector>

#include "data/write.h"
#include "task/preprocess.h"
#include "train/engine.h"

namespace shoestring::train {

class Answers {
 public:
  // Both must outlive it.
  Answers(const task::NetworkSpec& spec, const task::Fits& fits);

  const std::vector<std::string>& columns() const { return columns_; }
  // Writes the answer of a row of the batch that the ports hold, as one row.
  void write(const Ports& ports, int64_t row, data::RowText& out) const;
  void write(const Ports& ports, int64_t row, data::RowWriter& out) const {
    write(ports, row, out.rows());
    out.written();
  }

 private:
  const task::NetworkSpec* spec_;
  const task::Fits* fits_;
  std::vector<std::string> columns_;
};

}  // namespace shoestring::train
