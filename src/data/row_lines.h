// From row numbers to lines of the file. Rows are usually one line each, so what is kept is where that
// changes (a blank line, a quoted line break, a row that was left out), up to a bound.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace shoestring::data {

class RowLines {
 public:
  // Tells that the next row begins at `line`.
  void add(int64_t line) {
    if (line - rows_ != shift_ && changes_.size() < kMostChanges) {
      shift_ = line - rows_;
      changes_.emplace_back(rows_, shift_);
    }
    ++rows_;
  }
  int64_t rows() const { return rows_; }
  int64_t line_of(int64_t row) const {
    int64_t shift = changes_.empty() ? 1 : changes_.front().second;
    for (const auto& [from, s] : changes_) {
      if (from > row) break;
      shift = s;
    }
    return row + shift;
  }

 private:
  static constexpr size_t kMostChanges = 1 << 16;  // 1 MiB; beyond, lines are those of single-line rows
  int64_t rows_ = 0, shift_ = 0;
  std::vector<std::pair<int64_t, int64_t>> changes_;  // from this row on, line = row + shift
};

}  // namespace shoestring::data
