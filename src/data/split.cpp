#include "data/split.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/philox.h"
#include "data/hash.h"
#include "data/parse.h"

namespace shoestring::data {
namespace {

// Streams of the generator. A graph's random nodes count from 0 up; these stand at the other end.
constexpr uint32_t kSplitStream = 0xFFFFFF00;
constexpr uint32_t kOrderStream = 0xFFFFFF01;
constexpr uint32_t kSampleStream = 0xFFFFFF02;
constexpr uint32_t kResampleStream = 0xFFFFFF03;

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
  const double at = static_cast<double>(crc32_of(value)) * 0x1p-32;
  if (at < shares.train) return kTrain;
  return at < shares.train + shares.validation || shares.test == 0 ? kValidation : kTest;
}

std::vector<uint8_t> group_split(std::span<const int32_t> codes, const SplitShares& shares, uint64_t seed) {
  const int32_t highest = codes.empty() ? -1 : *std::max_element(codes.begin(), codes.end());
  std::vector<int64_t> sizes(static_cast<size_t>(highest) + 2);  // of code c - 1
  const auto group = [](int32_t code) { return static_cast<size_t>(std::max(code, -1) + 1); };
  for (const int32_t code : codes) ++sizes[group(code)];
  std::vector<uint32_t> order(sizes.size());
  std::iota(order.begin(), order.end(), 0u);
  Philox random(seed, kSplitStream);
  shuffle(order, random);
  // The large ones first, so that the small ones fill up what is left; those about as large as each other
  // in any order.
  const auto magnitude = [&](uint32_t g) { return std::bit_width(static_cast<uint64_t>(sizes[g])); };
  std::stable_sort(order.begin(), order.end(),
                   [&](uint32_t a, uint32_t b) { return magnitude(a) > magnitude(b); });

  const std::array<double, 3> share{shares.train, shares.validation, shares.test};
  std::array<double, 3> has{};
  std::vector<uint8_t> of_group(sizes.size());
  for (const uint32_t g : order) {
    const auto size = static_cast<double>(sizes[g]);
    // To the split where it adds least to the sum over the splits of (has - wanted)² / wanted.
    double least = std::numeric_limits<double>::infinity();
    for (uint8_t s = 0; s < 3; ++s) {
      const double wanted = share[s] * static_cast<double>(codes.size());
      if (wanted <= 0) continue;
      const double adds = size * (size + 2 * (has[s] - wanted)) / wanted;
      if (adds < least) least = adds, of_group[g] = s;
    }
    has[of_group[g]] += size;
  }
  std::vector<uint8_t> splits;
  splits.reserve(codes.size());
  for (const int32_t code : codes) splits.push_back(of_group[group(code)]);
  return splits;
}

std::vector<uint32_t> sample_rows(int64_t n, int64_t count, uint64_t seed) {
  std::vector<uint32_t> rows(static_cast<size_t>(n));
  std::iota(rows.begin(), rows.end(), 0u);
  if (count >= n) return rows;
  Philox random(seed, kSampleStream);
  shuffle(rows, random);
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
    shuffle(members, random);
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
