// What well-formed CSV files give.
#include <fmt/format.h>
#include <unistd.h>

#include "base/atomic_file.h"
#include "table_files.h"

namespace shoestring::data {
namespace {

class Csv : public TableFiles {};

TEST_F(Csv, HeaderAndQuotes) {
  const auto t =
      read_table(write("name,age,note\n\"Smith, J.\",40,\"said \"\"hi\"\"\"\n Lee ,41,\"two\nlines\"\n"));
  EXPECT_EQ(t.names, (std::vector<std::string>{"name", "age", "note"}));
  EXPECT_EQ(t.rows, (Rows{{"Smith, J.", "40", "said \"hi\""}, {"Lee", "41", "two\nlines"}}));
  EXPECT_TRUE(t.notes.empty());
  EXPECT_EQ(t.reader->line_of(0), 2);
  EXPECT_EQ(t.reader->line_of(1), 3);
}

TEST_F(Csv, NoHeaderSpacesAndQuestionMarks) {
  const auto t = read_table(write("39, State-gov, ?, <=50K\n50, ?, 83311, >50K\n\n"));
  EXPECT_FALSE(t.format.header);
  EXPECT_EQ(t.names, (std::vector<std::string>{"column_1", "column_2", "column_3", "column_4"}));
  EXPECT_EQ(t.rows, (Rows{{"39", "State-gov", "∅", "<=50K"}, {"50", "∅", "83311", ">50K"}}));
  ASSERT_EQ(t.notes.size(), 1u);
  EXPECT_EQ(t.notes[0], "no header row: the columns are called column_1 to column_4");
}

TEST_F(Csv, Delimiters) {
  struct Case {
    const char *text, *name;
    char delimiter;
    Rows rows;
  };
  const std::vector<Case> cases{
      {"a;b\n1,5;2,5\n3,5;4,5\n", "t.csv", ';', {{"1,5", "2,5"}, {"3,5", "4,5"}}},
      {"\"a\";\"b\"\n58;\"management\"\n", "t.csv", ';', {{"58", "management"}}},
      {"a\tb\nx, y\t1\nz, w\t2\n", "t.tsv", '\t', {{"x, y", "1"}, {"z, w", "2"}}},
      {"196\t242\t3\n186\t302\t3\n", "u.data", '\t', {{"196", "242", "3"}, {"186", "302", "3"}}},
      {"1|24|M\n2|53|F\n", "u.user", '|', {{"1", "24", "M"}, {"2", "53", "F"}}},
      {"a,b\n1,x;y\n2,z\n", "t.csv", ',', {{"1", "x;y"}, {"2", "z"}}},
      {"text\nhello there\ngood day\n", "t.csv", ',', {{"hello there"}, {"good day"}}},
  };
  for (const Case& c : cases) {
    const auto t = read_table(write(c.text, c.name));
    EXPECT_EQ(t.format.delimiter, c.delimiter) << c.text;
    EXPECT_EQ(t.rows, c.rows) << c.text;
  }
}

TEST_F(Csv, QuoteCharacters) {
  auto t = read_table(write("'40-49','premeno','yes'\n'50-59','ge40','no'\n'40-49','ge40','no'\n"));
  EXPECT_EQ(t.format.quote, '\'');
  EXPECT_EQ(t.rows[0], (std::vector<std::string>{"40-49", "premeno", "yes"}));

  t = read_table(write("0.23,5.07,'-1'\n0.15,-0.16,'1'\n"));
  EXPECT_EQ(t.rows[1][2], "1");

  // Apostrophes are no quotes.
  t = read_table(write("text,n\n'tis the season,1\nit's,2\n"));
  EXPECT_EQ(t.format.quote, '"');
  EXPECT_EQ(t.rows[0][0], "'tis the season");

  // Stray quotes in tab-separated prose swallow no rows.
  std::string prose;
  for (int i = 0; i < 60; ++i)
    prose += fmt::format("{}line {} of it\t{}\n", i % 7 == 0 ? "\" " : "", i, i % 2);
  t = read_table(write(prose, "t.tsv"));
  EXPECT_EQ(t.format.quote, 0);
  EXPECT_EQ(t.rows.size(), 60u);
}

TEST_F(Csv, ByteOrderMarkLineEndsAndNoLastLineEnd) {
  auto t =
      read_table(write("\xEF\xBB\xBF"
                       "age,sex\r\n63,1\r\n37,0"));
  EXPECT_TRUE(t.format.bom);
  EXPECT_EQ(t.names, (std::vector<std::string>{"age", "sex"}));
  EXPECT_EQ(t.rows, (Rows{{"63", "1"}, {"37", "0"}}));
  EXPECT_EQ(t.reader->line_of(1), 3);

  t = read_table(write("a,b\r1,2\r3,4\r"));
  EXPECT_EQ(t.rows, (Rows{{"1", "2"}, {"3", "4"}}));
}

TEST_F(Csv, BlankLines) {
  const auto t = read_table(write("\n\na,b\n\n1,2\n\n\n3,4\n\n"));
  EXPECT_EQ(t.names, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(t.rows, (Rows{{"1", "2"}, {"3", "4"}}));
  EXPECT_EQ(t.reader->line_of(0), 5);
  EXPECT_EQ(t.reader->line_of(1), 8);
}

TEST_F(Csv, Gzip) {
  const std::string text = "a,b\n1,2\n3,4\n";
  auto t = read_table(write(gzipped(text), "misnamed.csv"));
  EXPECT_EQ(t.format.compression, Compression::gzip);
  EXPECT_EQ(t.rows, (Rows{{"1", "2"}, {"3", "4"}}));
  EXPECT_EQ(t.reader->line_of(1), 3);
  t = read_table(write(gzipped("a,b\n1,2\n") + gzipped("3,4\n") + std::string(512, '\0'), "two.csv.gz"));
  EXPECT_EQ(t.rows, (Rows{{"1", "2"}, {"3", "4"}}));
}

TEST_F(Csv, NamesThatAreEmptyOrTwice) {
  const auto t = read_table(write(",a,a,a_2,\n0,1,2,3,4\n"));
  EXPECT_EQ(t.names, (std::vector<std::string>{"column_1", "a", "a_3", "a_2", "column_5"}));
  EXPECT_EQ(t.notes.size(), 3u);
}

TEST_F(Csv, OneCellMoreThanTheHeader) {
  auto t = read_table(write("a,b,\n1,2,\n3,4,\n"));
  EXPECT_EQ(t.names.size(), 3u);
  t = read_table(write("a,b\n1,2,\n3,4,\n"));  // a delimiter at each line's end
  EXPECT_EQ(t.names, (std::vector<std::string>{"a", "b", "column_3"}));
  EXPECT_EQ(t.rows[1], (std::vector<std::string>{"3", "4", "∅"}));
  t = read_table(write("\"mpg\",\"cyl\"\n\"Mazda RX4\",21,6\n\"Valiant\",18.1,6\n"));  // R's row names
  EXPECT_EQ(t.names, (std::vector<std::string>{"column_1", "mpg", "cyl"}));
  EXPECT_EQ(t.rows[0], (std::vector<std::string>{"Mazda RX4", "21", "6"}));
}

TEST_F(Csv, SettingsOverrideTheLook) {
  ReadOptions options;
  options.header = true;
  auto t = read_table(write("1,2\n3,4\n"), options);
  EXPECT_EQ(t.names, (std::vector<std::string>{"1", "2"}));
  options.header = false;
  t = read_table(write("a,b\n3,4\n"), options);
  EXPECT_EQ(t.rows.size(), 2u);
  options = {};
  options.delimiter = ';';
  t = read_table(write("a,b\n3,4\n"), options);
  EXPECT_EQ(t.rows, (Rows{{"a,b"}, {"3,4"}}));
  options = {};
  options.expected_names = {"name", "city"};
  t = read_table(write("city,name\nUlm,Ann\nUlm,city\n"), options);
  EXPECT_TRUE(t.format.header);

  EXPECT_TRUE(set_data_format("tsv", options));
  EXPECT_EQ(options.delimiter, '\t');
  EXPECT_TRUE(set_data_format("jsonl", options));
  EXPECT_EQ(options.kind, TableKind::jsonl);
  EXPECT_TRUE(set_data_format("auto", options));
  const Status bad = set_data_format("jsnol", options);
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().message(), "--data_format: unknown data format 'jsnol'; did you mean 'jsonl'?");
}

// A table of every oddity, whose cells must not depend on where blocks end.
TEST_F(Csv, BlockBoundariesDoNotShow) {
  std::string text = "id,text,x\r\n";
  for (int i = 0; i < 400; ++i) {
    text += fmt::format("{},\"{} \"\"q\"\" ü€😀 {}\",{}\r\n", i, std::string(static_cast<size_t>(i % 40), 'x'),
                        i % 5 == 0 ? "\n" : ",", i % 7 == 0 ? "" : std::to_string(i * 0.5));
    if (i % 11 == 0) text += "\r\n";
    if (i % 100 == 99) text += "ragged,row\r\n";
  }
  const std::string path = write(text);
  const auto whole = read_table(path);
  ASSERT_EQ(whole.rows.size(), 400u);
  EXPECT_EQ(whole.rows[5][1], "xxxxx \"q\" ü€😀 \n");
  EXPECT_EQ(whole.ragged.count, 4);
  for (int64_t block = 1024; block < 1224; ++block) {
    ReadOptions options;
    options.block_bytes = block;
    const auto t = read_table(path, options);
    ASSERT_EQ(t.rows, whole.rows) << block;
    ASSERT_EQ(t.ragged.first_line, whole.ragged.first_line) << block;
    ASSERT_EQ(t.ragged.count, 4);
  }
  for (const int64_t row : {0, 11, 99, 100, 399}) {
    // Lines as an independent count has them: 1 header, a second line for each quoted line break, …
    int64_t line = 2;
    for (int64_t i = 0; i < row; ++i) line += 1 + (i % 5 == 0) + (i % 11 == 0) + (i % 100 == 99);
    EXPECT_EQ(whole.reader->line_of(row), line) << row;
  }
}

TEST_F(Csv, WideTable) {
  std::string header, row;
  for (int c = 0; c < 12'000; ++c) {
    header += fmt::format("{}gene_{}", c == 0 ? "" : ",", c);
    row += fmt::format("{}{}", c == 0 ? "" : ",", c % 10);
  }
  const auto t = read_table(write(header + "\n" + row + "\n" + row + "\n"));
  EXPECT_EQ(t.names.size(), 12'000u);
  EXPECT_EQ(t.names[11'999], "gene_11999");
  EXPECT_EQ(t.rows.size(), 2u);
}

TEST_F(Csv, Stdin) {
  const std::string path = write("a,b\n\n1,\"x\ny\"\n2,z\nragged\n3,w\n");
  const int saved = ::dup(STDIN_FILENO);
  ASSERT_NE(std::freopen(path.c_str(), "r", stdin), nullptr);
  ReadOptions options;
  options.tolerance = 0.5;
  const auto t = read_table("-", options);
  ::dup2(saved, STDIN_FILENO);
  ::close(saved);
  EXPECT_EQ(t.rows, (Rows{{"1", "x\ny"}, {"2", "z"}, {"3", "w"}}));
  EXPECT_EQ(t.reader->place(0), "stdin:3");
  EXPECT_EQ(t.reader->place(1), "stdin:5");
  EXPECT_EQ(t.reader->place(2), "stdin:7");
  EXPECT_EQ(t.ragged.first_line, 6);
}

TEST_F(Csv, Zstd) {
  const auto bytes = read_file("tests/unit/data/tables/rows.csv.zst");  // by make_tables.py: two frames
  ASSERT_TRUE(bytes);
  auto t = read_table(write(*bytes, "misnamed.csv"));
  EXPECT_EQ(t.error.what, "");
  EXPECT_EQ(t.format.compression, Compression::zstd);
  ASSERT_EQ(t.rows.size(), 3001u);
  EXPECT_EQ(t.rows[2999], (std::vector<std::string>{"2999", std::to_string(2999 * 7919 % 10'007)}));
  EXPECT_EQ(t.rows[3000], (std::vector<std::string>{"3000", "x"}));
  EXPECT_EQ(t.reader->line_of(3000), 3002);
  for (const size_t keep : {size_t{5}, size_t{12}, bytes->size() / 2, bytes->size() - 1}) {
    t = read_table(write(bytes->substr(0, keep)));
    EXPECT_EQ(t.error.what, "the zstd file ends too early: a part of it is missing") << keep;
  }
  std::string flipped = *bytes;
  flipped[5] ^= 0x7F;
  EXPECT_EQ(read_table(write(flipped)).error.kind, ErrorKind::data);
  EXPECT_EQ(read_table(write(*bytes + "no frame")).error.what, "the zstd file is damaged");
}

TEST_F(Csv, MemoryIsBoundedByTheBlock) {
  std::string text = "a,b\n";
  while (text.size() < (4 << 20)) text += "some words,12345\n";
  ReadOptions options;
  options.block_bytes = 64 << 10;
  auto reader = open_table(write(text), options);
  ASSERT_TRUE(reader);
  int batches = 0;
  while (true) {
    auto batch = (*reader)->next();
    ASSERT_TRUE(batch);
    if (!*batch) break;
    ++batches;
    EXPECT_LE((*batch)->rows(), 65'536 / 10);
  }
  EXPECT_GT(batches, 60);
}

}  // namespace
}  // namespace shoestring::data
