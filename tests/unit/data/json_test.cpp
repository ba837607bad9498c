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
  EXPECT_EQ(fault("{\"a\": \"ü\"}\n" + text + "{\"a\": \"\xE9\"}\n"),
            "t.jsonl:5002: this is not UTF-8: byte 0xe9");
  ReadOptions options;
  options.block_bytes = 1024;
  EXPECT_EQ(fault("{\"a\": 1}\n{\"a\": \"" + std::string(2000, 'x') + "\"}\n", options),
            "t.jsonl:2: the line is longer than 1024 bytes");
  EXPECT_EQ(fault("{\"a\": \"" + std::string(2000, 'x') + "\"}\n", options),
            "t.jsonl:1: the line is longer than 1024 bytes");
}

class JsonTable : public TableFiles {
 protected:
  std::string fault(const std::string& text, ReadOptions options = {}) {
    const auto t = read_table(write(text, "t.json"), options);
    EXPECT_EQ(t.error.kind, ErrorKind::data) << text;
    const size_t folder = folder_.string().size() + 1;
    return t.fault().size() > folder ? t.fault().substr(folder) : t.fault();
  }
};

TEST_F(JsonTable, ArrayOfObjects) {
  const Rows rows{{"1", "x, [y]"}, {"2", "∅"}, {"3.5", "{\"k\":[1,\"}\"]}"}};
  const std::string objects[] = {"{\"a\": 1, \"b\": \"x, [y]\"}", "{\n  \"a\": 2\n}",
                                 "{\"a\": 3.5, \"b\": {\"k\": [1, \"}\"]}}"};
  for (const std::string between : {",", ",\n", " , "}) {
    for (const std::string around : {"", "\n", "  "}) {
      const auto t = read_table(write(around + "[" + around + objects[0] + between + objects[1] + between +
                                      objects[2] + around + "]" + around));
      EXPECT_EQ(t.error.what, "");
      EXPECT_EQ(t.format.kind, TableKind::json);
      EXPECT_EQ(t.names, (std::vector<std::string>{"a", "b"}));
      EXPECT_EQ(t.rows, rows);
    }
  }
  const auto t = read_table(write("[\n{\"a\": 1},\n{\"a\":\n 2},\n{\"a\": 3}\n]\n"));
  EXPECT_EQ(t.reader->line_of(0), 2);
  EXPECT_EQ(t.reader->line_of(1), 3);
  EXPECT_EQ(t.reader->line_of(2), 5);
}

TEST_F(JsonTable, BlockBoundariesDoNotShow) {
  std::string text = "[\n";
  for (int i = 0; i < 300; ++i)
    text += fmt::format("{}{{\"id\": {},\n \"s\": \"a\\\"]}}, {}\"}}", i == 0 ? "" : ", ", i,
                        std::string(i % 40, 'x'));
  text += "\n]";
  const std::string path = write(text);
  const auto whole = read_table(path);
  ASSERT_EQ(whole.rows.size(), 300u);
  EXPECT_EQ(whole.rows[7], (std::vector<std::string>{"7", "a\"]}, xxxxxxx"}));
  for (int64_t block = 1024; block < 1124; ++block) {
    ReadOptions options;
    options.block_bytes = block;
    const auto t = read_table(path, options);
    ASSERT_EQ(t.rows, whole.rows) << block;
    ASSERT_EQ(t.reader->line_of(299), 2 + 299) << block;
  }
}

TEST_F(JsonTable, ObjectOfColumns) {
  const Rows rows{{"1", "x"}, {"2", "∅"}, {"3.50", "[1,\"]\"]"}};
  auto t = read_table(write("{\"a\": [1, 2, 3.50],\n \"b\": [\"x\", null, [1, \"]\"]]}", "t.json"));
  EXPECT_EQ(t.error.what, "");
  EXPECT_EQ(t.names, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(t.rows, rows);
  // As pandas writes it.
  t = read_table(write("{\"a\":{\"0\":1,\"1\":2},\"b\":{\"0\":\"x\",\"1\":\"\\u00fc\"}}", "t.json"));
  EXPECT_EQ(t.rows, (Rows{{"1", "x"}, {"2", "ü"}}));
  // In a file of lines it is a row of its own.
  t = read_table(write("{\"a\": [1, 2]}\n", "t.jsonl"));
  EXPECT_EQ(t.rows, (Rows{{"[1,2]"}}));
  ReadOptions options;
  options.kind = TableKind::json;
  t = read_table(write("{\"a\": [1, 2]}\n", "t.jsonl"), options);
  EXPECT_EQ(t.rows, (Rows{{"1"}, {"2"}}));
}

// What pandas 2.2 writes for {"a": [1, 2], "b": ["x", None]}: to_json(orient=...).
TEST_F(JsonTable, WhicheverWayRound) {
  const std::vector<std::string> names{"a", "b"};
  const Rows rows{{"1", "x"}, {"2", "∅"}};
  for (const char* text : {R"({"0":{"a":1,"b":"x"},"1":{"a":2,"b":null}})",
                           R"({"columns":["a","b"],"index":[0,1],"data":[[1,"x"],[2,null]]})",
                           R"({"a":{"0":1,"1":2},"b":{"0":"x","1":null}})"}) {
    const auto t = read_table(write(text, "t.json"));
    EXPECT_EQ(t.error.what, "") << text;
    EXPECT_EQ(t.names, names) << text;
    EXPECT_EQ(t.rows, rows) << text;
  }
  // Rows with names of their own look like columns, but for the names that are asked for.
  const char* named = R"({"ann":{"a":1,"b":"x"},"bob":{"a":2,"b":null}})";
  EXPECT_EQ(read_table(write(named, "t.json")).names, (std::vector<std::string>{"ann", "bob"}));
  ReadOptions options;
  options.expected_names = {"b"};
  const auto t = read_table(write(named, "t.json"), options);
  EXPECT_EQ(t.names, names);
  EXPECT_EQ(t.rows, rows);
}

TEST_F(JsonTable, WhicheverWayRoundFaults) {
  EXPECT_EQ(fault(R"({"0":{"a":1,"b":"x"},"1":{"a":2}})"),
            "t.json: the row '1' has other keys than the row '0'");
  EXPECT_EQ(fault(R"({"columns":["a",7],"data":[]})"), "t.json:1: the name of a column is not a string");
  EXPECT_EQ(fault(R"({"columns":[],"data":[]})"), "t.json:1: the list of columns is empty");
  EXPECT_EQ(fault("{\"columns\":[\"a\",\"b\"],\n\"data\":[[1,2],\n[3]]}"),
            "t.json:3: this row has 1 value where there are 2 columns");
  EXPECT_EQ(fault(R"({"columns":["a"],"data":[1]})"), "t.json:1: this row is not a list of values");
  EXPECT_EQ(fault(R"({"schema":{"fields":[]},"data":[{"a":1}]})"),
            "t.json: this JSON is written with orient='table', which is not read");
}

TEST_F(JsonTable, NamesThatOccurTwice) {
  const auto t = read_table(write(R"({"a":[1],"a":[2],"":[3]})", "t.json"));
  EXPECT_EQ(t.names, (std::vector<std::string>{"a", "a_2", "column_3"}));
  EXPECT_EQ(t.notes, (std::vector<std::string>{"the name 'a' occurs more than once: column 2 is called 'a_2'",
                                               "column 3 has no name: it is called 'column_3'"}));
}

TEST_F(JsonTable, Faults) {
  EXPECT_EQ(fault("[{\"a\": 1}, {\"a\": 2}"),
            "t.json:1: the JSON array ends too early: a part of it is missing");
  EXPECT_EQ(fault("[{\"a\": 1},\n {\"a\": "),
            "t.json:2: the JSON array ends too early: a part of it is missing");
  EXPECT_EQ(fault("[{\"a\": 1},\n 5]"), "t.json:2: what stands here is not a JSON object");
  EXPECT_EQ(fault("[{\"a\": 1}\n {\"a\": 2}]"), "t.json:2: what stands here is not a JSON object");
  EXPECT_EQ(fault("[{\"a\": 1},\n {\"a\" 2}]"), "t.json:2: what stands here is not a JSON object");
  EXPECT_EQ(fault("[{\"a\": 1}]\n, 7"), "t.json:2: what stands here is not a JSON object");
  EXPECT_EQ(fault("[[1, 2], [3, 4]]"),
            "t.json: this looks like a JSON array of arrays, which have no column names");
  EXPECT_EQ(fault("{\"a\": [1, 2], \"b\": [1]}"), "t.json: the column 'b' has 1 value where 'a' has 2");
  EXPECT_EQ(fault("{\"a\": {\"0\": 1}, \"b\": {\"1\": 1}}"),
            "t.json: the rows of 'b' have other names than those of 'a'");
  EXPECT_EQ(fault("{\"a\": [1, 2],\n \"b\": 3}"), "t.json:2: 'b' is neither a list nor an object of values");
  EXPECT_EQ(fault("{\"a\": [1, 2],\n \"b\": [3"),
            "t.json:2: the JSON ends too early: a part of it is missing");
  EXPECT_EQ(fault("{\"a\": [1,\n nil]}"), "t.json:2: this value of 'a' is no JSON");
  ReadOptions options;
  options.kind = TableKind::json;
  EXPECT_EQ(fault("7\n", options), "t.json:1: this JSON is no table: it begins with neither [ nor {");
}

}  // namespace
}  // namespace shoestring::data
