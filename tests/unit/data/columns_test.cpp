#include "data/columns.h"

#include <gtest/gtest.h>

#include <numeric>

#include "data/pixel_rows.h"

namespace shoestring::data {
namespace {

TEST(FloatRows, GatherEveryWidth) {
  for (const int width : {1, 2, 3, 5, 8, 9, 13, 16, 17, 108}) {
    FloatRows table(width, 50);
    table.append(20);
    table.append(30);
    EXPECT_EQ(table.rows(), 50);
    for (int c = 0; c < width; ++c) {
      float* column = table.column(c);
      for (int r = 0; r < 50; ++r) column[r * width] = static_cast<float>(r * 1000 + c);
    }
    const std::vector<uint32_t> rows{49, 0, 7, 7, 23, 48, 1, 2, 3, 4, 5, 6};
    std::vector<float> out(rows.size() * static_cast<size_t>(width) + 1, -1);
    table.gather(rows, out.data());
    for (size_t b = 0; b < rows.size(); ++b) {
      for (int c = 0; c < width; ++c) {
        ASSERT_EQ(out[b * static_cast<size_t>(width) + static_cast<size_t>(c)],
                  static_cast<float>(rows[b] * 1000 + c));
      }
    }
    EXPECT_EQ(out.back(), -1);
  }
}

TEST(FloatRows, GatherSomeColumnsWithAStride) {
  FloatRows table(10);
  table.append(4);
  std::iota(table.column(0), table.column(0) + 40, 0.0f);
  std::vector<float> out(2 * 12, -1);
  table.gather(std::vector<uint32_t>{3, 1}, 2, 7, out.data() + 1, 12);
  EXPECT_EQ(out[0], -1);
  EXPECT_EQ(out[1], 32);
  EXPECT_EQ(out[7], 38);
  EXPECT_EQ(out[8], -1);
  EXPECT_EQ(out[13], 12);
  EXPECT_EQ(table.bytes(), 160);
}

TEST(FloatRows, NoColumns) {
  FloatRows table(0);
  table.append(3);
  EXPECT_EQ(table.rows(), 3);
  table.gather(std::vector<uint32_t>{0, 2}, nullptr);
}

TEST(CodeColumn, NarrowestWidth) {
  for (const auto& [cardinality, bytes] :
       std::vector<std::pair<int64_t, int>>{{1, 1}, {256, 1}, {257, 2}, {65'536, 2}, {65'537, 4}}) {
    CodeColumn column(cardinality, 3);
    EXPECT_EQ(column.row_bytes(), bytes) << cardinality;
    const auto last = static_cast<int32_t>(cardinality - 1);
    column.append(std::vector<int32_t>{0, last, last / 2});
    EXPECT_EQ(column.rows(), 3);
    EXPECT_EQ(column.bytes(), 3 * bytes);
    EXPECT_EQ(column.at(1), last);
    std::vector<int32_t> out(4, -1);
    column.gather(std::vector<uint32_t>{1, 2}, out.data(), 2);
    EXPECT_EQ(out, (std::vector<int32_t>{last, -1, last / 2, -1}));
    std::vector<float> numbers(2);
    column.gather(std::vector<uint32_t>{1, 0}, numbers.data());
    EXPECT_EQ(numbers, (std::vector<float>{static_cast<float>(last), 0}));
  }
}

TEST(PixelRows, FilledGatheredPackedAndBack) {
  PixelRows pictures(6);
  pictures.append(5);
  ASSERT_EQ(pictures.rows(), 5);
  for (int64_t r = 0; r < 5; ++r)
    for (size_t i = 0; i < 6; ++i)
      pictures.row(r)[i] = static_cast<uint8_t>(10 * r + static_cast<int64_t>(i));
  std::vector<uint8_t> out(12);
  pictures.gather(std::vector<uint32_t>{4, 1}, out.data());
  EXPECT_EQ(out, (std::vector<uint8_t>{40, 41, 42, 43, 44, 45, 10, 11, 12, 13, 14, 15}));
  std::vector<std::byte> packed(2 * 8);
  pictures.pack(std::vector<uint32_t>{3, 0}, packed.data(), 8);
  PixelRows back(6);
  back.resize(3);
  back.unpack(packed.data(), 8, 1, 2);
  EXPECT_TRUE(std::ranges::equal(back.row(0), std::vector<uint8_t>(6)));
  EXPECT_TRUE(std::ranges::equal(back.row(1), pictures.row(3)));
  EXPECT_TRUE(std::ranges::equal(back.row(2), pictures.row(0)));
  PixelRows copy = pictures;
  pictures.row(2)[0] = 99;
  EXPECT_EQ(copy.row(2)[0], 20);
  copy = std::move(back);
  EXPECT_EQ(copy.rows(), 3);
  EXPECT_EQ(back.rows(), 0);
}

TEST(PixelRows, GrowInBlocks) {
  PixelRows pictures(3000);
  for (int64_t i = 0; i < 1000; ++i) {
    pictures.append(1);
    pictures.row(i)[2999] = static_cast<uint8_t>(i);
  }
  EXPECT_EQ(pictures.rows(), 1000);
  EXPECT_LE(pictures.bytes(), 3'000'000 + (1 << 20));
  for (int64_t i = 0; i < 1000; ++i) ASSERT_EQ(pictures.row(i)[2999], static_cast<uint8_t>(i));
  // What is given up comes back black.
  pictures.resize(10);
  pictures.resize(20);
  EXPECT_EQ(pictures.row(9)[2999], 9);
  EXPECT_EQ(pictures.row(15)[2999], 0);
}

}  // namespace
}  // namespace shoestring::data
