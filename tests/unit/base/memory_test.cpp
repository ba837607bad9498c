#include "base/memory.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace shoestring {
namespace {

TEST(Block, IsAlignedAndZero) {
  for (const int64_t bytes : {1, 63, 4096, 5000000}) {
    const Result<Block> block = Block::reserve(bytes);
    ASSERT_TRUE(block);
    EXPECT_EQ(block->bytes(), bytes);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(block->data()) % kAlignment, 0u);
    EXPECT_TRUE(
        std::all_of(block->data(), block->data() + bytes, [](std::byte b) { return b == std::byte{0}; }));
  }
}

TEST(Block, OfNothing) {
  const Result<Block> block = Block::reserve(0);
  ASSERT_TRUE(block);
  EXPECT_EQ(block->bytes(), 0);
}

TEST(Block, MovesItsMemory) {
  Result<Block> a = Block::reserve(100);
  ASSERT_TRUE(a);
  std::byte* data = a->data();
  Block b = std::move(*a);
  EXPECT_EQ(b.data(), data);
  EXPECT_EQ(a->data(), nullptr);
  Block c;
  c = std::move(b);
  EXPECT_EQ(c.data(), data);
}

TEST(Block, TouchedMemoryIsResident) {
  const int64_t before = resident_bytes();
  const Result<Block> block = Block::reserve(int64_t{32} << 20);
  ASSERT_TRUE(block);
  EXPECT_GE(resident_bytes() - before, int64_t{31} << 20);
  EXPECT_GE(peak_resident_bytes(), resident_bytes() - (int64_t{1} << 20));
}

// What the kernel would not grant, and what it would grant and then kill for.
TEST(Block, MoreThanThereIsFails) {
  const int64_t available = available_bytes();
  ASSERT_LT(available, INT64_MAX);
  for (const int64_t bytes : {int64_t{1} << 60, 2 * available}) {
    const Result<Block> block = Block::reserve(bytes, false);
    ASSERT_FALSE(block);
    EXPECT_EQ(block.error().kind, ErrorKind::machine);
    EXPECT_EQ(block.error().fix, "use a smaller batch_size or model, or free memory");
  }
}

}  // namespace
}  // namespace shoestring
