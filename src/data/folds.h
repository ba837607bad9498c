// Cross-validation: a table in as many parts as there are folds. One part tests, of the others a share
// validates and the rest trains; over all folds every row tests once.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "data/split.h"

namespace shoestring::data {

struct Fold {
  int64_t fold = 1, folds = 5;      // which of how many, from 1; at least 2
  double validation_share = 0.125;  // of the rows that do not test
};

// Folds whose sizes differ by one row at most, and so do the rows of each code in them. Codes < 0 (missing)
// are a class of their own; without classes, give each row the same code. At least as many rows as folds.
std::vector<uint8_t> stratified_fold(std::span<const int32_t> codes, const Fold& fold, uint64_t seed);

// All rows of a code are in one fold, and on one side of validation: the largest groups are dealt out first,
// each to the smallest fold so far. At least as many groups as folds.
std::vector<uint8_t> grouped_fold(std::span<const int32_t> codes, const Fold& fold, uint64_t seed);

// The groups that codes make: those that occur, and one of the missing.
int64_t count_groups(std::span<const int32_t> codes);

}  // namespace shoestring::data
