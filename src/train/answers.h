// Predictions as the columns that users know: of an output F the columns F_predictions and, of classes,
// F_probabilities, F_probability (of the predicted one) and F_probabilities_CLASS. Of a vector F_predictions
// is a list of numbers, of a set one of words, beside F_probabilities and F_probabilities_WORD.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/write.h"
#include "task/preprocess.h"
#include "train/engine.h"

namespace shoestring::train {

// Where answers go that are no text: the cells of a row in the order of Answers::columns().
struct AnswerCells {
  virtual ~AnswerCells() = default;
  virtual void text(std::string_view value) = 0;
  virtual void number(float value) = 0;
  virtual void number(double value) = 0;
  virtual void numbers(const float* values, int count) = 0;
  virtual void texts(std::span<const std::string_view> values) = 0;
  virtual void end_row() = 0;
};

class Answers {
 public:
  // Both must outlive it.
  Answers(const task::NetworkSpec& spec, const task::Fits& fits);

  const std::vector<std::string>& columns() const { return columns_; }
  // Writes the answer of a row of the batch that the ports hold, as one row.
  void write(const Ports& ports, int64_t row, data::RowText& out) const;
  void write(const Ports& ports, int64_t row, AnswerCells& out) const;
  void write(const Ports& ports, int64_t row, data::RowWriter& out) const {
    write(ports, row, out.rows());
    out.written();
  }

 private:
  template <class Out>
  void write_cells(const Ports& ports, int64_t row, Out& out) const;

  const task::NetworkSpec* spec_;
  const task::Fits* fits_;
  std::vector<std::string> columns_;
};

}  // namespace shoestring::train
