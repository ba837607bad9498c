#include <fmt/format.h>

#include "table_files.h"

namespace shoestring::data {
namespace {

class Jsonl : public TableFiles {};

TEST_F(Jsonl, KeysOfTheFirstLines) {
  const auto t = read_table(
      write("{\"age\": 39, \"job\": \"a \\u00fc\"}\n\n{\"job\": null, \"ok\": true, \"age\": -1.5e3}\n"
            "{\"list\": [1, 2], \"age\": \"40\"}",
            "t.jsonl"));
  EXPECT_EQ(t.format.kind, TableKind::jsonl);
  EXPECT_EQ(t.names, (std::vector<std::string>{"age", "job", "ok", "list"}));
  EXPECT_EQ(t.rows,
            (Rows{{"39", "a ü", "∅", "∅"}, {"-1500.0", "∅", "true", "∅"}, {"40", "∅", "∅", "[1,2]"}}));
  EXPECT_EQ(t.reader->line_of(0), 1);
  EXPECT_EQ(t.reader->line_of(1), 3);
  EXPECT_EQ(t.reader->line_of(2), 4);
}

TEST_F(Jsonl, ManyBlocksAndGzip) {
  std::string text;
  for (int i = 0; i < 50'000; ++i) text += fmt::format("{{\"i\": {}, \"s\": \"row {}\"}}\n", i, i);
  text += "{\"late\": 1}\n";
  ReadOptions options;
  options.block_bytes = 4096;
  const auto t = read_table(write(gzipped(text), "t.jsonl.gz"), options);
  ASSERT_EQ(t.rows.size(), 50'001u);
  EXPECT_EQ(t.rows[49'999], (std::vector<std::string>{"49999", "row 49999"}));
  ASSERT_EQ(t.notes.size(), 1u);
  EXPECT_TRUE(t.notes[0].starts_with("the key 'late' first appears in line 50001"));
}

TEST_F(Jsonl, Faults) {
  const auto fault = [&](const std::string& text, ReadOptions options = {}) {
    return read_table(write(text, "t.jsonl"), options).fault().substr(folder_.string().size() + 1);
  };
  EXPECT_EQ(fault("{\"a\": 1}\n{\"a\": \n"), "t.jsonl:2: this line is not a JSON object");
  EXPECT_EQ(fault("{\"a\": 1}\n[1]\n"), "t.jsonl:2: this line is not a JSON object");
  EXPECT_EQ(fault("{}\n{}\n"), "t.jsonl: no line has a key");
  std::string text;
  for (int i = 0; i < 5'000; ++i) text += "{\"a\": \"some words in it\"}\n";
  EXPECT_EQ(fault(text + "{\"a\": 1\n"), "t.jsonl:5001: this line is not a JSON object");
  EXPECT_EQ(fault(text + "{\"a\": \"\xE9\"}\n"), "t.jsonl:5001: this is not UTF-8: byte 0xe9");
  ReadOptions options;
  options.block_bytes = 1024;
  EXPECT_EQ(fault("{\"a\": 1}\n{\"a\": \"" + std::string(2000, 'x') + "\"}\n", options),
            "t.jsonl:2: the line is longer than 1024 bytes");
  EXPECT_EQ(fault("{\"a\": \"" + std::string(2000, 'x') + "\"}\n", options),
            "t.jsonl:1: the line is longer than 1024 bytes");
}

}  // namespace
}  // namespace shoestring::data
