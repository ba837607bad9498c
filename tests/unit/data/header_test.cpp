#include "data/header.h"

#include <gtest/gtest.h>

namespace shoestring::data {
namespace {

struct Case {
  const char* why;
  std::vector<Cells> records;
  bool header;
  std::vector<std::string> expected = {};
};

TEST(Header, Rules) {
  const std::vector<Case> cases{
      {"names over numbers", {{"age", "city"}, {"40", "Ulm"}, {"41", "Bonn"}}, true},
      {"names over dates", {{"when", "what"}, {"2016-07-01", "a"}, {"2016-07-02", "a"}}, true},
      {"names over numbers with gaps", {{"age", "n"}, {"?", "1"}, {"", "2"}}, true},
      {"numbers from the first row on", {{"5.1", "3.5"}, {"4.9", "3.0"}}, false},
      {"Adult", {{"39", "State-gov", "<=50K"}, {"50", "Private", ">50K"}}, false},
      {"a missing value first", {{"?", "x"}, {"1", "y"}, {"2", "z"}}, false},
      {"abalone: a class letter, then numbers", {{"M", "0.4"}, {"F", "0.5"}, {"M", "0.6"}}, false},
      {"one row of data", {{"39", "State-gov"}}, false},
      {"one row of words is a header", {{"age", "city"}}, true},
      {"all words, nothing seen again", {{"text", "label"}, {"hi there", "greet"}, {"bye", "leave"}}, true},
      {"all words, first row's values seen again",
       {{"40-49", "no"}, {"50-59", "yes"}, {"40-49", "no"}},
       false},
      {"a value twice in the first row", {{"no", "no"}, {"yes", "maybe"}}, false},
      {"a sentence is no name", {{std::string(80, 'x'), "a"}, {"y", "b"}}, false},
      {"years as names beside a name over numbers",
       {{"id", "2019", "2020"}, {"7", "1", "2"}, {"8", "3", "4"}},
       true},
      {"an index without a name", {{"", "a"}, {"0", "x"}, {"1", "y"}}, true},
      {"words, one a line", {{"emma"}, {"olivia"}, {"ava"}}, false},
      {"a column called text", {{"text"}, {"olivia ran"}, {"ava sat"}}, true},
      {"a name asked for", {{"x", "y"}, {"x", "y"}}, true, {"y"}},
      {"numbered names asked for", {{"a", "b"}, {"1", "2"}}, false, {"column_1", "column_2"}},
      {"names asked for, none here", {{"a", "b"}, {"1", "2"}}, true, {"c"}},
  };
  for (const Case& c : cases) EXPECT_EQ(first_is_header(c.records, c.expected), c.header) << c.why;
}

}  // namespace
}  // namespace shoestring::data
