// Whatever the bytes, a table is read or refused with words; nothing else happens. A small version of
// the readers' fuzzing: texts of the grammar's own characters, and good files with bytes changed.
#include "base/philox.h"
#include "table_files.h"

namespace shoestring::data {
namespace {

class AnyBytes : public TableFiles {
 protected:
  void check(const std::string& bytes, uint64_t seed) {
    for (const int64_t block : {int64_t{1024}, int64_t{1} << 20}) {
      ReadOptions options;
      options.block_bytes = block;
      const ReadTable t = read_table(write(bytes), options);
      if (t.error.what.empty()) {
        for (const auto& row : t.rows) ASSERT_EQ(row.size(), t.names.size()) << seed;
        if (!t.rows.empty()) {
          ASSERT_GE(t.reader->line_of(static_cast<int64_t>(t.rows.size()) - 1), 1) << seed;
        }
      } else {
        ASSERT_FALSE(t.error.where.empty()) << seed << ": " << t.error.message();
        ASSERT_FALSE(t.error.fix.empty()) << seed << ": " << t.error.message();
      }
    }
  }
};

TEST_F(AnyBytes, OfTheGrammar) {
  constexpr std::string_view kPieces[] = {",",  ",", "\n", "\n", "\"",   "\"\"", "'",           "\r\n", "\r",
                                          "\t", ";", "|",  "a",  "17",   "-2.5", "2016-07-01",  " ",    "?",
                                          "{",  "}", ":",  "ü",  "\xE9", "name", "{\"a\": 1}\n"};
  for (uint64_t seed = 0; seed < 250; ++seed) {
    Philox random(seed, 7);
    std::string text;
    const uint32_t pieces = 1 + random.below(seed % 4 == 0 ? 3000 : 40);
    for (uint32_t i = 0; i < pieces; ++i) text += kPieces[random.below(std::size(kPieces))];
    check(text, seed);
  }
}

TEST_F(AnyBytes, OfGoodFilesChanged) {
  std::string csv = "id,text,x\n", jsonl;
  for (int i = 0; i < 200; ++i) {
    csv += std::to_string(i) + ",\"a, \"\"b\"\"\n\"," + std::to_string(i * 0.5) + "\n";
    jsonl += "{\"id\": " + std::to_string(i) + ", \"s\": \"a\\nb\", \"l\": [1, {\"z\": null}]}\n";
  }
  for (const std::string& good : {csv, jsonl, gzipped(csv)}) {
    for (uint64_t seed = 0; seed < 60; ++seed) {
      Philox random(seed, 8);
      std::string bytes = good;
      for (uint32_t changes = 1 + random.below(4); changes > 0; --changes) {
        const uint32_t at = random.below(static_cast<uint32_t>(bytes.size()));
        if (random.below(3) == 0)
          bytes.erase(at, 1 + random.below(20));
        else
          bytes[at] = static_cast<char>(random.below(256));
      }
      check(bytes, seed);
    }
  }
}

// Brackets without end must not overflow a stack.
TEST_F(AnyBytes, DeeplyNestedJson) {
  check("{\"a\": " + std::string(200'000, '['), 0);
  check("{\"a\": " + std::string(400'000, '[') + std::string(400'000, ']') + "}\n", 1);
  check("{\"a\": " + std::string(90, '[') + std::string(90, ']') + "}\n", 2);
}

}  // namespace
}  // namespace shoestring::data
