#include "base/text.h"

#include <gtest/gtest.h>

namespace shoestring {
namespace {

TEST(Nearest, FindsSlipsOfTheKeyboard) {
  const std::vector<std::string> keys = {"learning_rate", "learning_rate_scheduler", "batch_size", "epochs",
                                         "optimizer"};
  EXPECT_EQ(nearest("lerning_rate", keys), "learning_rate");   // a letter missing
  EXPECT_EQ(nearest("learning_raet", keys), "learning_rate");  // two swapped
  EXPECT_EQ(nearest("batchsize", keys), "batch_size");
  EXPECT_EQ(nearest("epoch", keys), "epochs");
  EXPECT_EQ(nearest("epochs", keys), "epochs");
}

TEST(Nearest, SaysNothingWhenNothingIsNear) {
  const std::vector<std::string> keys = {"learning_rate", "batch_size", "epochs"};
  EXPECT_EQ(nearest("dropout", keys), "");
  EXPECT_EQ(nearest("", keys), "");
  EXPECT_EQ(nearest("x", {}), "");
  const std::vector<std::string> short_keys = {"a", "id", "Age"};
  EXPECT_EQ(nearest("b", short_keys), "");  // one letter in place of another is another word
  EXPECT_EQ(nearest("A", short_keys), "a");
  EXPECT_EQ(nearest("age", short_keys), "Age");
}

TEST(Listed, StopsAfterAFew) {
  EXPECT_EQ(listed({}), "");
  EXPECT_EQ(listed(std::vector<std::string>{"a", "b"}), "a, b");
  EXPECT_EQ(listed(std::vector<std::string>(1000, "x")), "x, x, x, x, x, x, x, x, x, x, x, x and 988 more");
}

TEST(Parse, BytesAreOfTenOrOfTwo) {
  EXPECT_EQ(parse_bytes("512MiB"), int64_t{512} << 20);
  EXPECT_EQ(parse_bytes("512Mi"), int64_t{512} << 20);
  EXPECT_EQ(parse_bytes("512MB"), 512'000'000);
  EXPECT_EQ(parse_bytes("512 M"), 512'000'000);
  EXPECT_EQ(parse_bytes("1.5GiB"), int64_t{1536} << 20);
  EXPECT_EQ(parse_bytes("4kB"), 4000);
  EXPECT_EQ(parse_bytes("100"), 100);
  for (const char* word : {"", "MiB", "-1MiB", "0", "1iB", "1XB", "1MMB", "nan", "1e30GiB", "10 apples"})
    EXPECT_FALSE(parse_bytes(word)) << word;
}

TEST(Human, Counts) {
  EXPECT_EQ(count_of(0, "row"), "0 rows");
  EXPECT_EQ(count_of(1, "row"), "1 row");
}

TEST(Human, Bytes) {
  EXPECT_EQ(human_bytes(0), "0 B");
  EXPECT_EQ(human_bytes(1023), "1023 B");
  EXPECT_EQ(human_bytes(1024), "1.0 KiB");
  EXPECT_EQ(human_bytes(1536 * 1024), "1.5 MiB");
  EXPECT_EQ(human_bytes(int64_t{512} << 20), "512 MiB");
  EXPECT_EQ(human_bytes(int64_t{5} << 40), "5.0 TiB");
}

TEST(Human, Seconds) {
  EXPECT_EQ(human_seconds(12.5e-6), "12.5 µs");
  EXPECT_EQ(human_seconds(0.34), "340 ms");
  EXPECT_EQ(human_seconds(1.24), "1.2 s");
  EXPECT_EQ(human_seconds(125), "2 min 05 s");
  EXPECT_EQ(human_seconds(3600 + 300), "1 h 05 min");
}

TEST(Human, RoundsUpIntoTheNextUnit) {
  EXPECT_EQ(human_seconds(0.9999), "1.0 s");
  EXPECT_EQ(human_seconds(59.97), "1 min 00 s");
  EXPECT_EQ(human_bytes(1024 * 1024 - 1), "1.0 MiB");
  EXPECT_EQ(human_count(999999), "1.0 M");
  EXPECT_EQ(human_count(999999999), "1.0 G");
}

TEST(Human, Count) {
  EXPECT_EQ(human_count(842), "842");
  EXPECT_EQ(human_count(32561), "33 k");
  EXPECT_EQ(human_count(1.2e6), "1.2 M");
}

}  // namespace
}  // namespace shoestring
