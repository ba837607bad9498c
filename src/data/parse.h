// From text cells to numbers, codes and truth values. Strict: the whole trimmed cell must be the value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "data/batch.h"
#include "data/table.h"

namespace shoestring::data {

// A finite decimal number: "5", "-1.5", "+2", ".5", "1e-3". Not: "1,234", "0x1F", "inf", "5 kg", "1e999".
std::optional<double> parse_number(std::string_view trimmed);

// yes y true t 1 1.0 / no n false f 0 0.0 -1 -1.0, whatever the case. Nothing for other words.
std::optional<bool> parse_binary(std::string_view trimmed);

// Cells of a column that could not be read; they became missing values.
struct BadCells {
  int64_t count = 0;
  int64_t first_row = -1;  // in the table
  std::string first_value;
  // What is wrong with the first few, where the cell alone does not tell: "cats/3.jpg: the JPEG ends early".
  static constexpr size_t kMostReasons = 10;
  std::vector<std::string> reasons = {};

  void add(int64_t row, std::string_view value);
};

// Appends a value per row of the column: NaN where it is missing or bad.
void append_numbers(const TextColumn& column, int64_t first_row, std::vector<double>& out, BadCells& bad);

// Above the tolerance (a share of the `rows` of the column) an error with line and value; else ok.
// `word` is what was wanted: "a number", "0, 1 or 2".
Status check_bad_cells(const BadCells& bad, int64_t rows, double tolerance, std::string_view column,
                       std::string_view word, TableReader& reader);

inline constexpr int32_t kMissingCode = -1;

// The distinct values of a text column, numbered in the order they first appear, with their counts.
// Bounded: once `max_values` or `max_bytes` would be exceeded it is full() and new values get
// kMissingCode without being counted.
class Dictionary {
 public:
  explicit Dictionary(int64_t max_values = 1 << 20, int64_t max_bytes = 64 << 20);

  int32_t add(std::string_view value);         // its code; counts it
  int32_t find(std::string_view value) const;  // its code, or kMissingCode
  int32_t size() const { return static_cast<int32_t>(counts_.size()); }
  std::string_view value(int32_t code) const {
    return {text_.data() + ends_[code], static_cast<size_t>(ends_[code + 1] - ends_[code])};
  }
  int64_t count(int32_t code) const { return counts_[code]; }
  bool full() const { return full_; }
  int64_t bytes() const;

 private:
  size_t slot(std::string_view value, uint64_t hash) const;
  void grow();

  int64_t max_values_, max_bytes_;
  bool full_ = false;
  std::string text_;
  std::vector<int64_t> ends_{0};
  std::vector<int64_t> counts_;
  std::vector<uint64_t> slots_;  // upper half: hash, lower half: code + 1; 0 is free
};

// Appends a code per row, kMissingCode where the cell is missing.
void append_codes(const TextColumn& column, Dictionary& dictionary, std::vector<int32_t>& out);

}  // namespace shoestring::data
