#include "data/split.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/philox.h"
#include "data/by_code.h"
#include "data/hash.h"
#include "data/parse.h"

namespace shoestring::data {
namespace {

// Streams of the generator. A graph's random nodes count from 0 up; these stand at the other end.
constexpr uint32_t kSplitStream = 0xFFFFFF00;
constexpr uint32_t kOrderStream = 0xFFFFFF01;
constexpr uint32_t kSampleStream = 0xFFFFFF02;
constexpr uint32_t kResampleStream = 0xFFFFFF03;
constexpr uint32_t kRowSplitStream = 0xFFFFFF04;

// How many rows each split has too few of, in what was dealt so far.
using Owed = std::array<double, 3>;

// How many of n rows each split takes: the shares' floors, and what is left to those that are owed most, one
// row each. So classes too small to be in every split make up for each other.
std::array<int64_t, 3> counts_of(int64_t n, const SplitShares& shares, Owed& owed) {
  const std::array<double, 3> share{shares.train, shares.validation, shares.test};
  std::array<int64_t, 3> count;
  int64_t left = n;
  for (size_t s = 0; s < 3; ++s) {
    // A share such as 0.7 is a little less or more than it says: 0.7 * 10 must be 7.
    const double exact = share[s] * static_cast<double>(n);
    count[s] = static_cast<int64_t>(std::floor(exact + 1e-9 * static_cast<double>(n)));
    owed[s] += exact - static_cast<double>(count[s]);
    left -= count[s];
  }
  std::array<double, 3> claim = owed;
  for (size_t s = 0; s < 3; ++s)
    if (share[s] <= 0) claim[s] = -std::numeric_limits<double>::infinity();
  for (; left > 0; --left) {
    const auto s = static_cast<size_t>(std::max_element(claim.begin(), claim.end()) - claim.begin());
    ++count[s];
    owed[s] -= 1;
    claim[s] = -std::numeric_limits<double>::infinity();
  }
  for (; left < 0; ++left) --*std::max_element(count.begin(), count.end());
  return count;
}
std::array<int64_t, 3> counts_of(int64_t n, const SplitShares& shares) {
  Owed owed{};
  return counts_of(n, shares, owed);
}

// MurmurHash3's finalizer: each bit of the sum tells on each of the result. CRC-32 is linear, and puts values
// that differ in a digit side by side.
uint32_t mixed(uint32_t x) {
  x = (x ^ (x >> 16)) * 0x85EBCA6Bu;
  x = (x ^ (x >> 13)) * 0xC2B2AE35u;
  return x ^ (x >> 16);
}

// The split in whose share of [0, 1) a number lies.
Split split_at(double at, const SplitShares& shares) {
  if (at < shares.train || shares.train >= 1) return kTrain;
  return at < shares.train + shares.validation || shares.test == 0 ? kValidation : kTest;
}

// Deals the rows, which are shuffled first, to the splits.
void deal(std::span<uint32_t> rows, const std::array<int64_t, 3>& counts, Philox& random,
          std::vector<uint8_t>& splits) {
  shuffle(rows, random);
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
  deal(order, counts_of(rows, shares), random, splits);
  return splits;
}

std::vector<uint8_t> stratified_split(std::span<const int32_t> codes, const SplitShares& shares,
                                      uint64_t seed) {
  std::vector<uint8_t> splits(codes.size());
  RowsByCode classes(codes);
  Philox random(seed, kSplitStream);
  Owed owed{};
  for (const uint32_t c : shuffled_groups(classes, random)) {
    const auto rows = classes[c];
    deal(rows, counts_of(static_cast<int64_t>(rows.size()), shares, owed), random, splits);
  }
  return splits;
}

std::vector<uint8_t> ordered_split(std::span<const double> values, const SplitShares& shares) {
  std::vector<uint8_t> splits(values.size(), kTrain);
  std::vector<uint32_t> order;
  for (size_t r = 0; r < values.size(); ++r)
    if (!std::isnan(values[r])) order.push_back(static_cast<uint32_t>(r));
  std::stable_sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return values[a] < values[b]; });
  const auto counts = counts_of(static_cast<int64_t>(order.size()), shares);
  size_t next = 0;
  for (uint8_t s = 0; s < 3; ++s)
    for (int64_t i = 0; i < counts[s]; ++i) splits[order[next++]] = s;
  return splits;
}

Split hash_split(std::string_view value, const SplitShares& shares) {
  return split_at(static_cast<double>(mixed(crc32_of(value))) * 0x1p-32, shares);
}

Split row_split(int64_t row, const SplitShares& shares, uint64_t seed) {
  const auto number = static_cast<uint64_t>(row);
  const PhiloxBlock draw =
      philox4x32({static_cast<uint32_t>(number), static_cast<uint32_t>(number >> 32), 0, kRowSplitStream},
                 {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)});
  return split_at(static_cast<double>(draw[0]) * 0x1p-32, shares);
}

std::vector<uint8_t> group_split(std::span<const int32_t> codes, const SplitShares& shares, uint64_t seed) {
  std::vector<uint8_t> splits(codes.size());
  RowsByCode groups(codes);
  Philox random(seed, kSplitStream);
  auto order = shuffled_groups(groups, random);
  // The large ones first, so that the small ones fill up what is left; those about as large as each other
  // in any order.
  const auto magnitude = [&](uint32_t g) { return std::bit_width(groups[g].size()); };
  std::stable_sort(order.begin(), order.end(),
                   [&](uint32_t a, uint32_t b) { return magnitude(a) > magnitude(b); });

  const std::array<double, 3> share{shares.train, shares.validation, shares.test};
  std::array<double, 3> has{};
  for (const uint32_t g : order) {
    const auto size = static_cast<double>(groups[g].size());
    // To the split where it adds least to the sum over the splits of (has - wanted)² / wanted.
    double least = std::numeric_limits<double>::infinity();
    uint8_t best = kTrain;
    for (uint8_t s = 0; s < 3; ++s) {
      const double wanted = share[s] * static_cast<double>(codes.size());
      if (wanted <= 0) continue;
      const double adds = size * (size + 2 * (has[s] - wanted)) / wanted;
      if (adds < least) least = adds, best = s;
    }
    has[best] += size;
    for (const uint32_t row : groups[g]) splits[row] = best;
  }
  return splits;
}

std::vector<uint32_t> sample_rows(int64_t n, int64_t count, uint64_t seed) {
  std::vector<uint32_t> rows(static_cast<size_t>(n));
  std::iota(rows.begin(), rows.end(), 0u);
  if (count >= n) return rows;
  Philox random(seed, kSampleStream);
  shuffle(std::span(rows), random);
  rows.resize(static_cast<size_t>(count));
  std::sort(rows.begin(), rows.end());
  return rows;
}

std::vector<uint32_t> resample(std::span<const uint32_t> rows, std::span<const int32_t> class_of,
                               std::span<const int64_t> wanted, uint64_t seed) {
  std::vector<std::vector<uint32_t>> of_class(wanted.size());
  std::vector<uint32_t> out;
  for (const uint32_t row : rows) {
    const int32_t c = class_of[row];
    if (c >= 0 && static_cast<size_t>(c) < wanted.size())
      of_class[static_cast<size_t>(c)].push_back(row);
    else
      out.push_back(row);
  }
  Philox random(seed, kResampleStream);
  for (size_t c = 0; c < wanted.size(); ++c) {
    auto& members = of_class[c];
    if (members.empty()) continue;
    shuffle(std::span(members), random);
    for (int64_t i = 0; i < wanted[c]; ++i) out.push_back(members[static_cast<size_t>(i) % members.size()]);
  }
  std::sort(out.begin(), out.end());
  return out;
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
