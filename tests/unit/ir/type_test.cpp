#include "ir/type.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

namespace shoestring {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
const double kNan = std::numeric_limits<double>::quiet_NaN();

double through(DType dtype, double x) {
  std::byte bytes[8];
  encode(dtype, &x, bytes, 1);
  double back;
  decode(dtype, bytes, &back, 1);
  return back;
}

TEST(Type, TextBothWays) {
  for (const char* text : {"f32[]", "f32[70,5]", "f64[0]", "bf16[1,2,3,4,5,6,7,8]", "f16[3]", "i8[2]",
                           "i16[2]", "i32[2]", "i64[2]", "u8[2]", "u16[2]"}) {
    const auto type = type_named(text);
    ASSERT_TRUE(type) << text;
    EXPECT_EQ(to_string(*type), text);
  }
}

TEST(Type, TextThatIsNone) {
  for (const char* text :
       {"", "f32", "f32[", "f32]", "[3]", "f33[3]", "f32[3,]", "f32[,3]", "f32[-1]", "f32[3 ]", "f32[3]x",
        "f32[a]", "f32[1.5]", "f32[1,1,1,1,1,1,1,1,1]", "f32[99999999999999999999]"})
    EXPECT_FALSE(type_named(text)) << text;
}

TEST(Type, SizesThatOverflowAreNoType) {
  EXPECT_FALSE(type_named("f32[4611686018427387904,4]"));
  EXPECT_FALSE(type_named("f64[4611686018427387904]"));
  EXPECT_FALSE(type_named("f32[3037000500,3037000500]"));
  EXPECT_FALSE(type_named("f32[4611686018427387904,4,0]"));  // a stride of it would overflow
}

TEST(Type, Bytes) {
  EXPECT_EQ((Type{DType::f32, {}}).bytes(), 4);
  EXPECT_EQ((Type{DType::f64, {3, 5}}).bytes(), 120);
  EXPECT_EQ((Type{DType::bf16, {3}}).bytes(), 6);
  EXPECT_EQ((Type{DType::u8, {7}}).bytes(), 7);
  EXPECT_EQ((Type{DType::f32, {0, 5}}).bytes(), 0);
}

TEST(Type, SizesStopAtTheLargestNumber) {
  constexpr int64_t kHuge = int64_t{1} << 62;
  EXPECT_EQ((Shape{kHuge, 4}).elements(), INT64_MAX);
  EXPECT_EQ((Type{DType::f32, {kHuge}}).bytes(), INT64_MAX);
  EXPECT_EQ((Type{DType::u8, {kHuge}}).bytes(), kHuge);
  EXPECT_EQ((Type{DType::f32, {kHuge, 4, 0}}).bytes(), 0);
  EXPECT_FALSE(checked_extent({DType::f32, {kHuge, 4, 0}}));
  EXPECT_EQ(checked_extent({DType::f32, {5, 0}}), 20);
  EXPECT_EQ(checked_extent({DType::dyn8, {257, 0}}), 2 * 260);
}

TEST(Type, EveryRowOfTheTableIsFoundByName) {
  for (size_t i = 0; i < all_dtypes().size(); ++i)
    EXPECT_EQ(dtype_named(all_dtypes()[i].name), static_cast<DType>(i));
  EXPECT_FALSE(dtype_named("f128"));
}

TEST(Shape, Edits) {
  const Shape s{2, 3, 4};
  EXPECT_EQ(s.elements(), 24);
  EXPECT_EQ(s.back(), 4);
  EXPECT_EQ(s.with(1, 7), (Shape{2, 7, 4}));
  EXPECT_EQ(s.without(0), (Shape{3, 4}));
  EXPECT_EQ(s.plus(5), (Shape{2, 3, 4, 5}));
  EXPECT_EQ(Shape{}.elements(), 1);
  EXPECT_NE((Shape{1}), Shape{});
  EXPECT_NE((Shape{2, 0}), (Shape{2}));
}

TEST(Encode, IntegersRoundAndClamp) {
  EXPECT_EQ(through(DType::i8, 127.4), 127);
  EXPECT_EQ(through(DType::i8, 1000), 127);
  EXPECT_EQ(through(DType::i8, -1000), -128);
  EXPECT_EQ(through(DType::u8, -3), 0);
  EXPECT_EQ(through(DType::u16, 65535), 65535);
  EXPECT_EQ(through(DType::i32, 2.5), 2);  // to even
  EXPECT_EQ(through(DType::i32, kInf), 2147483647);
  EXPECT_EQ(through(DType::i32, kNan), 0);
  EXPECT_EQ(through(DType::i64, -9e18), -9e18);
  EXPECT_EQ(through(DType::i64, 1e30), 9223372036854775807.0);
  EXPECT_EQ(through(DType::i64, -1e30), -9223372036854775808.0);
}

TEST(Encode, SmallFloatsRoundToNearestEven) {
  EXPECT_EQ(through(DType::bf16, 1.0), 1.0);
  EXPECT_EQ(through(DType::bf16, 1 + 0x1p-8), 1.0);             // half-way, to even
  EXPECT_EQ(through(DType::bf16, 1 + 3 * 0x1p-8), 1 + 0x1p-6);  // half-way, to even
  EXPECT_EQ(through(DType::bf16, 3.4e38), kInf);
  EXPECT_EQ(through(DType::f16, 65504), 65504);
  EXPECT_EQ(through(DType::f16, 65520), kInf);
  EXPECT_EQ(through(DType::f16, 0x1p-24), 0x1p-24);
  EXPECT_EQ(through(DType::f16, 1 + 0x1p-11), 1.0);
  for (const DType d : {DType::bf16, DType::f16, DType::f32, DType::f64}) {
    EXPECT_TRUE(std::isnan(through(d, kNan)));
    EXPECT_EQ(through(d, -kInf), -kInf);
    EXPECT_TRUE(std::signbit(through(d, -0.0)));
  }
}

// A double just above the half-way point of two bf16 numbers, but nearer to it than an f32 can say.
TEST(Encode, Bf16IsRoundedOnce) { EXPECT_EQ(through(DType::bf16, 1 + 0x1p-8 + 0x1p-40), 1 + 0x1p-7); }

TEST(Encode, EveryBf16AndF16ReadsBack) {
  for (uint32_t bits = 0; bits < 65536; ++bits)
    for (const DType d : {DType::bf16, DType::f16}) {
      const auto h = static_cast<uint16_t>(bits);
      double x;
      decode(d, &h, &x, 1);
      if (std::isnan(x)) continue;
      uint16_t back;
      encode(d, &x, &back, 1);
      ASSERT_EQ(back, h) << info(d).name;
    }
}

}  // namespace
}  // namespace shoestring
