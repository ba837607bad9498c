#include "task/whitening.h"

#include <gtest/gtest.h>

#include <cmath>

namespace shoestring::task {
namespace {

// [[2, 1, 0], [1, 2, 1], [0, 1, 2]] has the eigenvalues 2 and 2 ± √2.
TEST(Eigen, OfAMatrixWithKnownValues) {
  const Eigen found = eigen({2, 1, 0, 1, 2, 1, 0, 1, 2}, 3);
  const double root = std::sqrt(2.0);
  EXPECT_NEAR(found.values[0], 2 + root, 1e-12);
  EXPECT_NEAR(found.values[1], 2, 1e-12);
  EXPECT_NEAR(found.values[2], 2 - root, 1e-12);
  // The vector of 2 + √2 is (1, √2, 1) / 2.
  const double sign = found.vectors[0] > 0 ? 1 : -1;
  EXPECT_NEAR(sign * found.vectors[0], 0.5, 1e-12);
  EXPECT_NEAR(sign * found.vectors[3], root / 2, 1e-12);
  EXPECT_NEAR(sign * found.vectors[6], 0.5, 1e-12);
}

TEST(Eigen, OfAMatrixThatIsDiagonalAlready) {
  const Eigen found = eigen({1, 0, 0, 3}, 2);
  EXPECT_EQ(found.values, (std::vector<double>{3, 1}));
}

// What the filters make of the patches they come from has variance 1 and no correlation.
TEST(Whitening, PatchesBecomeWhite) {
  constexpr int kSide = 40, kPictures = 8;
  const PictureFit fit{.height = kSide, .width = kSide, .channels = 1, .shift = {100}, .scale = {50}};
  std::vector<std::vector<uint8_t>> pictures(kPictures);
  unsigned state = 1;
  for (auto& picture : pictures) {
    double level = 100;
    for (int i = 0; i < kSide * kSide; ++i) {  // neighbours are alike
      state = state * 1664525u + 1013904223u;
      level = 0.7 * level + 0.3 * static_cast<double>(state >> 24);
      picture.push_back(static_cast<uint8_t>(level));
    }
  }
  std::vector<std::span<const uint8_t>> spans(pictures.begin(), pictures.end());
  const std::vector<double> filters = whitening_filters(spans, fit);
  ASSERT_EQ(filters.size(), 2u * 2 * 1 * 8);
  double moments[4][4] = {};
  int64_t patches = 0;
  for (const auto& picture : pictures)
    for (int y = 0; y + 1 < kSide; ++y)
      for (int x = 0; x + 1 < kSide; ++x, ++patches) {
        double out[4] = {};
        for (int tap = 0; tap < 4; ++tap)
          for (int k = 0; k < 4; ++k)
            out[k] += filters[static_cast<size_t>(tap * 8 + k)] *
                      (picture[static_cast<size_t>((y + tap / 2) * kSide + x + tap % 2)] - 100.0) / 50;
        for (int i = 0; i < 4; ++i)
          for (int j = 0; j < 4; ++j) moments[i][j] += out[i] * out[j];
      }
  for (int i = 0; i < 4; ++i)
    for (int j = 0; j < 4; ++j)
      EXPECT_NEAR(moments[i][j] / static_cast<double>(patches), i == j ? 1 : 0, 0.05) << i << " " << j;
  for (int tap = 0; tap < 4; ++tap)
    for (int k = 0; k < 4; ++k)
      EXPECT_EQ(filters[static_cast<size_t>(tap * 8 + k)], -filters[static_cast<size_t>(tap * 8 + 4 + k)]);
}

}  // namespace
}  // namespace shoestring::task
