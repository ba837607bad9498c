// Tables that are made up: columns of any type, targets that can be learned from them, as many rows as
// wanted.
//
// A cell is a function of (seed, row, column) alone, so neither the number of rows nor that of threads
// changes one. A target is a random network of the other columns (16 units, one hidden layer; its weights
// come from the seed too) plus noise: what no model can learn is the share `noise` of its variance.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "data/output.h"
#include "data/row_text.h"

namespace shoestring::data {

struct SyntheticColumn {
  // split: 0, 1 or 2 in the shares 0.7, 0.1 and 0.2. A set has words once, a bag as often as it likes, both
  // parted by spaces, or by `between`; a vector is numbers parted by spaces.
  enum class Kind { number, binary, category, set, bag, vector, date, split };

  std::string name;
  Kind kind = Kind::number;
  bool is_target = false;                      // of a kind that can be one: all but bag, date and split
  double missing = 0;                          // the share of its cells that are empty
  std::optional<std::array<double, 2>> range;  // of a number: even between these; else bell-shaped, N(0, 1)
  int decimals = 4;                            // of a number or vector
  std::vector<std::string> words;              // of binary (false, true), category, set, bag: two or more
  double share_true = 0.5;                     // of binary
  int64_t most = 10;                           // words of a set or bag at most; numbers of a vector
  char between = ' ';                          // these
};

struct SyntheticTable {
  std::vector<SyntheticColumn> columns;
  double noise = 0.1;
};

inline constexpr int64_t kMostSyntheticRows = (int64_t{1} << 32) - 2;

// Writes the table, on all threads of the team, in constant memory. `stop` is asked now and then: then the
// answer is ErrorKind::interrupted. ErrorKind::usage where there are targets and nothing to make them from.
// Faults of the output come back as they are; output.finish() is the caller's.
Status synthesize(const SyntheticTable& table, uint64_t seed, int64_t rows, WriteKind kind, Output& output,
                  const std::function<bool()>& stop = {});

}  // namespace shoestring::data
