// Which rows train, which validate, which test, and in what order an epoch takes them. Pure functions
// of their arguments: the same seed gives the same rows on every machine. Tables hold at most 2^32 - 2 rows.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
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

// Where row `row` of a table belongs, whatever the other rows are, so that no table need be in memory: each
// lies in a share with that probability. Models that were trained with this split count on it.
Split row_split(int64_t row, const SplitShares& shares, uint64_t seed);

// Every split has the classes in the table's proportions: of each class within one row of its share, of all
// classes together within a few. Codes < 0 (missing) are a class of their own. Values that are all distinct
// give a random split.
std::vector<uint8_t> stratified_split(std::span<const int32_t> codes, const SplitShares& shares,
                                      uint64_t seed);

// The rows with the least values train, those with the greatest test; of equal ones the upper row is the
// earlier. Rows that are NaN train: they cannot be told to be new.
std::vector<uint8_t> ordered_split(std::span<const double> values, const SplitShares& shares);

// Where a row with this value belongs, whatever the other rows are: its CRC-32, put through MurmurHash3's
// finalizer, as a share of 2^32 lies in the first, second or third share. Models that were trained with this
// split count on it: another hash needs another name in the recipe.
Split hash_split(std::string_view value, const SplitShares& shares);

// All rows of one code go to one split; each split gets near its share of the rows. Groups of one size
// are dealt out at random. Codes < 0 (missing) are one group.
std::vector<uint8_t> group_split(std::span<const int32_t> codes, const SplitShares& shares, uint64_t seed);

// `count` of n rows, drawn without replacement, ascending.
std::vector<uint32_t> sample_rows(int64_t n, int64_t count, uint64_t seed);

// `rows` with each row of class c (class_of[row]) repeated until the class has wanted[c] of them, or drawn
// from without replacement where that is fewer. Ascending; a repeated row stands beside itself.
std::vector<uint32_t> resample(std::span<const uint32_t> rows, std::span<const int32_t> class_of,
                               std::span<const int64_t> wanted, uint64_t seed);

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
