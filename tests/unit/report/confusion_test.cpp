#include "report/confusion.h"

#include <gtest/gtest.h>

#include <sstream>

namespace shoestring::report {
namespace {

TEST(Confusion, AFewClassesAreATable) {
  const train::Confusion c{"y", {"no", "yes"}, {90, 10, 0, 7}};
  EXPECT_EQ(confusion_text(c, 80),
            "true \\ answered              no             yes   right\n"
            "no                           90              10  90.0 %\n"
            "yes                           .               7 100.0 %\n");
}

TEST(Confusion, NamesAreCutToTheColumns) {
  train::Confusion c{"label", {}, std::vector<int64_t>(100, 0)};
  for (int i = 0; i < 10; ++i) {
    c.labels.push_back("\xC3\xA4 class with a long name " + std::to_string(i));  // a letter of two bytes
    c.counts[static_cast<size_t>(11 * i)] = 1000 - i;
  }
  c.counts[1] = 1;
  const std::string text = confusion_text(c, 80);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 11);
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);)
    EXPECT_LE(std::count_if(line.begin(), line.end(), [](char b) { return (b & 0xC0) != 0x80; }), 80) << line;
  EXPECT_NE(text.find(" 1000    1    .    ."), std::string::npos) << text;
  EXPECT_TRUE(text.starts_with("true \\ answered           1    2    3    4    5 ")) << text;
  EXPECT_NE(text.find("\n2 \xC3\xA4 class with a long\xE2\x80\xA6    .  999"), std::string::npos) << text;
  EXPECT_NE(text.find("  99.9 %\n"), std::string::npos) << text;
}

TEST(Confusion, NamesThatAreStillApartStayNames) {
  train::Confusion c{"label", {}, std::vector<int64_t>(100, 0)};
  for (int i = 0; i < 10; ++i) c.labels.push_back(std::to_string(i) + " of a long name");
  c.counts[0] = 1;
  EXPECT_TRUE(confusion_text(c, 80).starts_with("true \\ answered")) << confusion_text(c, 80);
  EXPECT_NE(confusion_text(c, 80).find(" 0 o\xE2\x80\xA6 1 o\xE2\x80\xA6"), std::string::npos);
}

TEST(Confusion, ManyClassesAreAListOfTheWorst) {
  train::Confusion c{"label", {}, std::vector<int64_t>(400, 0)};
  for (int i = 0; i < 20; ++i) c.labels.push_back("c" + std::to_string(i));
  c.counts[0] = 30;
  c.counts[3] = 10;   // c0 for c3
  c.counts[40] = 15;  // c2 for c0
  EXPECT_EQ(confusion_text(c, 80),
            "most often taken for another:\n"
            "  c2 for c0  15 rows, 100.0 % of these\n"
            "  c0 for c3  10 rows, 25.0 % of these\n");
  c.counts[3] = c.counts[40] = 0;
  EXPECT_EQ(confusion_text(c, 80), "no class is taken for another\n");
}

TEST(Confusion, NothingIsSaidOfNoRows) {
  EXPECT_EQ(confusion_text({"y", {"no", "yes"}, {0, 0, 0, 0}}, 80), "");
  EXPECT_EQ(confusion_text({}, 80), "");
}

}  // namespace
}  // namespace shoestring::report
