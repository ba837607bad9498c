#include "data/parse.h"

#include <fmt/format.h>

#include <cmath>

#include "table_files.h"

namespace shoestring::data {
namespace {

TEST(ParseNumber, WholeCellOnly) {
  const std::vector<std::pair<const char*, double>> good{
      {"5", 5},
      {"-1.5", -1.5},
      {"+2", 2},
      {".5", 0.5},
      {"5.", 5},
      {"1e-3", 1e-3},
      {"-0", 0},
      {"007", 7},
      {"1E5", 1e5},
      {"123456789012345", 123456789012345},
      {"1234567890123456789", 1234567890123456789.0},
      {"0.1", 0.1},
      {"-.5e1", -5},
      {"1e-999", 0},
      {"179769313486231570000e288", 1.7976931348623157e308}};
  for (const auto& [text, value] : good) {
    ASSERT_TRUE(parse_number(text)) << text;
    EXPECT_EQ(*parse_number(text), value) << text;
  }
  for (const char* text : {"",      "-",      "+",        ".",   "e5",    "1,234", "1 234", "0x1F",
                           "inf",   "-inf",   "Infinity", "nan", "NaN",   "5 kg",  "$5",    "5%",
                           "1e999", "-1e999", "+-5",      "--5", "1.2.3", "1e",    "٣",     "1_000"}) {
    EXPECT_FALSE(parse_number(text)) << text;
  }
}

TEST(ParseBinary, Spellings) {
  for (const char* text : {"yes", "Y", "TRUE", "t", "1", "1.0", "True"})
    EXPECT_EQ(parse_binary(text), true) << text;
  for (const char* text : {"no", "N", "FALSE", "f", "0", "0.0", "-1", "-1.0"})
    EXPECT_EQ(parse_binary(text), false) << text;
  for (const char* text : {"", "ja", "2", "yes.", "on", "10", "truely"})
    EXPECT_FALSE(parse_binary(text)) << text;
}

TEST(AppendNumbers, MissingAndBad) {
  const RecordBatch batch = make_batch({{" 1 "}, {"?"}, {"x"}, {"inf"}, {""}, {"2.5"}});
  std::vector<double> values{9};
  BadCells bad;
  append_numbers(batch.column(0), 100, values, bad);
  ASSERT_EQ(values.size(), 7u);
  EXPECT_EQ(values[1], 1);
  for (const int i : {2, 3, 4, 5}) EXPECT_TRUE(std::isnan(values[i])) << i;
  EXPECT_EQ(values[6], 2.5);
  EXPECT_EQ(bad.count, 2);
  EXPECT_EQ(bad.first_row, 102);
  EXPECT_EQ(bad.first_value, "x");
}

class BadCellsInFile : public TableFiles {};

TEST_F(BadCellsInFile, NamedAboveTheTolerance) {
  std::string text = "a,b\n";
  for (int i = 0; i < 100; ++i) text += fmt::format("{},{}\n", i, i % 16 == 15 ? "many" : "1");
  const auto t = read_table(write(text));
  BadCells bad;
  for (size_t r = 0; r < t.rows.size(); ++r) {
    if (!parse_number(t.rows[r][1])) bad.add(static_cast<int64_t>(r), t.rows[r][1]);
  }
  const Status status = check_bad_cells(bad, 100, 0.05, "b", "a number", *t.reader);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::data);
  EXPECT_EQ(status.error().what, "'many' is not a number; 6 of 100 cells are not");
  EXPECT_TRUE(status.error().where.ends_with("t.csv:17, column 'b'")) << status.error().where;
  EXPECT_TRUE(check_bad_cells(bad, 120, 0.05, "b", "a number", *t.reader));
}

TEST(Dictionary, CodesInOrderOfAppearance) {
  Dictionary d;
  const RecordBatch batch = make_batch({{"b"}, {" a"}, {"b "}, {"?"}, {"c"}, {"b"}});
  std::vector<int32_t> codes;
  append_codes(batch.column(0), d, codes);
  EXPECT_EQ(codes, (std::vector<int32_t>{0, 1, 0, kMissingCode, 2, 0}));
  EXPECT_EQ(d.size(), 3);
  EXPECT_EQ(d.value(1), "a");
  EXPECT_EQ(d.count(0), 3);
  EXPECT_EQ(d.find("c"), 2);
  EXPECT_EQ(d.find("d"), kMissingCode);
  EXPECT_FALSE(d.full());
}

TEST(Dictionary, ManyValues) {
  Dictionary d;
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 50'000; ++i) ASSERT_EQ(d.add("value " + std::to_string(i)), i);
  }
  EXPECT_EQ(d.size(), 50'000);
  EXPECT_EQ(d.count(49'999), 2);
  EXPECT_EQ(d.value(49'999), "value 49999");
  EXPECT_EQ(d.find("value 12345"), 12345);
  EXPECT_EQ(d.find(""), kMissingCode);
}

TEST(Dictionary, Bounds) {
  Dictionary few(2);
  EXPECT_EQ(few.add("a"), 0);
  EXPECT_EQ(few.add("b"), 1);
  EXPECT_FALSE(few.full());
  EXPECT_EQ(few.add("c"), kMissingCode);
  EXPECT_TRUE(few.full());
  EXPECT_EQ(few.add("a"), 0);
  EXPECT_EQ(few.count(0), 2);

  Dictionary small(1 << 20, 1000);
  for (int i = 0; i < 1000; ++i) small.add(std::to_string(i));
  EXPECT_TRUE(small.full());
  EXPECT_LT(small.size(), 40);
}

}  // namespace
}  // namespace shoestring::data
