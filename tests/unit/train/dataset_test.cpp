#include <algorithm>
#include <numeric>

#include "train/batches.h"
#include "unit/train/tables.h"

namespace shoestring::train {
namespace {

struct Prepared {
  Result<Dataset> data;
  std::vector<std::string> notes;
};

Prepared prepared(const DataFiles& files, const std::string& recipe) {
  Prepared out{fail(Error{}), {}};
  out.data =
      prepare(files, recipe_from(recipe),
              {.seed = 42, .log = [&](LogLevel, std::string_view text) { out.notes.emplace_back(text); }});
  return out;
}

// The first `bad` of `rows` rows have this in column b.
std::string with_cells(int rows, int bad, const std::string& b, const std::string& y = "yes") {
  std::string text = "a,b,kind,y\n";
  for (int i = 0; i < rows; ++i)
    text += i < bad ? "1," + b + ",red," + y + "\n" : "2,3,green," + std::string(i % 2 ? "yes" : "no") + "\n";
  return text;
}

TEST(Prepare, SplitsAndEncodes) {
  const Folder folder;
  const auto p = prepared({.dataset = folder.write("t.csv", sums_table(200))}, sums_recipe());
  ASSERT_TRUE(p.data) << p.data.error().message();
  EXPECT_EQ(p.data->training.size(), 140u);
  EXPECT_EQ(p.data->validation.size(), 20u);
  EXPECT_EQ(p.data->test.size(), 40u);
  EXPECT_EQ(p.data->spec.input_sizes, (std::vector<int64_t>{1, 1, 3}));
  EXPECT_EQ(p.data->inputs.numbers.width(), 2);
  // Fitted on the training rows alone: their mean is 0, that of all rows is not.
  double sum = 0, all = 0;
  for (const uint32_t row : p.data->training) sum += p.data->inputs.numbers.row(row)[0];
  for (uint32_t row = 0; row < 200; ++row) all += p.data->inputs.numbers.row(row)[0];
  EXPECT_NEAR(sum / 140, 0, 1e-6);
  EXPECT_GT(std::abs(all / 200), 1e-6);
}

TEST(Prepare, ATimestampKeepsItsDigits) {
  const Folder folder;
  std::string text = "a,b,kind,y\n";
  for (int i = 0; i < 100; ++i)
    text +=
        std::to_string(i) + "," + std::to_string(1'700'000'000 + i) + ",red," + (i % 2 ? "yes" : "no") + "\n";
  const auto p = prepared({.dataset = folder.write("t.csv", text)}, sums_recipe());
  ASSERT_TRUE(p.data) << p.data.error().message();
  for (int64_t row = 0; row < 100; ++row) {
    const float* numbers = p.data->inputs.numbers.row(row);
    EXPECT_FLOAT_EQ(numbers[0], numbers[1]) << row;
  }
}

TEST(Prepare, AFileForEachSplit) {
  const Folder folder;
  const auto p = prepared({.training_set = folder.write("a.csv", sums_table(60)),
                           .test_set = folder.write("b.csv", sums_table(30))},
                          sums_recipe());
  ASSERT_TRUE(p.data) << p.data.error().message();
  EXPECT_EQ(p.data->training.size(), 60u);
  EXPECT_EQ(p.data->validation.size(), 0u);
  EXPECT_EQ(p.data->test.size(), 30u);
  EXPECT_EQ(p.data->test.front(), 60u);
}

TEST(Prepare, AColumnNamedSplitSplits) {
  const Folder folder;
  std::string text = "a,b,kind,y,split\n";
  for (int i = 0; i < 30; ++i)
    text += std::to_string(i) + ",1,red," + (i % 2 ? "yes" : "no") + "," + std::to_string(i % 3) + "\n";
  const auto p = prepared({.dataset = folder.write("t.csv", text)}, sums_recipe());
  ASSERT_TRUE(p.data) << p.data.error().message();
  EXPECT_EQ(p.data->test, (std::vector<uint32_t>{2, 5, 8, 11, 14, 17, 20, 23, 26, 29}));
}

TEST(Prepare, RareLabelsAreAClassAndUnknownOnesAreTold) {
  const Folder folder;
  std::string text = "a,b,kind,y,split\n";
  for (int i = 0; i < 40; ++i)
    text += std::to_string(i) + ",1,red," +
            (i < 20   ? "one"
             : i < 35 ? "two"
                      : "rare" + std::to_string(i % 3)) +
            ",0\n";
  text += "1,1,red,rare1,2\n2,1,red,new,2\n3,1,red,newer,2\n";
  const std::string path = folder.write("t.csv", text);
  const auto p = prepared({.dataset = path},
                          "input_features: [{name: a, type: number}]\n"
                          "output_features: [{name: y, type: category, preprocessing: {most_common: 2}}]\n");
  ASSERT_TRUE(p.data) << p.data.error().message();
  const auto& codes = p.data->targets.codes[0];
  EXPECT_EQ(codes[34], 1);
  EXPECT_EQ(codes[39], 2);
  EXPECT_EQ(codes[40], 2);
  EXPECT_EQ(codes[41], -1);
  ASSERT_EQ(p.notes.size(), 1u);
  EXPECT_EQ(p.notes[0], path +
                            ":43, column 'y': 2 rows of a class that no training row has, this is the "
                            "first; no metric counts them");
}

TEST(Prepare, NamesTheColumnThatIsNotThere) {
  const Folder folder;
  const std::string path = folder.write("t.csv", "a,b,kinds,y\n1,2,red,yes\n2,3,red,no\n");
  const auto p = prepared({.dataset = path}, sums_recipe());
  ASSERT_FALSE(p.data);
  EXPECT_EQ(p.data.error().message(),
            path + ": there is no column 'kind' for the input feature 'kind'; did you mean 'kinds'?");
}

TEST(Prepare, TextForANumberIsMissingAndToldAndTooMuchIsAnError) {
  const Folder folder;
  const std::string path = folder.write("t.csv", with_cells(100, 5, "lots"));
  const auto few = prepared({.dataset = path}, sums_recipe());
  ASSERT_TRUE(few.data) << few.data.error().message();
  EXPECT_EQ(few.notes.front(), path + ":2, column 'b': 'lots' is not a number; 5 cells taken as missing");
  folder.write("t.csv", with_cells(100, 6, "lots"));
  const auto many = prepared({.dataset = path}, sums_recipe());
  ASSERT_FALSE(many.data);
  EXPECT_EQ(many.data.error().kind, ErrorKind::data);
  EXPECT_EQ(many.data.error().message(), path +
                                             ":2, column 'b': 'lots' is not a number; 6 of 100 cells are "
                                             "not; repair the cells, or give the column another type");
}

TEST(Prepare, RowsWithoutATargetAreLeftOutAndToldAndTooManyAreAnError) {
  const Folder folder;
  const std::string path = folder.write("t.csv", with_cells(100, 5, "1", "NaN"));
  const auto few = prepared({.dataset = path}, sums_recipe());
  ASSERT_TRUE(few.data) << few.data.error().message();
  EXPECT_EQ(few.notes.front(),
            path + ":2, column 'y': 5 rows of 100 without a value left out, this is the first");
  EXPECT_EQ(few.data->training.size() + few.data->validation.size() + few.data->test.size(), 95u);
  folder.write("t.csv", with_cells(100, 6, "1", ""));
  const auto many = prepared({.dataset = path}, sums_recipe());
  ASSERT_FALSE(many.data);
  EXPECT_EQ(many.data.error().message(),
            path +
                ":2, column 'y': 6 rows of 100 without a value, this is the first; a target needs its "
                "values: fill them in or take the rows out");
}

TEST(Prepare, ATargetOfOneClassIsAnError) {
  const Folder folder;
  std::string text = "a,b,kind,y\n";
  for (int i = 0; i < 40; ++i) text += "1,2,red,yes\n";
  const auto p = prepared({.dataset = folder.write("t.csv", text)}, sums_recipe());
  ASSERT_FALSE(p.data);
  EXPECT_EQ(p.data.error().kind, ErrorKind::data);
}

TEST(Prepare, GatheringRepeatsTheLastRowBeyondTheBatch) {
  const Folder folder;
  const auto p = prepared({.dataset = folder.write("t.csv", sums_table(50))}, sums_recipe());
  ASSERT_TRUE(p.data);
  std::vector<float> numbers(8), targets(4);
  std::vector<int32_t> kinds(4, -7);
  Ports ports;
  ports.numbers = numbers.data();
  ports.inputs = {nullptr, nullptr, kinds.data()};
  ports.targets = {targets.data()};
  const std::vector<uint32_t> rows{3, 9};
  gather(RowsAt{&p.data->inputs, &p.data->targets, rows}, 4, ports);
  for (int r = 0; r < 4; ++r) {
    const uint32_t row = r == 0 ? 3 : 9;
    EXPECT_EQ(numbers[static_cast<size_t>(2 * r)], p.data->inputs.numbers.row(row)[0]);
    EXPECT_EQ(kinds[static_cast<size_t>(r)], std::get<data::CodeColumn>(p.data->inputs.columns[2]).at(row));
    EXPECT_EQ(targets[static_cast<size_t>(r)], p.data->targets.numbers[0][row]);
  }
}

// 100 rows: day i of 2020 written day first, a customer for every five rows, one row in ten is yes.
std::string dated_table() {
  std::string text = "a,when,who,y\n";
  for (int i = 99; i >= 0; --i)
    text += std::to_string(i) + "," + std::to_string(i % 28 + 1) + "/" + std::to_string(i / 28 + 1) +
            "/2020,c" + std::to_string(i / 5) + "," + (i % 10 == 3 ? "yes" : "no") + "\n";
  return text;
}
std::string dated_recipe(const std::string& preprocessing) {
  return "input_features: [{name: a, type: number}]\noutput_features: [{name: y, type: binary}]\n"
         "preprocessing: {" +
         preprocessing + "}\n";
}
bool told(const Prepared& p, const std::string& text) {
  return std::any_of(p.notes.begin(), p.notes.end(),
                     [&](const std::string& note) { return note.find(text) != std::string::npos; });
}

TEST(Prepare, TheNewestRowsTest) {
  const Folder folder;
  const DataFiles files{.dataset = folder.write("t.csv", dated_table())};
  const auto p = prepared(files, dated_recipe("split: {type: datetime, column: when}"));
  ASSERT_TRUE(p.data) << p.data.error().message();
  std::vector<uint32_t> newest(20), next(10);
  std::iota(newest.begin(), newest.end(), 0u);
  std::iota(next.begin(), next.end(), 20u);
  EXPECT_EQ(p.data->test, newest);
  EXPECT_EQ(p.data->validation, next);
  EXPECT_TRUE(told(p, "split by 'when': the day stands first in its dates"));
  EXPECT_TRUE(told(p,
                   "training from 2020-01-01 to 2020-03-14, validation from 2020-03-15 to 2020-03-24, test "
                   "from 2020-03-25 to 2020-04-16"))
      << p.notes.back();
  // A column of numbers is in the order of its numbers; the words of another are no dates.
  const auto by_number = prepared(files, dated_recipe("split: {type: datetime, column: a}"));
  ASSERT_TRUE(by_number.data);
  EXPECT_EQ(by_number.data->test, newest);
  const auto no_dates = prepared(files, dated_recipe("split: {type: datetime, column: who}"));
  ASSERT_FALSE(no_dates.data);
  EXPECT_EQ(no_dates.data.error().kind, ErrorKind::data);
  EXPECT_NE(no_dates.data.error().what.find("'c19' is not a date"), std::string::npos);
}

TEST(Prepare, SplitsByHashAndByGroup) {
  const Folder folder;
  const DataFiles files{.dataset = folder.write("t.csv", dated_table())};
  for (const char* type : {"hash", "group"}) {
    const auto p = prepared(files, dated_recipe(std::string("split: {type: ") + type + ", column: who}"));
    ASSERT_TRUE(p.data) << p.data.error().message();
    std::vector<int> of_customer(20, -1);
    int split = 0;
    for (const auto* rows : {&p.data->training, &p.data->validation, &p.data->test}) {
      EXPECT_TRUE(!rows->empty() || type == std::string("hash")) << split;
      for (const uint32_t row : *rows) {
        int& known = of_customer[(99 - row) / 5];
        EXPECT_TRUE(known == -1 || known == split) << type << row;
        known = split;
      }
      ++split;
    }
    EXPECT_EQ(p.data->training.size() + p.data->validation.size() + p.data->test.size(), 100u);
    if (type == std::string("group")) {
      EXPECT_EQ(p.data->training.size(), 70u);
    }
  }
}

TEST(Prepare, DatesThatAreNoneAreTold) {
  const Folder folder;
  std::string text = "a,b,kind,y,when\n";
  for (int i = 0; i < 100; ++i)
    text += "1,2,red," + std::string(i % 2 ? "yes," : "no,") +
            (i == 20   ? "soon"
             : i == 30 ? "12/31/2020"
                       : std::to_string(i % 28 + 1) + "/0" + std::to_string(i % 9 + 1) + "/2020") +
            "\n";
  const auto p = prepared({.dataset = folder.write("t.csv", text)},
                          sums_recipe() + "preprocessing: {split: {type: datetime, column: when}}\n");
  ASSERT_TRUE(p.data) << p.data.error().message();
  EXPECT_TRUE(told(p, "t.csv:22, column 'when': 'soon' is not a date; 1 cell taken as missing"));
  EXPECT_TRUE(told(p, "row 31 of the table has no date in 'when' that begins with the day"));
  EXPECT_TRUE(told(p, "2 rows without a date in 'when' train"));
}

TEST(Prepare, ASplitByValuesThatAreTooFewOrTooManyIsTold) {
  const Folder folder;
  const DataFiles files{.dataset = folder.write("t.csv", dated_table())};
  const auto distinct = prepared(files, dated_recipe("split: {type: stratify, column: when}"));
  ASSERT_TRUE(distinct.data);
  EXPECT_EQ(distinct.data->validation.size(), 10u);
  EXPECT_EQ(distinct.data->test.size(), 20u);
  EXPECT_TRUE(told(distinct, "100 of its 100 values have too few rows to be in every split"));
  const auto few =
      prepared(files, dated_recipe("split: {type: group, column: who, probabilities: [0.98, 0.01, 0.01]}"));
  ASSERT_TRUE(few.data) << few.data.error().message();
  EXPECT_TRUE(told(few, "split by 'who': no row validates, though 1 % were to"));
  EXPECT_TRUE(told(few, "split by 'who': no row tests, though 1 % were to"));
}

// Each row that sampling leaves is tested once; rows of one customer are together.
TEST(Prepare, Folds) {
  const Folder folder;
  const DataFiles files{.dataset = folder.write("t.csv", dated_table())};
  std::vector<int> tested(100), used(100);
  for (int fold = 1; fold <= 4; ++fold) {
    const auto p = prepared(files, dated_recipe("sample_size: 60, split: {type: fold, folds: 4, fold: " +
                                                std::to_string(fold) + ", group: who}"));
    ASSERT_TRUE(p.data) << p.data.error().message();
    std::vector<int> of_customer(20, -1);
    int split = 0;
    for (const auto* rows : {&p.data->training, &p.data->validation, &p.data->test}) {
      for (const uint32_t row : *rows) {
        int& known = of_customer[(99 - row) / 5];
        EXPECT_TRUE(known == -1 || known == split) << row;
        known = split;
        ++used[row];
      }
      ++split;
    }
    for (const uint32_t row : p.data->test) ++tested[row];
    EXPECT_NEAR(static_cast<double>(p.data->test.size()), 15, 3);
  }
  EXPECT_EQ(std::count(tested.begin(), tested.end(), 1), 60);
  EXPECT_EQ(std::count(tested.begin(), tested.end(), 0), 40);
  EXPECT_EQ(std::count(used.begin(), used.end(), 4), 60);
  for (const auto& [split, what] :
       {std::pair("folds: 101", "100 rows cannot be dealt into 101 folds"),
        std::pair("folds: 21, group: who", "20 groups in 'who' cannot be dealt")}) {
    const auto p = prepared(files, dated_recipe(std::string("split: {type: fold, ") + split + "}"));
    ASSERT_FALSE(p.data);
    EXPECT_EQ(p.data.error().kind, ErrorKind::data);
    EXPECT_NE(p.data.error().what.find(what), std::string::npos) << p.data.error().what;
  }
}

TEST(Prepare, AFileThatTwoSplitsShareIsTold) {
  const Folder folder;
  const std::string a = folder.write("a.csv", sums_table(40));
  std::filesystem::create_symlink(a, folder.file("b.csv"));
  const auto p = prepared({.training_set = a, .test_set = folder.file("b.csv")}, sums_recipe());
  ASSERT_TRUE(p.data);
  EXPECT_TRUE(told(p, "b.csv was read before: figures of the test rows say nothing of new rows"));
}

TEST(Prepare, SamplesAndBalances) {
  const Folder folder;
  const DataFiles files{.dataset = folder.write("t.csv", dated_table())};
  const auto yes_of = [](const Dataset& data) {
    return std::count_if(data.training.begin(), data.training.end(),
                         [&](uint32_t row) { return data.targets.numbers[0][row] == 1; });
  };
  const auto rows_of = [](const Dataset& d) {
    return d.training.size() + d.validation.size() + d.test.size();
  };
  const std::string by_y = "split: {type: stratify, column: y}";
  const auto ratio = prepared(files, dated_recipe("sample_ratio: 0.5"));
  EXPECT_EQ(rows_of(*ratio.data), 50u);
  EXPECT_TRUE(told(ratio, "sample_ratio: 50 of 100 rows are used"));
  EXPECT_EQ(rows_of(*prepared(files, dated_recipe("sample_size: 30")).data), 30u);
  EXPECT_EQ(rows_of(*prepared(files, dated_recipe("sample_size: 300")).data), 100u);

  const auto over = prepared(files, dated_recipe("oversample_minority: 0.5, " + by_y));
  ASSERT_TRUE(over.data) << over.data.error().message();
  EXPECT_EQ(over.data->training.size(), 63u + 32u);  // 7 yes and 63 no, 0.5 * 63 = 31.5
  EXPECT_EQ(yes_of(*over.data), 32);
  EXPECT_EQ(over.data->test.size(), 20u);
  EXPECT_TRUE(told(over, "oversample_minority: training rows of 'yes' from 7 to 32"));
  const auto under = prepared(files, dated_recipe("undersample_majority: 0.7, " + by_y));
  EXPECT_EQ(under.data->training.size(), 17u);  // 7 yes, 7 / 0.7 = 10 no
  EXPECT_EQ(yes_of(*under.data), 7);
  EXPECT_TRUE(told(prepared(files, dated_recipe("oversample_minority: 0.05, " + by_y)),
                   "the training rows are as balanced as that already"));
}

}  // namespace
}  // namespace shoestring::train
