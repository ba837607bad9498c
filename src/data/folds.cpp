#include "data/folds.h"

#include <algorithm>

#include "data/by_code.h"

namespace shoestring::data {
namespace {

// Streams of their own: the folds are one for all of them, what validates is drawn for each.
constexpr uint32_t kFoldStream = 0x666F6C64, kValidationStream = 0x66760000;

Philox validation_draws(const Fold& fold, uint64_t seed) {
  return {seed, kValidationStream + static_cast<uint32_t>(fold.fold)};
}

}  // namespace

std::vector<uint8_t> stratified_fold(std::span<const int32_t> codes, const Fold& fold, uint64_t seed) {
  std::vector<uint8_t> splits(codes.size(), kTrain);
  RowsByCode classes(codes);
  Philox dealer(seed, kFoldStream), draw = validation_draws(fold, seed);
  int64_t next = 0;   // the fold of the next row: it goes on from class to class
  double wanted = 0;  // rows to validate, as far as they were not taken yet
  for (const uint32_t c : shuffled_groups(classes, dealer)) {
    shuffle(classes[c], dealer);
    std::vector<uint32_t> others;
    for (const uint32_t row : classes[c]) {
      if (next == fold.fold - 1)
        splits[row] = kTest;
      else
        others.push_back(row);
      next = (next + 1) % fold.folds;
    }
    shuffle(std::span(others), draw);
    wanted += fold.validation_share * static_cast<double>(others.size());
    const auto taken = std::min(static_cast<size_t>(std::max(wanted + 0.5, 0.0)), others.size());
    wanted -= static_cast<double>(taken);
    for (size_t i = 0; i < taken; ++i) splits[others[i]] = kValidation;
  }
  return splits;
}

std::vector<uint8_t> grouped_fold(std::span<const int32_t> codes, const Fold& fold, uint64_t seed) {
  std::vector<uint8_t> splits(codes.size(), kTrain);
  RowsByCode groups(codes);
  Philox dealer(seed, kFoldStream), draw = validation_draws(fold, seed);
  auto order = shuffled_groups(groups, dealer);
  std::stable_sort(order.begin(), order.end(),
                   [&](uint32_t a, uint32_t b) { return groups[a].size() > groups[b].size(); });
  std::vector<size_t> sizes(static_cast<size_t>(fold.folds));
  std::vector<uint32_t> others;
  size_t left = 0;
  for (const uint32_t g : order) {
    const auto smallest = std::min_element(sizes.begin(), sizes.end());
    *smallest += groups[g].size();
    if (smallest - sizes.begin() != fold.fold - 1) {
      others.push_back(g);
      left += groups[g].size();
      continue;
    }
    for (const uint32_t row : groups[g]) splits[row] = kTest;
  }
  shuffle(std::span(others), draw);
  double wanted = fold.validation_share * static_cast<double>(left);
  for (const uint32_t g : others) {  // those that bring it nearer
    if (others.size() < 2 || static_cast<double>(groups[g].size()) > 2 * wanted) continue;
    wanted -= static_cast<double>(groups[g].size());
    for (const uint32_t row : groups[g]) splits[row] = kValidation;
  }
  return splits;
}

int64_t count_groups(std::span<const int32_t> codes) {
  return static_cast<int64_t>(RowsByCode(codes).size());
}

}  // namespace shoestring::data
