// What splits and folds are dealt from: the rows of a table sorted by a code, and shuffles.
#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include "base/philox.h"

namespace shoestring::data {

// A uniform permutation.
template <class T>
void shuffle(std::span<T> items, Philox& random) {
  for (size_t i = items.size(); i > 1; --i)
    std::swap(items[i - 1], items[random.below(static_cast<uint32_t>(i))]);
}

// Groups of rows that have a code in common; codes below 0 (missing) are one group, the first. Groups are in
// the order of their codes, rows within one in the table's order; a code without rows is no group.
class RowsByCode {
 public:
  explicit RowsByCode(std::span<const int32_t> codes) : rows_(codes.size()) {
    const int32_t highest = codes.empty() ? -1 : *std::max_element(codes.begin(), codes.end());
    const auto place = [](int32_t code) { return static_cast<size_t>(std::max(code, -1) + 1); };
    begin_.resize(place(highest) + 2);
    for (const int32_t code : codes) ++begin_[place(code) + 1];
    std::partial_sum(begin_.begin(), begin_.end(), begin_.begin());
    std::vector<uint32_t> next(begin_.begin(), begin_.end() - 1);
    for (size_t row = 0; row < codes.size(); ++row)
      rows_[next[place(codes[row])]++] = static_cast<uint32_t>(row);
    begin_.erase(std::unique(begin_.begin(), begin_.end()), begin_.end());
  }

  size_t size() const { return begin_.size() - 1; }
  std::span<uint32_t> operator[](size_t group) {
    return std::span(rows_).subspan(begin_[group], begin_[group + 1] - begin_[group]);
  }

 private:
  std::vector<uint32_t> rows_, begin_;
};

// The numbers of the groups in a random order.
inline std::vector<uint32_t> shuffled_groups(const RowsByCode& groups, Philox& random) {
  std::vector<uint32_t> order(groups.size());
  std::iota(order.begin(), order.end(), 0u);
  shuffle(std::span(order), random);
  return order;
}

}  // namespace shoestring::data
