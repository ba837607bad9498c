// Preprocessing one cell at a time, for a service that answers rows as they come: the rules of preprocess.h
// and the same code, with no columns around them and nothing from the heap. Every row gets a value, as in
// prediction, and has no neighbours: what ffill and bfill would take from them is the usual value.
#pragma once

#include <optional>
#include <string_view>
#include <unordered_map>

#include "task/preprocess.h"

namespace shoestring::task {

// NaN: missing.
float encode_cell(const NumberFit& fit, double value);

// What a trimmed word says; nothing where it is neither label.
std::optional<bool> truth_of(const BinaryFit& fit, std::string_view word);
// Nothing: missing.
float encode_cell(const BinaryFit& fit, std::optional<bool> truth);

// The words of a category's vocabulary, to be looked up many times. The fit outlives it.
class CategoryLookup {
 public:
  // For a few words looking through the vocabulary is faster than building a table.
  explicit CategoryLookup(const CategoryFit& fit, bool few_words = false);

  // The word's number, or `otherwise`.
  int32_t find(std::string_view raw, int32_t otherwise) const;

  // Of an input's cell: a trimmed word, or a missing value.
  int32_t encode_cell(std::string_view word) const { return find(word, fit_->unknown); }
  int32_t encode_missing() const;

 private:
  int32_t in_vocabulary(std::string_view word) const;

  const CategoryFit* fit_;
  std::unordered_map<std::string_view, int32_t> table_;
};

}  // namespace shoestring::task
