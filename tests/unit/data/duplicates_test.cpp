#include "data/duplicates.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <numeric>
#include <set>

#include "base/philox.h"

namespace shoestring::data {
namespace {

constexpr PictureForm kForm{.height = 24, .width = 20, .channels = 3};

// Blobs of colour, different for each seed.
void draw(uint32_t seed, std::span<uint8_t> out) {
  Philox random(7, seed);
  double waves[12];
  for (double& wave : waves) wave = 1.0 + 5.0 * random.below(1000) / 1000.0;
  for (int64_t y = 0; y < kForm.height; ++y)
    for (int64_t x = 0; x < kForm.width; ++x)
      for (int64_t c = 0; c < 3; ++c) {
        const double u = static_cast<double>(x) / 20, v = static_cast<double>(y) / 24;
        const double value =
            std::sin(waves[c] * u + waves[c + 3]) * std::cos(waves[c + 6] * v + waves[c + 9]);
        out[static_cast<size_t>((y * kForm.width + x) * 3 + c)] = static_cast<uint8_t>(127 + 120 * value);
      }
}

struct Set {
  PixelRows pictures{kForm.bytes()};
  std::vector<uint32_t> training, test;
};

// 200 pictures to train on and 100 others, of which some are copies.
Set some_pictures() {
  Set set;
  set.pictures.append(300);
  set.training.resize(200);
  set.test.resize(100);
  std::iota(set.training.begin(), set.training.end(), 0u);
  std::iota(set.test.begin(), set.test.end(), 200u);
  for (uint32_t r = 0; r < 300; ++r) draw(r, set.pictures.row(r));
  return set;
}

TEST(Duplicates, ExactAndNear) {
  Set set = some_pictures();
  const auto copy = [&](uint32_t from, uint32_t to, int brighter, int noise) {
    Philox random(3, to);
    for (size_t i = 0; i < set.pictures.row(to).size(); ++i) {
      const int other = static_cast<int>(random.below(static_cast<uint32_t>(2 * noise + 1))) - noise;
      const int value = set.pictures.row(from)[i] + brighter + other;
      set.pictures.row(to)[i] = static_cast<uint8_t>(std::clamp(value, 0, 255));
    }
  };
  copy(17, 250, 0, 0);
  copy(3, 299, 0, 0);
  copy(40, 260, 0, 2);  // as saved again with losses
  copy(50, 270, 5, 1);  // and brighter
  const auto found = find_duplicates(set.pictures, kForm, set.training, set.test);
  EXPECT_TRUE(found.complete);
  EXPECT_EQ(found.exact, 2);
  EXPECT_EQ(found.near, 2);
  ASSERT_EQ(found.pairs.size(), 4u);
  const auto pair = [&](size_t i) {
    return std::tuple(found.pairs[i].row, found.pairs[i].of, found.pairs[i].exact);
  };
  EXPECT_EQ(pair(0), std::tuple(250u, 17u, true));
  EXPECT_EQ(pair(1), std::tuple(260u, 40u, false));
  EXPECT_EQ(pair(2), std::tuple(270u, 50u, false));
  EXPECT_EQ(pair(3), std::tuple(299u, 3u, true));
}

// Against every pair looked at.
TEST(Duplicates, FindsWhatComparingAllFinds) {
  std::vector<PictureLook> looks(3000);
  Philox random(11, 0);
  const auto word = [&] { return uint64_t{random.below(UINT32_MAX)} << 32 | random.below(UINT32_MAX); };
  for (size_t i = 0; i < looks.size(); ++i) {
    looks[i] = {word(), word(), 0};
    if (i < 2000) continue;
    looks[i].across = looks[i - 2000].across;  // up to 8 bits away from a training row
    for (uint32_t flips = random.below(9); flips > 0; --flips)
      looks[i].across ^= uint64_t{1} << random.below(64);
  }
  std::vector<uint32_t> training(2000), others(1000);
  std::iota(training.begin(), training.end(), 0u);
  std::iota(others.begin(), others.end(), 2000u);
  std::set<uint32_t> expected, got;
  for (const uint32_t row : others)
    for (const uint32_t of : training)
      if (std::popcount(looks[row].across ^ looks[of].across) <= kNearBits) expected.insert(row);
  for (const Duplicate& d :
       find_duplicates(looks, training, others, [](uint32_t, uint32_t) { return true; }).pairs)
    got.insert(d.row);
  EXPECT_GT(expected.size(), 300u);
  EXPECT_LT(expected.size(), 800u);
  EXPECT_EQ(got, expected);
}

TEST(Duplicates, NoneWhereNoneAre) {
  Set set = some_pictures();
  std::ranges::fill(set.pictures.row(10), uint8_t{9});  // of one colour, as what stands for a missing one
  std::ranges::fill(set.pictures.row(210), uint8_t{9});
  const auto found = find_duplicates(set.pictures, kForm, set.training, set.test);
  EXPECT_EQ(found.pairs.size(), 0u);
  EXPECT_EQ(find_duplicates(set.pictures, kForm, {}, set.test).pairs.size(), 0u);
  EXPECT_EQ(find_duplicates(set.pictures, kForm, set.training, {}).pairs.size(), 0u);
}

}  // namespace
}  // namespace shoestring::data
