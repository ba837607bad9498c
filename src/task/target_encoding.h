// The encoder `target` of a category: in the place of a value stand the means of the targets over the
// training rows that have it, drawn towards the mean of all where they are few.
//
// A training row must not see its own target, or the network would learn to read it off a rare value. So
// training rows are dealt into folds, and each gets the means of the rows in the other folds; rows that do
// not train get those of all training rows. A column whose values are all distinct then says nothing to
// either.
//
// The means are a table of `folds + 1` blocks, one entry for each word of the vocabulary in each: block 0 of
// all training rows, block k of those outside fold k. A row's code is block * words + number, and a network
// looks it up.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace shoestring::task {

struct TargetTable {
  int64_t folds = 0;         // 0: there is no table
  int64_t width = 0;         // means of an entry
  uint64_t seed = 0;         // of the folds
  std::vector<float> means;  // [folds + 1, words, width], less the mean of all and over their deviation
  bool operator==(const TargetTable&) const = default;
};

// What is predicted: of each row of the table a number, or the number of a class. Rows that are NaN or below
// 0 count for nothing. A class of two gives one mean (the share of class 1), one of more a mean for each
// class.
struct TargetValues {
  std::span<const float> numbers = {};
  std::span<const int32_t> codes = {};
  int64_t classes = 0;  // of codes
};

struct TargetOptions {
  int64_t folds = 5;
  // So many rows of the mean of all are added to each value's own; absent: as many as make the mean the best
  // guess where values differ as they do (empirical Bayes): the ratio of the variance within the value to
  // that of all.
  std::optional<double> smoothing;
  uint64_t seed = 0;
};

// `words` is the size of the vocabulary, `numbers` the number of each row in it. folds >= 2.
TargetTable fit_targets(const TargetOptions& options, std::span<const int32_t> numbers, int64_t words,
                        std::span<const uint32_t> training_rows, std::span<const TargetValues> targets);

// The entries of each block in another order: entry i becomes what order[i] was.
void reorder(TargetTable& table, std::span<const size_t> order);

// The fold of a training row, from 1.
int64_t target_fold(const TargetTable& table, uint32_t row);

}  // namespace shoestring::task
