// Encoded rows as a person knows them: what the model saw, decoded. A missing value shows as what it was
// filled with.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "train/batches.h"

namespace shoestring::report {

class Cells {
 public:
  // Both must outlive it.
  Cells(const task::NetworkSpec& spec, const task::Fits& fits);

  size_t inputs() const { return spec_->recipe.inputs.size(); }
  const std::string& name(size_t input) const { return spec_->recipe.inputs[input].name; }
  std::string text(const train::EncodedInputs& rows, size_t input, uint32_t row) const;

  // The same as a page shows it: shortened, and a picture as a small PNG in a data: URL.
  std::string shown(const train::EncodedInputs& rows, size_t input, uint32_t row) const;

  // Of a number the value; of other types NaN.
  double number(const train::EncodedInputs& rows, size_t input, uint32_t row) const;
  // Of a category or binary input which of labels() it is, the commonest first; -1 of other types, and of
  // words that are known by their hash alone.
  int32_t code(const train::EncodedInputs& rows, size_t input, uint32_t row) const;
  // Empty where code() is -1.
  std::vector<std::string> labels(size_t input) const;

  // The same of a target.
  std::string target(const train::EncodedTargets& rows, size_t output, uint32_t row) const;
  // A number on the raw scale.
  double target_number(const train::EncodedTargets& rows, size_t output, uint32_t row) const;

 private:
  const task::NetworkSpec* spec_;
  const task::Fits* fits_;
  std::vector<int> column_;  // of each input in EncodedInputs::numbers; -1: it has its own
};

// At most so many characters, the rest as "…".
std::string shortened(std::string_view text, size_t characters = 48);

}  // namespace shoestring::report
