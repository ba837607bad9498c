#include "data/lists.h"

#include <gtest/gtest.h>

namespace shoestring::data {
namespace {

using Words = std::vector<std::string>;

// What json.loads and ast.literal_eval make of the cells, None left out.
TEST(ReadList, AsJsonAndPythonWriteThem) {
  EXPECT_EQ(read_list(R"(["new york", "paris"])"), (Words{"new york", "paris"}));
  EXPECT_EQ(read_list(R"(["a\"b", "é", null, 3, true])"), (Words{"a\"b", "é", "3", "true"}));
  EXPECT_EQ(read_list(R"(['it\'s', "it's", 'say "x"', None, 1.5])"),
            (Words{"it's", "it's", "say \"x\"", "1.5"}));
  EXPECT_EQ(read_list("[]"), Words());
  for (const char* other : {"", "a b", "[a, b]", "['a', 'b'", "[[1]]", "{\"a\": 1}", "[1, 2"})
    EXPECT_FALSE(read_list(other)) << other;
}

TEST(ReadVector, HoweverItIsWritten) {
  const auto read = [](std::string_view cell) {
    std::vector<float> out{9};
    const bool good = read_vector(cell, out);
    EXPECT_EQ(out[0], 9);
    EXPECT_TRUE(good || out.size() == 1) << cell;
    return std::vector<float>(out.begin() + 1, out.end());
  };
  for (const char* cell :
       {"1 -2.5 3e2", "[1, -2.5, 3e2]", "1,-2.5,300", "(1; -2.5; 300)", "[ 1  -2.5\t300 ]"})
    EXPECT_EQ(read(cell), (std::vector<float>{1, -2.5, 300})) << cell;
  for (const char* cell : {"", "[]", "1 x 3", "1 nan 2", "1 2]", "[1, 2", "1e39 1", "[[1, 2]]"})
    EXPECT_TRUE(read(cell).empty()) << cell;
}

TEST(Lists, OfAColumn) {
  const RecordBatch batch = make_batch(
      {{"a b", "1 2"}, {"", "?"}, {"[\"b\", \"c d\"]", "1 2 3"}, {"<UNK>", "one two"}, {"b b", "[4, 5]"}});
  Dictionary dictionary;
  Lists<int32_t> words;
  append_words(batch.column(0), Tokenizer::space_punct, dictionary, words);
  const auto row = [&](int64_t r) {
    Words out;
    for (const int32_t code : words[r]) out.emplace_back(dictionary.value(code));
    return out;
  };
  ASSERT_EQ(words.rows(), 5);
  EXPECT_EQ(row(0), (Words{"a", "b"}));
  EXPECT_TRUE(words.is_missing(1));
  EXPECT_EQ(row(2), (Words{"b", "c d"}));
  EXPECT_EQ(row(3), (Words{"<UNK>"}));  // whole, whatever the tokenizer makes of signs
  EXPECT_EQ(row(4), (Words{"b", "b"}));

  Lists<float> vectors;
  BadCells bad;
  append_vectors(batch.column(1), 100, vectors, bad);
  ASSERT_EQ(vectors.rows(), 5);
  EXPECT_EQ(vectors.missing, (std::vector<uint8_t>{0, 1, 0, 1, 0}));
  EXPECT_EQ(vectors[2].size(), 3u);
  EXPECT_EQ(vectors[4][1], 5);
  EXPECT_EQ(bad.count, 1);
  EXPECT_EQ(bad.first_row, 103);
  EXPECT_EQ(bad.first_value, "one two");
}

}  // namespace
}  // namespace shoestring::data
