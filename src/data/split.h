// Which rows train, which validate, which test, and in what order an epoch takes them. Pure functions
// of their arguments: the same seed gives the same rows on every machine. Tables hold at most 2^32 - 2 rows.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "data/batch.h"

namespace shoestring::data {

enum Split : uint8_t { kTrain = 0, kValidation = 1, kTest = 2, kUnused = 255 };

struct SplitShares {
  double train = 0.7, validation = 0.1, test = 0.2;
};

// Not negative, a positive share for training, adding up to 1 within 1e-6: else a usage error.
Status check(const SplitShares& shares);

// Exactly round(share * rows) rows each (largest remainders), drawn without replacement.
std::vector<uint8_t> random_split(int64_t rows, const SplitShares& shares, uint64_t seed);

// As random_split within each code, so that every split has the classes in the table's proportions.
// Codes < 0 (missing) are a class of their own.
std::vector<uint8_t> stratified_split(std::span<const int32_t> codes, const SplitShares& shares,
                                      uint64_t seed);

// Appends a split per row from a column that holds 0, 1, 2 (or 0.0 …, or train, validation, test). A
// missing or other value is an error whose place is the row: fixed_split_error.row.
struct FixedSplitError {
  int64_t row;  // in the table
  std::string value;
};
std::optional<FixedSplitError> append_fixed_split(const TextColumn& column, int64_t first_row,
                                                  std::vector<uint8_t>& out);

// The rows of one split, ascending.
std::vector<uint32_t> rows_of(std::span<const uint8_t> splits, Split split);

// The order in which epoch `epoch` takes `rows`: a uniform permutation, a function of (rows, seed,
// epoch) alone, so a resumed run needs to remember the epoch and the position only. out.size() ==
// rows.size().
void epoch_order(std::span<const uint32_t> rows, uint64_t seed, uint32_t epoch, std::span<uint32_t> out);

}  // namespace shoestring::data
