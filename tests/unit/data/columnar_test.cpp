// Parquet and Arrow IPC files that pyarrow wrote (tables/make_tables.py).
#include <fmt/format.h>

#include <filesystem>

#include "base/atomic_file.h"
#include "table_files.h"

namespace shoestring::data {
namespace {

const std::string kTables = "tests/unit/data/tables/";

class Columnar : public TableFiles {};

// Column by column: the name and its three cells. What pyarrow's to_pylist() prints, in this program's forms.
const std::vector<std::vector<std::string>> kTypes{
    {"i8", "1", "-128", "∅"},
    {"u64", "0", "18446744073709551615", "∅"},
    {"f16", "0.5", "-2", "∅"},
    {"f32", "0.1", "∅", "∅"},
    {"f64", "0.1", "1e+300", "∅"},
    {"flag", "true", "false", "∅"},
    {"text", "Zürich, \"x\"", "∅", "∅"},
    {"large", "a", "b\nc", "∅"},
    {"word", "red", "blue", "∅"},
    {"bytes", "ab", "c", "∅"},
    {"day", "2016-07-01", "1969-12-31", "∅"},
    {"stamp_s", "2016-07-01 12:30:00", "1960-01-01 00:00:00", "∅"},
    {"stamp_us", "2016-07-01 12:30:00.25", "1969-12-31 23:59:59", "∅"},
    {"time", "01:02:03", "23:59:59.005", "∅"},
    {"price", "1.50", "-0.01", "∅"},
    {"vector", "1.5 2", "∅", "∅"},
    {"tags", "[\"a b\",\"c\"]", "[]", "∅"},
    {"pair", "{\"x\":1,\"y\":\"q\\\"t\"}", "{\"x\":null,\"y\":null}", "∅"},
    {"nothing", "∅", "∅", "∅"},
};

TEST_F(Columnar, EveryType) {
  for (const char* file : {"types.parquet", "types.feather", "types.arrows"}) {
    const auto t = read_table(kTables + file);
    ASSERT_EQ(t.error.what, "") << file;
    ASSERT_EQ(t.rows.size(), 3u) << file;
    size_t at = 0;
    for (const auto& column : kTypes) {
      if (column[0] == "f16" && t.format.kind == TableKind::parquet) continue;
      ASSERT_LT(at, t.names.size());
      EXPECT_EQ(t.names[at], column[0]) << file;
      for (size_t r = 0; r < 3; ++r) EXPECT_EQ(t.rows[r][at], column[r + 1]) << file << " " << column[0];
      ++at;
    }
    EXPECT_EQ(at, t.names.size()) << file;
    EXPECT_EQ(t.reader->place(2), fmt::format("{}{}, row 3", kTables, file));
  }
}

TEST_F(Columnar, RowGroupsAndBatchesDoNotShow) {
  for (const auto& [file, rows] : {std::pair{"rows.parquet", 5000}, {"rows.feather", 500}}) {
    const auto t = read_table(kTables + file);
    ASSERT_EQ(t.error.what, "");
    ASSERT_EQ(t.rows.size(), static_cast<size_t>(rows));
    for (int r = 0; r < rows; ++r)
      ASSERT_EQ(t.rows[static_cast<size_t>(r)],
                (std::vector<std::string>{std::to_string(r), fmt::format("{}", r * 0.5),
                                          fmt::format("word{}", r % 7)}));
  }
}

TEST_F(Columnar, OnlyWhatIsWantedIsRead) {
  for (const char* file : {"types.parquet", "types.feather", "types.arrows"}) {
    auto reader = open_table(kTables + file);
    ASSERT_TRUE(reader);
    const int day = (*reader)->index_of("day"), pair = (*reader)->index_of("pair");
    (*reader)->only(std::vector{day, pair});
    const auto batch = (*reader)->next();
    ASSERT_TRUE(batch && *batch) << file;
    EXPECT_EQ((*batch)->column(day)[0], "2016-07-01");
    EXPECT_EQ((*batch)->column(pair)[1], "{\"x\":null,\"y\":null}");
    EXPECT_TRUE((*batch)->column(0).is_null(0));
  }
}

TEST_F(Columnar, CutShortAnywhereOrDamaged) {
  for (const char* file : {"types.parquet", "types.feather", "types.arrows"}) {
    const auto bytes = read_file(kTables + file);
    ASSERT_TRUE(bytes);
    for (size_t keep = 8; keep < bytes->size(); keep += bytes->size() / 9) {
      const auto t = read_table(write(bytes->substr(0, keep), file));
      if (t.error.what.empty()) continue;  // a stream that ends behind a batch is whole
      EXPECT_EQ(t.error.kind, ErrorKind::data);
      EXPECT_NE(t.error.what.find("damaged"), std::string::npos) << t.error.message();
    }
  }
  const auto parquet = read_file(kTables + std::string("types.parquet"));
  EXPECT_NE(read_table(write(parquet->substr(0, 1000))).error.what, "");
}

TEST_F(Columnar, NotFromAPipeNorCompressed) {
  const auto bytes = read_file(kTables + std::string("types.parquet"));
  const auto t = read_table(write(gzipped(*bytes), "t.parquet.gz"));
  EXPECT_EQ(t.error.what,
            "this is a Parquet file in a compressed file, which is read at several places at once");
  ReadOptions options;
  options.kind = TableKind::csv;
  EXPECT_EQ(read_table(kTables + "types.parquet", options).error.what, "this is a Parquet file, not csv");
  options.kind = TableKind::parquet;
  EXPECT_EQ(read_table(write("a,b\n1,2\n"), options).error.what, "this is no parquet file");
}

}  // namespace
}  // namespace shoestring::data
