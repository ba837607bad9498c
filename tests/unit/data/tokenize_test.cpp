#include "data/tokenize.h"

#include <gtest/gtest.h>

namespace shoestring::data {
namespace {

using Tokens = std::vector<std::string_view>;

// As Python's re.split(r"\s+", text.strip()), re.findall(r"\w+|[^\w\s]", text), list(text) and
// re.split(r"\s*,\s*", text.strip()) have it, without empty tokens.
TEST(Tokenize, EachWay) {
  EXPECT_EQ(tokenize("  a  b\tc ", Tokenizer::space), (Tokens{"a", "b", "c"}));
  EXPECT_EQ(tokenize("it's 5 o'clock, ok?", Tokenizer::space_punct),
            (Tokens{"it", "'", "s", "5", "o", "'", "clock", ",", "ok", "?"}));
  EXPECT_EQ(tokenize("Käse_1-x", Tokenizer::space_punct), (Tokens{"Käse_1", "-", "x"}));
  EXPECT_EQ(tokenize("aé€𝄞 ", Tokenizer::characters), (Tokens{"a", "é", "€", "𝄞", " "}));
  EXPECT_EQ(tokenize("\xE2\x82", Tokenizer::characters).size(), 2u);
  EXPECT_EQ(tokenize(" new york , paris,,rome ", Tokenizer::comma), (Tokens{"new york", "paris", "rome"}));
  EXPECT_EQ(tokenize("a_b c_ d", Tokenizer::underscore), (Tokens{"a", "b c", "d"}));
  EXPECT_EQ(tokenize(" a b ", Tokenizer::untokenized), (Tokens{" a b "}));
  EXPECT_EQ(tokenize(" a b ", Tokenizer::stripped), (Tokens{"a b"}));
  for (int t = 0; t <= static_cast<int>(Tokenizer::stripped); ++t)
    EXPECT_TRUE(tokenize("", static_cast<Tokenizer>(t)).empty());
}

}  // namespace
}  // namespace shoestring::data
