// What a table's columns are: one streaming pass that sums each of them up, and the rules that read a
// type, an ID or a leak from the sums. `train --target` without a recipe and `profile` rest on it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "data/table.h"

namespace shoestring::data {

struct ValueCount {
  std::string value;
  int64_t count;
};

struct ColumnSummary {
  std::string name;
  int64_t rows = 0;
  int64_t missing = 0;
  // Over the cells that are not missing.
  int64_t numbers = 0;                   // parse_number accepts
  int64_t integers = 0;                  // numbers without a fraction
  int64_t truths = 0;                    // parse_binary accepts
  int64_t dates = 0;                     // look like a date or a time
  int64_t vectors = 0, vector_size = 0;  // lists of so many numbers, as the first such list has
  int64_t word_lists = 0;                // lists of words as JSON or Python writes them
  // No numbers here, but elsewhere: "3,14", "90,123" (which may be a decimal comma as well), "5.2%",
  // "$1,200".
  int64_t decimal_commas = 0, thousands = 0, percents = 0, amounts = 0;
  std::string first_word;                                    // the first value that is no number
  double minimum = 0, maximum = 0, mean = 0, deviation = 0;  // of the numbers; population deviation (Welford)
  int64_t distinct = 0;  // exact up to kDistinctCap (fewer in very wide tables), then an estimate within 5 %
  bool distinct_exact = true;
  bool all_distinct = false;    // no value twice (beyond the cap: as far as the estimate tells)
  bool increasing = false;      // numbers, each larger than the one before
  std::vector<ValueCount> top;  // the most frequent first, at most kTopValues; ties in order of appearance
  double mean_length = 0;       // bytes
  double mean_words = 0;
  int64_t max_length = 0;

  int64_t present() const { return rows - missing; }
};

inline constexpr int64_t kDistinctCap = 10'000;
inline constexpr int64_t kProfileBytes = 128 << 20;
inline constexpr int kTopValues = 20;

enum class ColumnType { number, binary, category, text, date, vector, set };
std::string_view word(ColumnType type);  // "number", …

enum class Role { input, target };

// What a column is taken for, and why, in words a user reads.
struct Inference {
  ColumnType type = ColumnType::category;
  std::string reason;     // "9 distinct values in 32,561 rows"
  std::string leave_out;  // "" to use it; else why not: "no values", "constant", "an ID: …"
  std::string
      doubt;  // what else a category looks like: "numbers with a decimal comma ('3,14'): write a point"
};

// The rules, in order (n: cells that are not missing, d: distinct values); the thresholds stand in
// kRules. A target is never left out; its faults (no values, one class) are the caller's errors.
//
//   n = 0                                            leave out: no value in any row
//   d = 1                                            leave out: constant
//   d = 2, of whatever spelling                      binary
//   all spell true or false, not all are numbers     binary (yes, Yes, no)
//   >= 95 % dates, not numbers                       date
//   >= 95 % lists of as many numbers                 vector
//   >= 95 % lists of words in brackets               set
//   >= 95 % numbers:
//     input, all distinct integers that increase by row              leave out: an ID
//     input, integers named like an ID, d >= 0.5 n and n >= 20       leave out: an ID
//     integers, d <= 10 and, as an input, n >= 25 d  category (class codes)
//     else                                           number
//   d > n / 20, and words >= 4 on average or length > 50      text
//   input, d >= 0.95 n and n >= 20                   leave out: an ID
//   input, d >= 0.5 n and n >= 100                   leave out: hardly a value occurs twice
//   else                                             category
Inference infer_type(const ColumnSummary& column, Role role);

// What a column looks like that is not read as numbers but seems to hold some: "numbers with a decimal comma
// ('3,14'): write a point". "" if it does not.
std::string almost_numbers(const ColumnSummary& column);

struct Rules {
  double almost = 0.5;         // share of numbers from which a column seems to be meant as some
  double mostly = 0.95;        // share that makes a column numbers or dates: beyond are bad cells
  int64_t class_codes = 10;    // integers with at most so many values are codes
  int64_t rows_per_code = 25;  // and, as an input, at least so many rows each
  double near_unique = 0.95;   // distinct / present of an ID
  int64_t id_rows = 20;        // fewer rows never make an ID
  double mostly_unique = 0.5;  // distinct / present of a category that says nothing about new rows
  int64_t mostly_unique_rows = 100;
  double text_words = 4, text_length = 50, text_distinct = 0.05;
  double leak_correlation = 0.999;  // |r| with a numeric target
  double leak_auc = 0.9999;         // of a number for a binary target, either way round
  double leak_purity = 0.999;       // rows whose value goes with one value of the target
  int64_t leak_rows = 100;          // fewer rows never show a leak
  int64_t leak_class_rows = 10;     // in values seen twice, of each of two classes at least
};
inline constexpr Rules kRules;

// A column that gives the target away.
struct Leak {
  int column;
  std::string reason;  // "each of its 2 values goes with one value of 'survived' (891 rows)"
};

struct TableProfile {
  int64_t rows = 0;
  std::vector<ColumnSummary> columns;  // in the table's order
  std::vector<Leak> leaks;             // for the target given; found on a sample of at most 8,192 rows
  int64_t memory_bytes = 0;            // what the pass held at its peak
};

// Reads the table to its end. With a target, looks for leaks too; a target that the table lacks is an
// error that names the nearest column. Stops early with a data error on what the reader reports. Within
// `most_bytes` as far as a few KiB a column allow: with less of it values are counted exactly up to fewer,
// and leaks looked for in a smaller sample.
Result<TableProfile> profile_table(TableReader& reader, std::optional<std::string> target = {},
                                   int64_t most_bytes = kProfileBytes);

}  // namespace shoestring::data
