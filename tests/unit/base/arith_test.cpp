#include "base/arith.h"

#include <gtest/gtest.h>

#include <limits>

namespace shoestring {
namespace {

constexpr int64_t kMax = std::numeric_limits<int64_t>::max(), kMin = std::numeric_limits<int64_t>::min();

TEST(Arith, ProductsThatFit) {
  EXPECT_EQ(checked_mul(3, -4), -12);
  EXPECT_EQ(checked_mul(kMax, 1), kMax);
  EXPECT_EQ(checked_mul(kMax, 0), 0);
  EXPECT_EQ(checked_mul(int64_t{1} << 31, int64_t{1} << 31), int64_t{1} << 62);
}
TEST(Arith, ProductsThatDoNot) {
  EXPECT_FALSE(checked_mul(kMax, 2));
  EXPECT_FALSE(checked_mul(kMin, -1));
  EXPECT_FALSE(checked_mul(int64_t{1} << 32, int64_t{1} << 31));
}
TEST(Arith, Sums) {
  EXPECT_EQ(checked_add(kMax, -1), kMax - 1);
  EXPECT_FALSE(checked_add(kMax, 1));
  EXPECT_FALSE(checked_add(kMin, -1));
}
TEST(Arith, RoundUp) {
  EXPECT_EQ(round_up(0, 64), 0);
  EXPECT_EQ(round_up(1, 64), 64);
  EXPECT_EQ(round_up(64, 64), 64);
  EXPECT_EQ(round_up(65, 64), 128);
}

}  // namespace
}  // namespace shoestring
