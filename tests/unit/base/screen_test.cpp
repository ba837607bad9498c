#include "base/screen.h"

#include <gtest/gtest.h>

namespace shoestring {
namespace {

TEST(Screen, WideCharactersTakeTwoColumns) {
  EXPECT_EQ(screen_width(""), 0u);
  EXPECT_EQ(screen_width("Zürich"), 6u);
  EXPECT_EQ(screen_width("猫と犬"), 6u);
  EXPECT_EQ(screen_width("한국"), 4u);
  EXPECT_EQ(screen_width("🐈 a"), 4u);
}

TEST(Screen, TextIsCutWhereItsColumnsEnd) {
  EXPECT_EQ(cut_to_width("airplane", 8), "airplane");
  EXPECT_EQ(cut_to_width("airplane", 5), "airp…");
  EXPECT_EQ(cut_to_width("猫猫猫", 6), "猫猫猫");
  EXPECT_EQ(cut_to_width("猫猫猫", 5), "猫猫…");
  EXPECT_EQ(cut_to_width("猫猫猫", 4), "猫…");
  EXPECT_EQ(cut_to_width("a\tb\n", 9), "a b ");
  EXPECT_EQ(cut_to_width("é", 1), "é");
}

}  // namespace
}  // namespace shoestring
