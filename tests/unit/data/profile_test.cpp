#include "data/profile.h"

#include <fmt/format.h>

#include <cmath>
#include <functional>

#include "base/philox.h"
#include "table_files.h"

namespace shoestring::data {
namespace {

class Profile : public TableFiles {
 protected:
  // A table of `rows` rows whose cells are functions of the row.
  TableProfile profile(const std::vector<std::pair<std::string, std::function<std::string(int)>>>& columns,
                       int rows, std::optional<std::string> target = {}, int64_t most_bytes = kProfileBytes) {
    std::string text;
    for (const auto& [name, cell] : columns) text += (text.empty() ? "" : ",") + name;
    text += '\n';
    for (int r = 0; r < rows; ++r) {
      for (size_t c = 0; c < columns.size(); ++c) text += (c == 0 ? "" : ",") + columns[c].second(r);
      text += '\n';
    }
    ReadOptions options;
    options.header = true;
    auto reader = open_table(write(text), options);
    EXPECT_TRUE(reader);
    auto result = profile_table(**reader, std::move(target), most_bytes);
    EXPECT_TRUE(result);
    return std::move(*result);
  }
  Inference one(const std::string& name, const std::function<std::string(int)>& cell, int rows = 200,
                Role role = Role::input) {
    // A second column keeps rows with an empty cell from being blank lines.
    return infer_type(profile({{name, cell}, {"z", [](int) { return "z"; }}}, rows).columns[0], role);
  }
};

// A number that looks random, the same everywhere.
uint32_t noise(int row) { return philox4x32({static_cast<uint32_t>(row), 0, 0, 0}, {1, 2})[0]; }

TEST_F(Profile, KeepsToItsMemory) {
  std::vector<std::pair<std::string, std::function<std::string(int)>>> columns;
  for (int c = 0; c < 60; ++c)
    columns.emplace_back("x" + std::to_string(c), [c](int r) { return std::to_string(noise(64 * r + c)); });
  constexpr int64_t kBytes = 4 << 20;
  const auto small = profile(columns, 8000, "x0", kBytes), all = profile(columns, 8000, "x0");
  EXPECT_LT(small.memory_bytes, kBytes);
  EXPECT_GT(all.memory_bytes, 4 * kBytes);  // what it takes where it may
  EXPECT_FALSE(small.columns[3].distinct_exact);
  EXPECT_TRUE(all.columns[3].distinct_exact);
  EXPECT_NEAR(static_cast<double>(small.columns[3].distinct), 8000, 400);
  EXPECT_NEAR(small.columns[3].mean, all.columns[3].mean, 1e-6 * all.columns[3].mean);
}

TEST_F(Profile, Sums) {
  const auto p = profile({{"x", [](int r) { return r == 3 ? "" : std::to_string(r % 5); }},
                          {"s", [](int r) { return r % 2 == 0 ? "two words" : "héllo"; }}},
                         10);
  const ColumnSummary& x = p.columns[0];
  EXPECT_EQ(p.rows, 10);
  EXPECT_EQ(x.rows, 10);
  EXPECT_EQ(x.missing, 1);
  EXPECT_EQ(x.present(), 9);
  EXPECT_EQ(x.numbers, 9);
  EXPECT_EQ(x.integers, 9);
  EXPECT_EQ(x.minimum, 0);
  EXPECT_EQ(x.maximum, 4);
  EXPECT_NEAR(x.mean, 17.0 / 9, 1e-12);
  EXPECT_NEAR(x.deviation, std::sqrt(51.0 / 9 - 17.0 * 17 / 81), 1e-12);
  EXPECT_EQ(x.distinct, 5);
  EXPECT_TRUE(x.distinct_exact);
  EXPECT_FALSE(x.increasing);
  EXPECT_EQ(x.top[0].value, "0");
  EXPECT_EQ(x.top[0].count, 2);
  EXPECT_EQ(x.top.back().value, "3");
  EXPECT_EQ(p.columns[1].mean_words, 1.5);
  EXPECT_EQ(p.columns[1].mean_length, 7.5);
  EXPECT_EQ(p.columns[1].max_length, 9);
}

TEST_F(Profile, BeyondTheCap) {
  const auto p = profile({{"n", [](int r) { return std::to_string(r); }},
                          {"r", [](int r) { return std::to_string(noise(r) % 20'000); }},
                          {"f", [](int r) { return fmt::format("{}.5", r % 15'000); }}},
                         40'000);
  for (const auto& c : p.columns) {
    EXPECT_FALSE(c.distinct_exact);
    EXPECT_EQ(c.numbers, 40'000);
  }
  EXPECT_NEAR(static_cast<double>(p.columns[0].distinct), 40'000, 2'000);
  EXPECT_NEAR(static_cast<double>(p.columns[1].distinct), 20'000 * (1 - std::exp(-2.0)), 1'000);
  EXPECT_TRUE(p.columns[0].all_distinct);
  EXPECT_TRUE(p.columns[0].increasing);
  EXPECT_FALSE(p.columns[1].all_distinct);
  EXPECT_EQ(p.columns[0].maximum, 39'999);
  EXPECT_NEAR(p.columns[0].mean, 19'999.5, 1e-6);
  EXPECT_NEAR(p.columns[0].deviation, std::sqrt((40'000.0 * 40'000 - 1) / 12), 1e-6);
  EXPECT_LT(p.memory_bytes, 64 << 20);
}

TEST_F(Profile, Types) {
  const auto type = [&](const std::function<std::string(int)>& cell, Role role = Role::input) {
    return one("col", cell, 200, role).type;
  };
  EXPECT_EQ(type([](int r) { return fmt::format("{:.3f}", noise(r) / 1e9); }), ColumnType::number);
  EXPECT_EQ(type([](int r) { return std::to_string(17 + noise(r) % 60); }), ColumnType::number);
  EXPECT_EQ(type([](int r) { return r % 30 == 0 ? "n.a." : std::to_string(noise(r)); }), ColumnType::number);
  EXPECT_EQ(type([](int r) { return r % 2 ? ">50K" : "<=50K"; }), ColumnType::binary);
  EXPECT_EQ(type([](int r) { return r % 2 ? "4" : "2"; }), ColumnType::binary);
  EXPECT_EQ(type([](int r) { return r % 3 == 0 ? "yes" : r % 3 == 1 ? "Yes" : "no"; }), ColumnType::binary);
  EXPECT_EQ(type([](int r) { return std::to_string(r % 3 - 1); }), ColumnType::category);  // -1 0 1
  EXPECT_EQ(type([](int r) { return std::to_string(1 + r % 8); }), ColumnType::category);  // 25 rows a code
  EXPECT_EQ(type([](int r) { return std::to_string(1 + r % 9); }), ColumnType::number);
  EXPECT_EQ(type([](int r) { return std::to_string(1 + r % 9); }, Role::target), ColumnType::category);
  EXPECT_EQ(type([](int r) { return std::to_string(r % 11); }, Role::target), ColumnType::number);
  EXPECT_EQ(type([](int r) { return fmt::format("kind {}", r % 40); }), ColumnType::category);
  EXPECT_EQ(type([](int r) { return fmt::format("2016-07-{:02}", r % 31 + 1); }), ColumnType::date);
  EXPECT_EQ(type([](int r) { return fmt::format("\"[{}, {}]\"", r, r % 7); }), ColumnType::vector);
  EXPECT_EQ(type([](int r) { return fmt::format("0.{} -1.5 2e3", r); }), ColumnType::vector);
  EXPECT_EQ(type([](int r) { return r % 40 ? fmt::format("{} 1 2 3", r) : "1 2"; }), ColumnType::vector);
  EXPECT_NE(type([](int r) { return fmt::format("555 {} 4567", 100 + r); }),
            ColumnType::vector);  // a phone number
  EXPECT_NE(type([](int r) { return fmt::format("\"{},{}\"", r, r % 10); }),
            ColumnType::vector);  // a decimal comma
  EXPECT_EQ(type([](int r) { return fmt::format("\"[\"\"a\"\", \"\"w{}\"\"]\"", r % 9); }), ColumnType::set);
  EXPECT_EQ(type([](int r) { return r % 5 ? fmt::format("\"['a', 'w{}']\"", r % 9) : "[]"; }),
            ColumnType::set);
  EXPECT_EQ(type([](int r) { return fmt::format("this is row {} of them", r); }), ColumnType::text);
  EXPECT_EQ(
      type([](int r) { return fmt::format("距离川沙公路较近但是公交指示不对如果是的话会非常麻烦{}", r); }),
      ColumnType::text);
}

TEST_F(Profile, LeftOut) {
  EXPECT_EQ(one("c", [](int) { return ""; }).leave_out, "no value in any row");
  EXPECT_EQ(one("c", [](int) { return "NA"; }).leave_out, "no value in any row");
  EXPECT_EQ(one("c", [](int r) { return r % 2 ? "7" : "?"; }).leave_out, "constant: '7' in every row");
  EXPECT_EQ(one("row", [](int r) { return std::to_string(r + 1); }).leave_out,
            "an ID: whole numbers that grow from row to row");
  EXPECT_EQ(one("PassengerId", [](int r) { return std::to_string(noise(r)); }).leave_out,
            "an ID by its name: 200 values in 200 rows");
  EXPECT_EQ(one("code", [](int r) { return fmt::format("AB-{}", noise(r)); }).leave_out,
            "an ID: 200 values in 200 rows");
  EXPECT_EQ(one("car", [](int r) { return fmt::format("model {}", r * 3 / 4); }).leave_out,
            "hardly a value occurs twice: 150 values in 200 rows");
  // Not these.
  EXPECT_EQ(one("price", [](int r) { return std::to_string(noise(r)); }).leave_out, "");
  EXPECT_EQ(one("paid", [](int r) { return std::to_string(noise(r)); }).leave_out, "");
  EXPECT_EQ(one("x", [](int r) { return fmt::format("{}.5", r); }).leave_out, "");
  EXPECT_EQ(one(
                "name", [](int r) { return fmt::format("n{}", r); }, 10)
                .leave_out,
            "");
  EXPECT_EQ(one(
                "id", [](int r) { return std::to_string(r); }, 200, Role::target)
                .leave_out,
            "");
}

TEST_F(Profile, Leaks) {
  const auto alive = [](int r) { return noise(r) % 3 == 0 ? "yes" : "no"; };
  const auto p =
      profile({{"survived", [&](int r) { return noise(r) % 3 == 0 ? "1" : "0"; }},
               {"alive", alive},
               {"boat", [&](int r) { return noise(r) % 3 == 0 ? fmt::format("B{}", r % 10) : "?"; }},
               {"score",
                [&](int r) {
                  return fmt::format(
                      "{:.4f}", (noise(r) % 3 == 0 ? 1.0 : 0.0) + 0.9 * (noise(r + 9999) % 1000) / 1000.0);
                }},
               {"age", [](int r) { return std::to_string(noise(r + 5000) % 80); }},
               {"ticket", [](int r) { return fmt::format("T{}", r); }},
               {"class", [](int r) { return std::to_string(noise(r + 7000) % 3); }}},
              500, "survived");
  std::vector<std::string> leaking;
  for (const Leak& leak : p.leaks) leaking.push_back(p.columns[leak.column].name);
  EXPECT_EQ(leaking, (std::vector<std::string>{"alive", "score"}));
  EXPECT_EQ(p.leaks[0].reason, "each of its 2 values goes with one value of 'survived' (500 of 500 rows)");
  EXPECT_TRUE(p.leaks[1].reason.starts_with("it alone tells the two values of 'survived' apart (AUC 1.0"));
}

TEST_F(Profile, LeaksOfANumber) {
  const auto price = [](int r) { return static_cast<double>(noise(r) % 100'000); };
  const auto p =
      profile({{"price", [&](int r) { return fmt::format("{}", price(r)); }},
               {"price_eur", [&](int r) { return fmt::format("{:.2f}", price(r) * 0.92 + 3); }},
               {"minus", [&](int r) { return fmt::format("{}", -price(r) + (noise(r + 77) % 100)); }},
               {"size", [&](int r) { return fmt::format("{}", price(r) + (noise(r + 99) % 30'000)); }}},
              300, "price");
  ASSERT_EQ(p.leaks.size(), 2u);
  EXPECT_EQ(p.leaks[0].column, 1);
  EXPECT_EQ(p.leaks[1].column, 2);
  EXPECT_TRUE(p.leaks[1].reason.starts_with("its correlation with 'price' is -1.0000")) << p.leaks[1].reason;
}

TEST_F(Profile, HugeAndShiftedNumbersAreJudgedByTheirCourse) {
  const auto price = [](int r) { return noise(r) % 100'000; };
  const auto p = profile(
      {{"price", [&](int r) { return fmt::format("{}e290", price(r)); }},
       {"honest",
        [](int r) { return fmt::format("{}e295", static_cast<int>(noise(r + 5) % 100'000) - 50'000); }},
       {"leaking", [&](int r) { return fmt::format("{}e-290", price(r)); }},
       {"shifted", [&](int r) { return fmt::format("{}", 170'000'000'000 + price(r)); }}},
      300, "price");
  ASSERT_EQ(p.leaks.size(), 2u);
  EXPECT_EQ(p.columns[p.leaks[0].column].name, "leaking");
  EXPECT_EQ(p.columns[p.leaks[1].column].name, "shifted");
  EXPECT_TRUE(p.leaks[1].reason.starts_with("its correlation with 'price' is 1.0000")) << p.leaks[1].reason;
}

TEST_F(Profile, NumbersInOtherDressAreNamed) {
  const auto reason = [&](const std::function<std::string(int)>& cell) { return one("x", cell).leave_out; };
  EXPECT_EQ(reason([](int r) { return fmt::format("\"{},{}\"", r, r % 90 + 10); }),
            "it looks like numbers with a decimal comma ('0,10'): write a point");
  EXPECT_EQ(reason([](int r) { return fmt::format("\"{},{:03}\"", r + 1, r); }),
            "it looks like numbers with a comma between thousands ('1,000'): write them without");
  EXPECT_EQ(reason([](int r) { return fmt::format("{}.{}%", r, r % 10); }),
            "it looks like percentages ('0.0%'): write them without the sign");
  EXPECT_EQ(reason([](int r) { return fmt::format("\"-{},{:03}.5 €\"", r + 1, r); }),
            "it looks like amounts with a currency sign ('-1,000.5 €'): write plain numbers");
  EXPECT_EQ(one("x", [](int r) { return fmt::format("£{}.5", r % 9); }).doubt,
            "amounts with a currency sign ('£0.5'): write plain numbers");
  EXPECT_EQ(one("x", [](int r) { return fmt::format("$A{}", r % 9); }).doubt, "");
  EXPECT_EQ(reason([](int r) { return r % 10 == 3 ? fmt::format("oops{}", r) : fmt::format("{}.5", r); }),
            "it looks like numbers, but 20 of 200 cells are none, the first 'oops3': repair them");
}

TEST_F(Profile, ATableThatHoldsEachRowTwiceHasNoLeakByThat) {
  const std::pair<std::string, std::function<std::string(int)>> columns[] = {
      {"y", [](int r) { return noise(r % 300) % 2 ? "a" : "b"; }},
      {"weight", [](int r) { return fmt::format("{}.5", noise(r % 300 + 4000)); }},
      {"code", [](int r) { return noise(r % 300) % 2 ? "x" : "z"; }},
      {"level", [](int r) { return fmt::format("L{}", noise(r % 300 + 8000) % 40); }}};
  const auto p = profile({std::begin(columns), std::end(columns)}, 600, "y");
  ASSERT_EQ(p.leaks.size(), 1u);
  EXPECT_EQ(p.columns[p.leaks[0].column].name, "code");
}

TEST_F(Profile, FewRowsOrAnHonestColumnAreNoLeak) {
  const auto label = [](int r) { return r % 2 ? "a" : "b"; };
  EXPECT_TRUE(profile({{"y", label}, {"x", label}}, 60, "y").leaks.empty());
  // One wrong row in fifty is no leak.
  EXPECT_TRUE(profile({{"y", label}, {"x", [&](int r) { return r % 50 == 0 ? "a" : label(r); }}}, 300, "y")
                  .leaks.empty());
}

TEST_F(Profile, NoSuchTarget) {
  auto reader = open_table(write("income,age\nx,1\ny,2\n"));
  ASSERT_TRUE(reader);
  const auto p = profile_table(**reader, "incme");
  ASSERT_FALSE(p);
  EXPECT_EQ(p.error().kind, ErrorKind::data);
  EXPECT_EQ(p.error().what, "the table has no column 'incme'");
  EXPECT_EQ(p.error().fix, "did you mean 'income'?");
}

}  // namespace
}  // namespace shoestring::data
