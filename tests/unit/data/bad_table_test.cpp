// Files that are no tables, or damaged ones: each has its words.
#include <fmt/format.h>

#include <algorithm>

#include "table_files.h"

namespace shoestring::data {
namespace {

class BadTable : public TableFiles {
 protected:
  // The error's line for `text`, the folder cut off.
  std::string fault_of(const std::string& text, const std::string& name = "t.csv", ReadOptions options = {}) {
    const ReadTable t = read_table(write(text, name), options);
    EXPECT_EQ(t.error.kind, ErrorKind::data) << text.substr(0, 40);
    EXPECT_FALSE(t.error.fix.empty());
    std::string fault = t.fault();
    const size_t at = fault.find(folder_.string());
    return at == std::string::npos ? fault : fault.erase(at, folder_.string().size() + 1);
  }
};

TEST_F(BadTable, NoFile) {
  auto t = read_table(folder_ / "none.csv");
  EXPECT_EQ(t.error.kind, ErrorKind::data);
  EXPECT_EQ(t.error.what, "no such file");
  t = read_table(folder_);
  EXPECT_EQ(t.error.what, "the folder is empty");
  write("a,b\n1,2\n");
  t = read_table(folder_);
  EXPECT_EQ(t.error.what, "there is no picture in this folder");
  EXPECT_EQ(t.error.fix, "name the table in it: " + (folder_ / "t.csv").string());
}

TEST_F(BadTable, NothingInIt) {
  EXPECT_EQ(fault_of(""), "t.csv: the file is empty");
  EXPECT_EQ(fault_of(" \n\r\n\n"), "t.csv: the file is empty");
  EXPECT_EQ(fault_of("\xEF\xBB\xBF"), "t.csv: the file is empty");
  EXPECT_EQ(fault_of("\n a,b,c\n"), "t.csv:2: the file holds a header and no rows");
  EXPECT_EQ(fault_of("a,b,c"), "t.csv:1: the file holds a header and no rows");
  EXPECT_EQ(fault_of(gzipped("")), "t.csv: the file is empty");
}

TEST_F(BadTable, NotText) {
  EXPECT_EQ(fault_of(std::string("a,b\n1,\0\n", 8)), "t.csv:2: this is not text: it holds a zero byte");
  EXPECT_EQ(fault_of("PK\x03\x04whatever"),
            "t.csv: the directory of the zip archive is damaged, or its end is missing");
  EXPECT_EQ(fault_of("FEA1whatever"), "t.csv: this is a Feather file of version 1, not a table as text");
  EXPECT_EQ(fault_of("Zürich,Köln\nJos\xE9,1\n"), "t.csv:2: this is not UTF-8: byte 0xe9");
  EXPECT_TRUE(fault_of("PAR1whatever").starts_with("t.csv: the Parquet file is damaged: "));
}

TEST_F(BadTable, NotTextFarBehind) {
  std::string text = "a,ü\n";
  while (text.size() < (3 << 20)) text += "some words,12345\n";
  const auto lines = static_cast<int64_t>(std::count(text.begin(), text.end(), '\n'));
  EXPECT_EQ(fault_of(text + "caf\xE9,1\n"), fmt::format("t.csv:{}: this is not UTF-8: byte 0xe9", lines + 1));
  EXPECT_EQ(fault_of(text + "x,\n" + std::string("\0,1\n", 4)),
            fmt::format("t.csv:{}: this is not text: it holds a zero byte", lines + 2));
}

TEST_F(BadTable, GzipCutShortAnywhere) {
  std::string text = "a,b\n";
  for (int i = 0; i < 40'000; ++i) text += fmt::format("{},{}\n", i, i * 7919 % 10'007);
  const std::string gz = gzipped(text);
  ASSERT_GT(gz.size(), 100'000u);
  for (const size_t keep :
       {size_t{3}, size_t{11}, size_t{500}, gz.size() / 2, gz.size() - 9, gz.size() - 1}) {
    EXPECT_EQ(fault_of(gz.substr(0, keep)), "t.csv: the gzip file ends too early: a part of it is missing")
        << keep;
  }
  std::string flipped = gz;
  flipped[gz.size() / 2] ^= 0x10;
  EXPECT_EQ(fault_of(flipped), "t.csv: the gzip file is damaged");
  flipped = gz;
  flipped[gz.size() - 6] ^= 1;  // the checksum
  EXPECT_EQ(fault_of(flipped), "t.csv: the gzip file is damaged");
}

TEST_F(BadTable, RaggedRowsAreLeftOut) {
  std::string text = "a,b,c\n";
  for (int i = 0; i < 1000; ++i) text += i % 100 == 50 ? "1,2\n" : i % 500 == 60 ? "1,2,3,4\n" : "1,2,3\n";
  const auto t = read_table(write(text));
  EXPECT_EQ(t.error.what, "");
  EXPECT_EQ(t.rows.size(), 988u);
  EXPECT_EQ(t.ragged.count, 12);
  EXPECT_EQ(t.ragged.message(), "12 rows left out: line 52 has 2 cells where 3 were expected");
  EXPECT_EQ(t.reader->line_of(49), 51);
  EXPECT_EQ(t.reader->line_of(50), 53);
}

TEST_F(BadTable, TooManyRaggedRows) {
  std::string text = "a,b,c\n";
  for (int i = 0; i < 100; ++i) text += i % 10 == 5 ? "1,2\n" : "1,2,3\n";
  EXPECT_EQ(fault_of(text), "t.csv:7: 10 of 100 rows do not have 3 cells; this one has 2");
  // However many, the delimiter is still found.
  std::string worse = "a;b;c\n";
  for (int i = 0; i < 100; ++i) worse += i % 3 == 0 ? "1;2\n" : "1;2;3\n";
  EXPECT_EQ(fault_of(worse), "t.csv:2: 34 of 100 rows do not have 3 cells; this one has 2");
  ReadOptions options;
  options.tolerance = 0.1;
  EXPECT_EQ(read_table(write(text), options).rows.size(), 90u);
}

TEST_F(BadTable, QuoteNeverClosed) {
  std::string text = "a,b\n1,2\n3,\"open\n";
  while (text.size() < (3 << 20)) text += "some words,12345\n";
  EXPECT_EQ(fault_of(text), "t.csv:3: the quote that opens here is not closed within 1.0 MiB");
}

}  // namespace
}  // namespace shoestring::data
