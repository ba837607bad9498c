#include "data/duplicates.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <numeric>
#include <optional>
#include <tuple>

#include "base/parallel.h"
#include "data/hash.h"

namespace shoestring::data {
namespace {

// Two that differ in four bits are equal in one of five parts of them.
constexpr size_t kParts = kNearBits + 1;

constexpr int64_t kPixelsCount = 100;  // comparisons of shapes, for one of pixels

// Shapes with their bits in another order, so that each part gets as many that tell pictures apart: bits that
// are nearly always the same (a black border) would make the parts that they fill useless.
class EvenParts {
 public:
  EvenParts(std::span<const PictureLook> looks, std::span<const uint32_t> rows) {
    std::array<int64_t, 64> ones{};
    for (const uint32_t row : rows)
      for (size_t b = 0; b < 64; ++b) ones[b] += looks[row].across >> b & 1;
    const auto all = static_cast<int64_t>(rows.size());
    std::iota(bits_.begin(), bits_.end(), uint8_t{0});
    const auto one_sided = [&](uint8_t bit) { return std::abs(2 * ones[bit] - all); };
    std::stable_sort(bits_.begin(), bits_.end(),
                     [&](uint8_t a, uint8_t b) { return one_sided(a) < one_sided(b); });
  }
  // The bits of part p: those of ranks p, p + kParts, ...
  uint32_t part(uint64_t shape, size_t p) const {
    uint32_t value = 0;
    for (size_t rank = p; rank < 64; rank += kParts)
      value = value << 1 | static_cast<uint32_t>(shape >> bits_[rank] & 1);
    return value;
  }

 private:
  std::array<uint8_t, 64> bits_;  // the most telling first
};

// The training rows by one part of their looks: those of a value stand together.
class Bucketed {
 public:
  Bucketed(std::span<const PictureLook> looks, std::span<const uint32_t> rows, const EvenParts& parts,
           size_t part)
      : begins_((size_t{1} << ((64 + kParts - 1) / kParts)) + 1), rows_(rows.size()) {
    const auto value_of = [&](uint32_t row) { return parts.part(looks[row].across, part); };
    for (const uint32_t row : rows) ++begins_[value_of(row) + 1];
    for (size_t b = 1; b < begins_.size(); ++b) begins_[b] += begins_[b - 1];
    auto next = begins_;
    for (const uint32_t row : rows) rows_[next[value_of(row)]++] = row;
  }
  std::span<const uint32_t> of(uint32_t value) const {
    return std::span(rows_).subspan(begins_[value], begins_[value + 1] - begins_[value]);
  }

 private:
  std::vector<size_t> begins_;
  std::vector<uint32_t> rows_;
};

// The training row with the same pixels.
class ExactRows {
 public:
  ExactRows(std::span<const PictureLook> looks, std::span<const uint32_t> rows)
      : looks_(looks), rows_(rows.begin(), rows.end()) {
    std::sort(rows_.begin(), rows_.end(), [&](uint32_t a, uint32_t b) {
      return std::tie(looks[a].exact, a) < std::tie(looks[b].exact, b);
    });
  }
  std::optional<uint32_t> of(uint64_t exact) const {
    const auto at = std::lower_bound(rows_.begin(), rows_.end(), exact,
                                     [&](uint32_t row, uint64_t hash) { return looks_[row].exact < hash; });
    if (at == rows_.end() || looks_[*at].exact != exact) return {};
    return *at;
  }

 private:
  std::span<const PictureLook> looks_;
  std::vector<uint32_t> rows_;
};

std::optional<uint32_t> near_one(std::span<const PictureLook> looks, uint32_t row,
                                 std::span<const uint32_t> rows, int64_t& left,
                                 const std::function<bool(uint32_t, uint32_t)>& same) {
  left -= static_cast<int64_t>(rows.size());
  const PictureLook& look = looks[row];
  for (const uint32_t other : rows) {
    if (left < 0) break;
    if (std::popcount(look.across ^ looks[other].across) > kNearBits ||
        std::popcount(look.down ^ looks[other].down) > kNearBits)
      continue;
    left -= kPixelsCount;
    if (same(row, other)) return other;
  }
  return {};
}

// Pictures of one colour, as those that stand for missing ones, are no copies of each other.
bool has_shape(const PictureLook& look) { return (look.across | look.down) != 0; }

std::vector<uint32_t> with_shape(std::span<const PictureLook> looks, std::span<const uint32_t> rows) {
  std::vector<uint32_t> out;
  for (const uint32_t row : rows)
    if (has_shape(looks[row])) out.push_back(row);
  return out;
}

bool look_alike(std::span<const uint8_t> a, std::span<const uint8_t> b) {
  int64_t sum_a = 0, sum_b = 0, aa = 0, bb = 0, ab = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const int x = a[i], y = b[i];
    sum_a += x;
    sum_b += y;
    aa += x * x;
    bb += y * y;
    ab += x * y;
  }
  const auto n = static_cast<double>(a.size());
  const auto covariance = [n](int64_t product, int64_t x, int64_t y) {
    return static_cast<double>(product) - static_cast<double>(x) * static_cast<double>(y) / n;
  };
  const double spread = covariance(aa, sum_a, sum_a) * covariance(bb, sum_b, sum_b);
  return spread > 0 && covariance(ab, sum_a, sum_b) >= kNearCorrelation * std::sqrt(spread);
}

}  // namespace

PictureLook look_of(std::span<const uint8_t> pixels, const PictureForm& form, PictureRoom& room) {
  PictureLook look{.exact = hash_text({reinterpret_cast<const char*>(pixels.data()), pixels.size()})};
  std::array<uint8_t, 72> grey;
  const auto shrink = [&](int64_t height, int64_t width) {
    (void)fit_into({pixels, form.height, form.width, form.channels},
                   {.height = height, .width = width, .channels = 1}, grey, room);
  };
  shrink(8, 9);
  for (size_t y = 0; y < 8; ++y)
    for (size_t x = 0; x < 8; ++x)
      look.across = look.across << 1 | (grey[9 * y + x] < grey[9 * y + x + 1] ? 1 : 0);
  shrink(9, 8);
  for (size_t i = 0; i < 64; ++i) look.down = look.down << 1 | (grey[i] < grey[i + 8] ? 1 : 0);
  return look;
}

Duplicates find_duplicates(std::span<const PictureLook> looks, std::span<const uint32_t> training,
                           std::span<const uint32_t> others,
                           const std::function<bool(uint32_t, uint32_t)>& same) {
  Duplicates found;
  const std::vector<uint32_t> seen = with_shape(looks, training);
  std::vector<uint32_t> open = with_shape(looks, others);  // rows that nothing was found for yet
  {
    const ExactRows exact(looks, seen);
    std::erase_if(open, [&](uint32_t row) {
      const auto twin = exact.of(looks[row].exact);
      if (twin) found.pairs.push_back({row, *twin, true});
      return twin.has_value();
    });
  }
  found.exact = static_cast<int64_t>(found.pairs.size());
  int64_t left = kMostComparisons;
  const EvenParts parts(looks, seen);
  for (size_t p = 0; p < kParts && !open.empty() && left >= 0; ++p) {
    const Bucketed buckets(looks, seen, parts, p);
    std::erase_if(open, [&](uint32_t row) {
      const auto twin = near_one(looks, row, buckets.of(parts.part(looks[row].across, p)), left, same);
      if (twin) found.pairs.push_back({row, *twin, false});
      return twin.has_value();
    });
  }
  found.complete = left >= 0;
  found.near = static_cast<int64_t>(found.pairs.size()) - found.exact;
  std::sort(found.pairs.begin(), found.pairs.end(),
            [](const Duplicate& a, const Duplicate& b) { return a.row < b.row; });
  return found;
}

Duplicates find_duplicates(const PixelRows& pictures, const PictureForm& form,
                           std::span<const uint32_t> training, std::span<const uint32_t> others) {
  std::vector<PictureLook> looks(static_cast<size_t>(pictures.rows()));
  parallel([&](int thread, int threads) {
    PictureRoom room;
    const Share share = share_of(pictures.rows(), thread, threads);
    for (int64_t r = share.begin; r < share.end; ++r)
      looks[static_cast<size_t>(r)] = look_of(pictures.row(r), form, room);
  });
  return find_duplicates(looks, training, others, [&](uint32_t row, uint32_t of) {
    return look_alike(pictures.row(row), pictures.row(of));
  });
}

}  // namespace shoestring::data
