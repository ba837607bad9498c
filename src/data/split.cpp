#include "data/split.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "base/philox.h"
#include "data/parse.h"

namespace shoestring::data {
namespace {

// Streams of the generator. A graph's random nodes count from 0 up; these stand at the other end.
constexpr uint32_t kSplitStream = 0xFFFFFF00;
constexpr uint32_t kOrderStream = 0xFFFFFF01;

void shuffle(std::span<uint32_t> items, Philox& random) {
  for (size_t i = items.size(); i > 1; --i) {
    std::swap(items[i - 1], items[random.below(static_cast<uint32_t>(i))]);
  }
}

// How many of n rows each split takes: the shares' floors, what is left to the largest remainders.
std::array<int64_t, 3> counts_of(int64_t n, const SplitShares& shares) {
  const std::array<double, 3> share{shares.train, shares.validation, shares.test};
  std::array<int64_t, 3> count;
  std::array<double, 3> remainder;
  for (int s = 0; s < 3; ++s) {
    // A share such as 0.7 is a little less or more than it says: 0.7 * 10 must be 7.
    const double exact = share[s] * static_cast<double>(n);
    count[s] = static_cast<int64_t>(std::floor(exact + 1e-9 * static_cast<double>(n)));
    remainder[s] = exact - static_cast<double>(count[s]);
  }
  while (count[0] + count[1] + count[2] < n) {
    const auto s = std::max_element(remainder.begin(), remainder.end()) - remainder.begin();
    ++count[s];
    remainder[s] -= 1;
  }
  while (count[0] + count[1] + count[2] > n) --*std::max_element(count.begin(), count.end());
  return count;
}

// Deals the rows, which are shuffled first, to the splits.
void deal(std::span<uint32_t> rows, const SplitShares& shares, Philox& random, std::vector<uint8_t>& splits) {
  shuffle(rows, random);
  const auto counts = counts_of(static_cast<int64_t>(rows.size()), shares);
  size_t next = 0;
  for (uint8_t s = 0; s < 3; ++s) {
    for (int64_t i = 0; i < counts[s]; ++i) splits[rows[next++]] = s;
  }
}

}  // namespace

Status check(const SplitShares& shares) {
  const bool finite =
      std::isfinite(shares.train) && std::isfinite(shares.validation) && std::isfinite(shares.test);
  if (!finite || shares.train <= 0 || shares.validation < 0 || shares.test < 0 ||
      std::abs(shares.train + shares.validation + shares.test - 1) > 1e-6) {
    return fail(
        ErrorKind::usage,
        fmt::format("the shares {}, {}, {} are no split", shares.train, shares.validation, shares.test), {},
        "give three numbers that are not negative and add up to 1, the first above 0, as [0.7, 0.1, 0.2]");
  }
  return {};
}

std::vector<uint8_t> random_split(int64_t rows, const SplitShares& shares, uint64_t seed) {
  std::vector<uint8_t> splits(static_cast<size_t>(rows));
  std::vector<uint32_t> order(static_cast<size_t>(rows));
  std::iota(order.begin(), order.end(), 0u);
  Philox random(seed, kSplitStream);
  deal(order, shares, random, splits);
  return splits;
}

std::vector<uint8_t> stratified_split(std::span<const int32_t> codes, const SplitShares& shares,
                                      uint64_t seed) {
  std::vector<uint8_t> splits(codes.size());
  // Rows in the order of their codes; within a code in the table's order.
  const int32_t highest = codes.empty() ? -1 : *std::max_element(codes.begin(), codes.end());
  std::vector<uint32_t> begin(static_cast<size_t>(highest) + 3);  // of class c + 1; class -1 is the missing
  const auto group = [](int32_t code) { return static_cast<size_t>(std::max(code, -1) + 1); };
  for (const int32_t code : codes) ++begin[group(code) + 1];
  std::partial_sum(begin.begin(), begin.end(), begin.begin());
  std::vector<uint32_t> rows(codes.size()), next(begin.begin(), begin.end() - 1);
  for (size_t r = 0; r < codes.size(); ++r) rows[next[group(codes[r])]++] = static_cast<uint32_t>(r);

  Philox random(seed, kSplitStream);
  for (size_t g = 0; g + 1 < begin.size(); ++g) {
    deal(std::span(rows).subspan(begin[g], begin[g + 1] - begin[g]), shares, random, splits);
  }
  return splits;
}

std::optional<FixedSplitError> append_fixed_split(const TextColumn& column, int64_t first_row,
                                                  std::vector<uint8_t>& out) {
  for (int64_t r = 0; r < column.rows(); ++r) {
    const std::string_view cell = column[r];
    const auto number = parse_number(cell);
    if (number && (*number == 0 || *number == 1 || *number == 2)) {
      out.push_back(static_cast<uint8_t>(*number));
    } else if (cell == "train" || cell == "training") {
      out.push_back(kTrain);
    } else if (cell == "validation" || cell == "val") {
      out.push_back(kValidation);
    } else if (cell == "test") {
      out.push_back(kTest);
    } else {
      return FixedSplitError{first_row + r, std::string(cell.substr(0, 80))};
    }
  }
  return std::nullopt;
}

std::vector<uint32_t> rows_of(std::span<const uint8_t> splits, Split split) {
  std::vector<uint32_t> rows;
  rows.reserve(static_cast<size_t>(std::count(splits.begin(), splits.end(), split)));
  for (size_t r = 0; r < splits.size(); ++r) {
    if (splits[r] == split) rows.push_back(static_cast<uint32_t>(r));
  }
  return rows;
}

void epoch_order(std::span<const uint32_t> rows, uint64_t seed, uint32_t epoch, std::span<uint32_t> out) {
  std::copy(rows.begin(), rows.end(), out.begin());
  // The epoch goes into the key: its own generator, whatever the others drew.
  const PhiloxBlock key = philox4x32({epoch, kOrderStream, 0, 0},
                                     {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)});
  Philox random(uint64_t{key[1]} << 32 | key[0], kOrderStream);
  shuffle(out, random);
}

}  // namespace shoestring::data
