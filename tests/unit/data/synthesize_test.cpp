#include "data/synthesize.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "base/atomic_file.h"
#include "base/parallel.h"
#include "data/parse.h"
#include "table_files.h"

namespace shoestring::data {
namespace {

using Kind = SyntheticColumn::Kind;

class Synthesize : public TableFiles {
 protected:
  std::string path_of(const std::string& name) const { return folder_ / name; }

  // The text of a table of so many rows.
  std::string text(const SyntheticTable& table, int64_t rows, uint64_t seed = 42, const char* name = "t.csv",
                   WriteKind kind = WriteKind::csv) {
    auto output = Output::open(path_of(name));
    EXPECT_TRUE(output);
    EXPECT_TRUE(synthesize(table, seed, rows, kind, *output));
    EXPECT_TRUE(output->finish(false));
    return *read_file(path_of(name));
  }

  Rows rows(const SyntheticTable& table, int64_t count, uint64_t seed = 42) {
    text(table, count, seed);
    auto read = read_table(path_of("t.csv"), {.header = true});
    EXPECT_EQ(read.fault(), ": ");
    EXPECT_EQ(static_cast<int64_t>(read.rows.size()), count);
    return std::move(read.rows);
  }
};

std::vector<double> numbers(const Rows& rows, size_t column) {
  std::vector<double> values;
  for (const auto& row : rows) values.push_back(parse_number(row[column]).value());
  return values;
}

struct Moments {
  double mean = 0, deviation = 0;
};
Moments moments(const std::vector<double>& values) {
  Moments m;
  for (const double v : values) m.mean += v / static_cast<double>(values.size());
  for (const double v : values)
    m.deviation += (v - m.mean) * (v - m.mean) / static_cast<double>(values.size());
  m.deviation = std::sqrt(m.deviation);
  return m;
}

const SyntheticTable kMixed{
    .columns = {{.name = "x"},
                {.name = "between", .range = {{-2, 6}}, .decimals = 1},
                {.name = "flag", .kind = Kind::binary, .words = {"no", "yes"}, .share_true = 0.25},
                {.name = "word", .kind = Kind::category, .missing = 0.1, .words = {"a", "b", "c"}},
                {.name = "tags", .kind = Kind::set, .words = {"p", "q", "r"}, .most = 5},
                {.name = "bag", .kind = Kind::bag, .words = {"p", "q", "r"}, .most = 5},
                {.name = "vector", .kind = Kind::vector, .decimals = 2, .most = 3},
                {.name = "day", .kind = Kind::date},
                {.name = "split", .kind = Kind::split},
                {.name = "target", .is_target = true}}};

TEST_F(Synthesize, ColumnsAreWhatWasAskedFor) {
  const Rows table = rows(kMixed, 20'000);
  const double n = 20'000;
  const Moments bell = moments(numbers(table, 0)), even = moments(numbers(table, 1));
  EXPECT_NEAR(bell.mean, 0, 4 / std::sqrt(n));
  EXPECT_NEAR(bell.deviation, 1, 0.03);
  EXPECT_NEAR(even.mean, 2, 4 * even.deviation / std::sqrt(n));
  EXPECT_NEAR(even.deviation, 8 / std::sqrt(12.0), 0.05);
  const Moments target = moments(numbers(table, 9));
  EXPECT_NEAR(target.mean, 0, 0.1);
  EXPECT_NEAR(target.deviation, 1, 0.1);

  std::map<std::string, int> flags, words, splits;
  std::set<std::string> lengths;
  for (const auto& row : table) {
    ++flags[row[2]];
    ++words[row[3]];
    ++splits[row[8]];
    for (const size_t list : {4, 5}) {
      std::map<std::string, int> times;
      for (size_t at = 0; at < row[list].size(); at += 2) ++times[row[list].substr(at, 1)];
      for (const auto& [word, count] : times) EXPECT_LE(count, list == 4 ? 1 : 5) << row[list];
    }
    EXPECT_EQ(std::ranges::count(row[6], ' '), 2);
    EXPECT_TRUE(row[7] >= "2000-01-01" && row[7] <= "2024-12-31" && row[7].size() == 10) << row[7];
  }
  EXPECT_NEAR(flags["yes"] / n, 0.25, 0.02);
  EXPECT_NEAR(words["∅"] / n, 0.1, 0.01);
  EXPECT_GT(words["a"], words["b"]);  // 6 : 3 : 2
  EXPECT_NEAR(words["a"] / n, 0.9 * 6 / 11, 0.02);
  EXPECT_NEAR(splits["0"] / n, 0.7, 0.02);
  EXPECT_NEAR(splits["1"] / n, 0.1, 0.02);
}

TEST_F(Synthesize, EqualSeedsGiveEqualTablesWhateverTheThreads) {
  const int threads = thread_count();
  set_thread_count(1);
  const std::string one = text(kMixed, 10'000);
  set_thread_count(3);
  EXPECT_EQ(text(kMixed, 10'000), one);
  const std::string shorter = text(kMixed, 5'000);
  set_thread_count(threads);
  EXPECT_EQ(one.substr(0, shorter.size()), shorter);
  EXPECT_NE(text(kMixed, 10'000, 43), one);
}

// Four combinations of two inputs: without noise each has one answer, with nothing but noise none has.
TEST_F(Synthesize, WithoutNoiseTheInputsTellTheTarget) {
  SyntheticTable table{
      .columns = {{.name = "a", .kind = Kind::binary, .words = {"0", "1"}},
                  {.name = "b", .kind = Kind::binary, .words = {"0", "1"}},
                  {.name = "y", .is_target = true},
                  {.name = "k", .kind = Kind::category, .is_target = true, .words = {"p", "q", "r"}}}};
  const auto answers = [&](double noise) {
    table.noise = noise;
    std::map<std::string, std::set<std::string>> of;
    for (const auto& row : rows(table, 1'000)) of[row[0] + row[1]].insert(row[2] + row[3]);
    return of;
  };
  std::set<std::string> all;
  for (const auto& [inputs, found] : answers(0)) {
    EXPECT_EQ(found.size(), 1u) << inputs;
    all.insert(found.begin(), found.end());
  }
  EXPECT_EQ(all.size(), 4u);
  for (const auto& [inputs, found] : answers(1)) EXPECT_GT(found.size(), 100u) << inputs;
}

TEST_F(Synthesize, TheShareOfTrueHoldsForTargets) {
  const SyntheticTable table{
      .columns =
          {{.name = "a"},
           {.name = "b"},
           {.name = "y", .kind = Kind::binary, .is_target = true, .words = {"no", "yes"}, .share_true = 0.2}},
      .noise = 0.5};
  int yes = 0;
  for (const auto& row : rows(table, 10'000)) yes += row[2] == "yes";
  EXPECT_NEAR(yes / 1e4, 0.2, 0.05);
}

TEST_F(Synthesize, TsvJsonLinesAndGzipHoldTheSameCells) {
  const Rows csv = rows(kMixed, 500);
  text(kMixed, 500, 42, "t.tsv.gz", WriteKind::tsv);
  const auto tsv = read_table(path_of("t.tsv.gz"));
  EXPECT_EQ(tsv.format.compression, Compression::gzip);
  EXPECT_EQ(tsv.format.delimiter, '\t');
  EXPECT_EQ(tsv.rows, csv);
  text(kMixed, 500, 42, "t.jsonl", WriteKind::jsonl);
  Rows jsonl = read_table(path_of("t.jsonl")).rows;
  ASSERT_EQ(jsonl.size(), csv.size());
  for (size_t r = 0; r < csv.size(); ++r)
    for (const size_t column : {0, 1, 9}) {  // numbers there, not text
      EXPECT_EQ(parse_number(jsonl[r][column]), parse_number(csv[r][column]));
      jsonl[r][column] = csv[r][column];
    }
  EXPECT_EQ(jsonl, csv);
}

TEST_F(Synthesize, TargetsNeedInputs) {
  const SyntheticTable table{
      .columns = {{.name = "split", .kind = Kind::split}, {.name = "y", .is_target = true}}};
  auto output = Output::open(path_of("t.csv"));
  const Status made = synthesize(table, 42, 5, WriteKind::csv, *output);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().kind, ErrorKind::usage);
}

TEST_F(Synthesize, StopsWhenAsked) {
  auto output = Output::open(path_of("t.csv"));
  const Status made = synthesize(kMixed, 42, 1'000'000, WriteKind::csv, *output, [] { return true; });
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().kind, ErrorKind::interrupted);
}

TEST(Decimal, KeepsItsPlaces) {
  const auto text = [](int64_t value, int places) {
    std::string out;
    append_decimal(out, value, places);
    return out;
  };
  EXPECT_EQ(text(12345, 4), "1.2345");
  EXPECT_EQ(text(-5, 1), "-0.5");
  EXPECT_EQ(text(0, 3), "0.000");
  EXPECT_EQ(text(70, 0), "70");
  EXPECT_EQ(text(0, 0), "0");
  EXPECT_EQ(text(INT64_MIN, 18), "-9.223372036854775808");
}

}  // namespace
}  // namespace shoestring::data
