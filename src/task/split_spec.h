// How a recipe splits the rows of a table: preprocessing.split.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>

namespace shoestring::task {

// Shares of training, validation and test; they add up to 1.
using Probabilities = std::array<double, 3>;
inline constexpr Probabilities kProbabilities{0.7, 0.1, 0.2};

struct RandomSplit {
  Probabilities probabilities = kProbabilities;
  bool per_row = false;  // a row's number alone decides, so that the table need not be in memory
  bool operator==(const RandomSplit&) const = default;
};
struct FixedSplit {
  std::string column = "split";
  bool operator==(const FixedSplit&) const = default;
};  // 0, 1, 2
struct StratifySplit {
  std::string column;
  Probabilities probabilities = kProbabilities;
  bool operator==(const StratifySplit&) const = default;
};
// The oldest rows train, the newest test. A column of numbers is in the order of its numbers.
struct DatetimeSplit {
  std::string column;
  Probabilities probabilities = kProbabilities;
  std::optional<std::string> datetime_format;  // as strptime has it; absent: found by looking
  bool operator==(const DatetimeSplit&) const = default;
};
struct HashSplit {  // the value alone decides, by its hash
  std::string column;
  Probabilities probabilities = kProbabilities;
  bool operator==(const HashSplit&) const = default;
};
struct GroupSplit {  // rows with one value of the column are in one split
  std::string column;
  Probabilities probabilities = kProbabilities;
  bool operator==(const GroupSplit&) const = default;
};
// One fold of a cross-validation: `experiment --k_fold` runs them all.
struct FoldSplit {
  int64_t folds = 5, fold = 1;                 // how many, and which tests, from 1
  std::optional<std::string> stratify, group;  // a column; at most one of the two is set
  double validation_share = 0.125;             // of the rows that do not test
  bool operator==(const FoldSplit&) const = default;
};
using SplitSpec =
    std::variant<RandomSplit, FixedSplit, StratifySplit, DatetimeSplit, HashSplit, GroupSplit, FoldSplit>;

}  // namespace shoestring::task
