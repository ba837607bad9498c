#include "task/document.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace shoestring::task {
namespace {

Node node_of(std::string_view text) {
  const auto document = parse_document(text, "text");
  EXPECT_TRUE(document) << document.error().message();
  return document->root;
}

TEST(Document, KnowsItsPlaces) {
  const auto document = *parse_document("a: 1\nb:\n  - {c: 2}\n", "x.yaml");
  const Entry& c = document.root.find("b")->value.items[0].entries[0];
  EXPECT_EQ(document.place(c.mark), "x.yaml:3:6");
  EXPECT_EQ(document.place(c.value.mark), "x.yaml:3:9");
  EXPECT_EQ(document.place({}), "x.yaml");
}

TEST(Document, ScalarsSayWhatTheyLookLike) {
  EXPECT_EQ(node_of("yes").as_boolean(), true);
  EXPECT_EQ(node_of("False").as_boolean(), false);
  EXPECT_EQ(node_of("'yes'").as_boolean(), std::nullopt);
  EXPECT_EQ(node_of("1_000").as_integer(), 1000);
  EXPECT_EQ(node_of("+5").as_integer(), 5);
  EXPECT_EQ(node_of("3.0").as_integer(), 3);
  EXPECT_EQ(node_of("1e3").as_integer(), 1000);
  EXPECT_EQ(node_of("3.5").as_integer(), std::nullopt);
  EXPECT_EQ(node_of("99999999999999999999").as_integer(), std::nullopt);
  EXPECT_EQ(node_of("1e-3").as_number(), 1e-3);
  EXPECT_EQ(node_of("-.inf").as_number(), -INFINITY);
  EXPECT_EQ(node_of("nan").as_number(), std::nullopt);
  EXPECT_EQ(node_of("inf").as_number(), std::nullopt);
  EXPECT_EQ(node_of("1.2.3").as_number(), std::nullopt);
  EXPECT_EQ(node_of("5 kg").as_number(), std::nullopt);
  EXPECT_TRUE(node_of("~").is_null());
  EXPECT_TRUE(node_of("").is_null());
}

TEST(Document, StringsComeBack) {
  for (const std::string text : {"",         "a b",      "yes", "5",   "1e3",      "~",
                                 "null",     "a: b",     "#x",  "- x", "\"q\" \\", "line\nline\ttab",
                                 "\x01\x7f", "naïve 年", "{x}", "[x",  "*a",       "&a",
                                 "!t",       "%",        "@",   "`",   "'",        " lead",
                                 "trail ",   "a #b",     ".5",  "=",   "<<",       "2024-01-01"}) {
    Node map = Node::map();
    map.set(text, Node::string(text));
    map.set("list" + text, Node::list({Node::string(text), Node::null()}));
    const Node back = node_of(to_yaml(map));
    ASSERT_EQ(back.entries.size(), 2u) << to_yaml(map);
    EXPECT_EQ(back.entries[0].key, text);
    EXPECT_EQ(back.entries[1].value.items[0].text, text);
    EXPECT_EQ(to_yaml(back), to_yaml(map));
  }
}

TEST(Document, NumbersComeBack) {
  for (const double value : {0.0, 1.0, 0.1, 1e-8, 1.0 / 3, 1e300, -2.5e-310, 1234567890123456789.0})
    EXPECT_EQ(node_of(to_yaml(Node::number(value))).as_number(), value);
}

TEST(Document, WritesBlocks) {
  const std::string text =
      "a: [1, 2]\n"
      "b:\n"
      "  - x: 1\n"
      "    y:\n"
      "      - [1]\n"
      "      - {}\n"
      "  - []\n"
      "c: {}\n";
  EXPECT_EQ(to_yaml(node_of(text)), text);
  EXPECT_EQ(to_json(node_of("{a: [1, x], b: {c: null, d: yes}}")),
            "{\n  \"a\": [1, \"x\"],\n  \"b\": {\n    \"c\": null,\n    \"d\": true\n  }\n}\n");
}

TEST(Document, MergesMapsKeyByKey) {
  EXPECT_EQ(to_yaml(merged(node_of("{a: {b: 1, c: 2}, d: [1]}"), node_of("{a: {c: 3, e: 4}, d: [2]}"))),
            to_yaml(node_of("{a: {b: 1, c: 3, e: 4}, d: [2]}")));
}

TEST(Document, AliasesCannotUnfoldWithoutEnd) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 9; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before;
    for (int j = 0; j < 9; ++j) text += ", " + before;
    text += "]\n";
  }
  EXPECT_FALSE(parse_document(text, "bomb"));
}

TEST(Document, DeepNestingIsAnError) {
  EXPECT_FALSE(parse_document(std::string(100'000, '['), "deep"));
  EXPECT_FALSE(parse_document(std::string(100'000, '{'), "deep"));
}

// Whatever the text, the answer is a tree or an error.
TEST(Document, NoTextIsTooStrange) {
  const std::string seed = "a: &x {b: [1, 'two', \"th\\n\"], <<: *x}\n? - c\n: |\n  text\n--- !!str 5\n...";
  std::mt19937 random(1);
  for (int round = 0; round < 3000; ++round) {
    std::string text = seed;
    for (int i = 0; i < 1 + round % 5; ++i) {
      const size_t at = random() % text.size();
      switch (random() % 3) {
        case 0:
          text[at] = static_cast<char>(random());
          break;
        case 1:
          text.erase(at, random() % 4);
          break;
        default:
          text.insert(at, text.substr(random() % text.size(), random() % 6));
      }
      if (text.empty()) text = "x";
    }
    const auto document = parse_document(text, "strange");
    if (!document) continue;
    EXPECT_TRUE(parse_document(to_yaml(document->root), "again")) << text;
  }
}

}  // namespace
}  // namespace shoestring::task
