#include "base/philox.h"

#include <gtest/gtest.h>

namespace shoestring {
namespace {

// Known answers of Philox4x32-10, from the authors' Random123 distribution (kat_vectors).
TEST(Philox, KnownAnswers) {
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}), (PhiloxBlock{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox4x32({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}),
            (PhiloxBlock{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (PhiloxBlock{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Philox, UniformIsIn01) {
  EXPECT_EQ(uniform01(0), 0.0f);
  EXPECT_LT(uniform01(0xffffffff), 1.0f);
  EXPECT_EQ(uniform01(0x80000000), 0.5f);
}

TEST(Philox, EveryCoordinateOfAStreamMatters) {
  const RandomStream base{.seed = 42, .stream = 1, .step = 2};
  const PhiloxBlock block = base.block(3, 4);
  EXPECT_EQ(block, base.block(3, 4));
  EXPECT_NE(block, base.block(4, 3));
  EXPECT_NE(block, (RandomStream{43, 1, 2}.block(3, 4)));
  EXPECT_NE(block, (RandomStream{42 + (uint64_t{1} << 32), 1, 2}.block(3, 4)));
  EXPECT_NE(block, (RandomStream{42, 2, 2}.block(3, 4)));
  EXPECT_NE(block, (RandomStream{42, 1, 3}.block(3, 4)));
}

TEST(Philox, SequenceIsTheStreamsBlocks) {
  Philox random(42, 9);
  const RandomStream stream{.seed = 42, .stream = 9};
  for (uint32_t block = 0; block < 3; ++block)
    for (uint32_t word : stream.block(0, block)) EXPECT_EQ(random.next(), word);
}

TEST(Philox, BelowIsInRangeAndEven) {
  Philox random(1, 1);
  for (uint32_t n : {1u, 2u, 3u, 10u}) {
    std::array<int, 10> count{};
    for (int i = 0; i < 10000; ++i) {
      const uint32_t x = random.below(n);
      ASSERT_LT(x, n);
      ++count[x];
    }
    for (uint32_t k = 0; k < n; ++k) EXPECT_NEAR(count[k], 10000.0 / n, 5 * std::sqrt(10000.0 / n));
  }
  EXPECT_LT(random.below(0x80000001u), 0x80000001u);  // where rejection is likeliest
}

}  // namespace
}  // namespace shoestring
