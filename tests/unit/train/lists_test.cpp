// Vectors, sets, bags and dates on their way through training, prediction and evaluation.
#include "base/atomic_file.h"
#include "base/parallel.h"
#include "train/infer.h"
#include "train/predict.h"
#include "train/train.h"
#include "unit/train/tables.h"

namespace shoestring::train {
namespace {

const char* const kRecipe = R"(
input_features:
  - {name: v, type: vector, encoder: {output_size: 4}}
  - {name: tags, type: set, encoder: {embedding_size: 3}}
  - {name: a, type: number}
  - {name: words, type: bag, preprocessing: {tokenizer: comma}, encoder: {num_fc_layers: 1, output_size: 4}}
  - {name: when, type: date, encoder: {type: wave, output_size: 6}}
  - {name: day, type: date, column: when, encoder: {embedding_size: 2}}
output_features: [{name: y, type: number}]
)";

// y is a sum of what each column holds.
std::string lists_table(int rows) {
  std::string text = "v,tags,a,words,when,y\n";
  const char* tags[] = {"red", "red tall", "blue", "blue old tall", ""};
  const char* words[] = {"\"so, so\"", "good", "\"bad, so\"", "\"good, good, good\""};
  const double of_tag[] = {1, 3, -1, 1.5, 0}, of_words[] = {0, 1, -1, 3};
  unsigned state = 7;
  const auto next = [&](int n) {
    state = state * 1664525u + 1013904223u;
    return static_cast<int>(state >> 8) % n;
  };
  for (int i = 0; i < rows; ++i) {
    const int t = next(5), w = next(4), month = next(12), p = next(100), q = next(100);
    const double y = of_tag[t] + of_words[w] + (month < 6 ? 2 : 0) + 0.02 * (p - q);
    text += "[" + std::to_string(0.01 * p) + " " + std::to_string(0.01 * q) + "]," + tags[t] + "," +
            std::to_string(next(10)) + "," + words[w] + ",2016-" + (month < 9 ? "0" : "") +
            std::to_string(month + 1) + "-01 12:00," + std::to_string(y) + "\n";
  }
  return text;
}

// The answers in a file of one column.
std::vector<double> numbers_in(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  std::vector<double> out;
  while (std::getline(file, line)) out.push_back(std::stod(line));
  return out;
}

// Plans of another size may round the last digit the other way.
void expect_near(const std::vector<double>& a, const std::vector<double>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i], b[i], 1e-5 * (1 + std::abs(b[i]))) << "row " << i;
}

TEST(Lists, ArriveAtThePlansPorts) {
  const Folder folder;
  const auto table = folder.write("t.csv",
                                  "v,tags,a,words,when,y\n"
                                  "1 2,red tall,5,\"so, so\",2016-07-04,1\n"
                                  "3 4,tall,6,good,2018-07-04,2\n"
                                  ",tall blue red,7,,2017-01-01 23:59:59,3\n");
  auto recipe = recipe_from(
      kRecipe + std::string("preprocessing: {split: {type: random, probabilities: [1, 0, 0]}}\n"));
  const auto data = prepare({.dataset = table}, recipe, {});
  ASSERT_TRUE(data) << data.error().message();
  EXPECT_EQ(data->spec.input_sizes, (std::vector<int64_t>{2, 3, 1, 3, 1, 1}));  // words: so, <UNK>, good
  EXPECT_EQ(data->spec.input_widths, (std::vector<int64_t>{1, 3, 1, 2, 1, 1}));
  std::vector<float> v(8), when(36);
  std::vector<int32_t> tags(12), words(8);
  Ports ports;
  ports.inputs = {v.data(), tags.data(), nullptr, words.data(), when.data(), nullptr};
  const std::vector<uint32_t> rows{2, 0, 1};
  gather(RowsAt{&data->inputs, &data->targets, rows}, 4, ports);  // the last row is repeated
  EXPECT_EQ(v, (std::vector<float>{0, 0, 1, 2, 3, 4, 3, 4}));
  EXPECT_EQ(tags, (std::vector<int32_t>{0, 1, 2, 0, 1, 3, 0, 3, 3, 0, 3, 3}));  // tall, red, blue
  EXPECT_EQ(words, (std::vector<int32_t>{1, 3, 0, 0, 2, 3, 2, 3}));
  EXPECT_EQ(std::vector<float>(when.begin(), when.begin() + 9),
            (std::vector<float>{0, 0, 0, 6, 0, 23, 59, 59, 86399}));
  EXPECT_EQ(when[10], 6);
  EXPECT_GT(when[18], 1);  // the year, above the mean
}

TEST(Lists, AreLearntAndAnsweredAlike) {
  const Folder folder;
  const std::string table = folder.write("t.csv", lists_table(600));
  const auto trained =
      train({.recipe = recipe_from(kRecipe + std::string("combiner: {num_fc_layers: 1, output_size: 32}\n"
                                                         "trainer: {epochs: 40, learning_rate: 0.01}\n")),
             .data = {.dataset = table},
             .output_directory = folder.file("out")},
            {});
  ASSERT_TRUE(trained) << trained.error().message();
  EXPECT_GT(trained->test->value("y", "r2"), 0.95);

  // Rows that stream through on one thread or several, with unknown words and longer sets, and the same rows
  // evaluated.
  std::string rows = "v,tags,a,words,when,y\n";
  for (int i = 0; i < 60'000; ++i)
    rows += "0.5 " + std::to_string(i % 7) + ",red tall blue old new newer " + std::to_string(i % 3) + "," +
            std::to_string(i % 5) + ",\"good, so\",2017-0" + std::to_string(1 + i % 9) + "-02,0." +
            std::to_string(i % 9) + "\n";
  const std::string long_table = folder.write("long.csv", rows);
  const auto answers = [&](int threads) {
    set_thread_count(threads);
    const std::string file = folder.file("answers.csv");
    const auto predicted = predict({.model = trained->folder, .dataset = long_table, .output = file}, {});
    EXPECT_TRUE(predicted) << predicted.error().message();
    return numbers_in(file);
  };
  const std::vector<double> one = answers(1);
  ASSERT_EQ(one.size(), 60'000u);
  expect_near(answers(2), one);
  set_thread_count(available_cores());
  const auto metrics = evaluate(
      {.model = trained->folder, .dataset = long_table, .predictions = folder.file("evaluated.csv")}, {});
  ASSERT_TRUE(metrics) << metrics.error().message();
  expect_near(numbers_in(folder.file("evaluated.csv")), one);
}

// Two columns of one kind of words share the vectors.
TEST(Lists, TiedInputsShareTheirEncoder) {
  const Folder folder;
  const auto recipe = recipe_from(R"(
input_features:
  - {name: first, type: set, column: tags, encoder: {embedding_size: 3}}
  - {name: second, type: set, column: words, tied: first, encoder: {embedding_size: 3}}
output_features: [{name: y, type: number}]
)");
  const auto data =
      prepare({.dataset = folder.write("t.csv", "tags,words,y\na b,b c,1\na,b,2\nb a,a,3\nb,b,4\n")},
              [&] {
                auto r = recipe;
                r.preprocessing.split = task::RandomSplit{{1, 0, 0}};
                return r;
              }(),
              {});
  ASSERT_TRUE(data) << data.error().message();
  EXPECT_EQ(data->fits.inputs[0], data->fits.inputs[1]);
  const Graph graph = task::build_prediction(data->spec, 2);
  ASSERT_TRUE(graph.status());
  int tables = 0;
  for (const StateInfo& state : graph.states()) tables += state.name.ends_with(".embedding");
  EXPECT_EQ(tables, 1);
}

// In ensembles, with members of their own and with batch ensembles.
TEST(Lists, InEnsembles) {
  const Folder folder;
  const auto trained = train({.recipe = recipe_from(kRecipe + std::string(R"(
combiner: {num_fc_layers: 1, output_size: 16}
ensemble:
  members:
    - {combiner: {type: concat, num_fc_layers: 1, output_size: 16, batch_ensemble: true, num_ensemble_members: 2}}
    - {count: 2}
trainer: {epochs: 15, learning_rate: 0.01}
)")),
                              .data = {.dataset = folder.write("t.csv", lists_table(400))},
                              .output_directory = folder.file("out")},
                             {});
  ASSERT_TRUE(trained) << trained.error().message();
  EXPECT_GT(trained->test->value("y", "r2"), 0.7);
}

// Sets and vectors are predicted, in a table that says nothing of its columns' types.
std::string answers_table(int rows) {
  std::string text = "when,tags,n,labels,place\n";
  const char* tags[] = {"['red', 'tall']", "['blue']", "['red', 'old']", "[]", "['tall', 'old', 'blue']"};
  unsigned state = 11;
  const auto next = [&](int n) {
    state = state * 1664525u + 1013904223u;
    return static_cast<int>(state >> 8) % n;
  };
  for (int i = 0; i < rows; ++i) {
    const int t = next(5), month = next(12), n = next(1000);
    const bool red = t == 0 || t == 2, summer = month >= 4 && month<9, large = n> 500;
    std::string labels;
    for (const auto& [there, label] :
         {std::pair{red, "warm"}, {summer, "sunny"}, {large, "big"}, {!red, "cold"}})
      if (there) labels += (labels.empty() ? "'" : ", '") + std::string(label) + "'";
    text += "2016-" + std::string(month < 9 ? "0" : "") + std::to_string(month + 1) + "-15,\"" + tags[t] +
            "\",0." + std::to_string(1000 + n) + ",\"[" + labels + "]\",[" + std::to_string(100 * red + 3) +
            ".5 " + std::to_string(n / 1000.0) + "]\n";
  }
  return text;
}

TEST(Lists, ArePredicted) {
  const Folder folder;
  const std::string table = folder.write("t.csv", answers_table(1500));
  const auto trained = train({.recipe = recipe_from(R"(
input_features: [{name: when, type: date}, {name: tags, type: set}, {name: n, type: number}]
output_features:
  - {name: labels, type: set}
  - {name: place, type: vector, preprocessing: {normalization: zscore}}
combiner: {num_fc_layers: 1, output_size: 32}
trainer: {epochs: 40, learning_rate: 0.01}
)"),
                              .data = {.dataset = table},
                              .output_directory = folder.file("out")},
                             {});
  ASSERT_TRUE(trained) << trained.error().message();
  EXPECT_GT(trained->test->value("labels", "jaccard"), 0.9);
  EXPECT_GT(trained->test->value("place", "r2"), 0.9);
  const std::string rows = folder.write("p.csv", "when,tags,n\n2016-07-15,\"['red', 'tall']\",0.1950\n");
  const std::string answers = folder.file("a.csv");
  const auto predicted = predict({.model = trained->folder, .dataset = rows, .output = answers}, {});
  ASSERT_TRUE(predicted) << predicted.error().message();
  std::ifstream file(answers);
  std::string names, row;
  std::getline(file, names), std::getline(file, row);
  EXPECT_EQ(names.substr(0, 40), "labels_predictions,labels_probabilities,");
  EXPECT_NE(names.find(",labels_probabilities_warm"), std::string::npos);
  EXPECT_TRUE(names.ends_with(",place_predictions")) << names;
  for (const char* label : {"\"\"warm\"\"", "\"\"sunny\"\"", "\"\"big\"\""})
    EXPECT_NE(row.substr(0, row.find(']')).find(label), std::string::npos) << row;
  EXPECT_EQ(row.substr(0, row.find(']')).find("cold"), std::string::npos) << row;
  const size_t place = row.rfind('[');
  EXPECT_NEAR(std::stod(row.substr(place + 1)), 103.5, 10);
}

// With no recipe: types by looking, several networks, blended.
TEST(Lists, AreFoundByLooking) {
  const Folder folder;
  for (const std::string target : {"labels", "place", "n"}) {
    const std::string table = folder.write("t.csv", answers_table(400));
    auto made = infer_recipe(table, {}, {target});
    ASSERT_TRUE(made) << made.error().message();
    made->recipe.trainer.epochs.value = 2;
    const auto trained = train({.recipe = std::move(made->recipe),
                                .data = {.dataset = table},
                                .output_directory = folder.file(target)},
                               {});
    ASSERT_TRUE(trained) << trained.error().message();
    const std::string recipe = *read_file(trained->folder + "/recipe.yaml");
    EXPECT_NE(recipe.find("name: when\n    column: when\n    type: date"), std::string::npos) << recipe;
    EXPECT_NE(recipe.find("type: set"), std::string::npos);
    EXPECT_NE(recipe.find("type: vector"), std::string::npos);
  }
}

TEST(Lists, ACellThatIsNoneIsToldInPrediction) {
  const Folder folder;
  const auto trained = train({.recipe = recipe_from(kRecipe + std::string("trainer: {epochs: 1}\n")),
                              .data = {.dataset = folder.write("t.csv", lists_table(100))},
                              .output_directory = folder.file("out")},
                             {});
  ASSERT_TRUE(trained) << trained.error().message();
  const auto notes_of = [&](int bad) {
    std::string table = "v,tags,a,words,when\n";
    for (int i = 0; i < 100; ++i) table += i < bad ? "1 2 3,red,1,so,soon\n" : "1 2,red,1,so,2016-01-01\n";
    std::string said;
    const auto predicted = predict(
        {.model = trained->folder, .dataset = folder.write("p.csv", table), .output = folder.file("a.csv")},
        [&](LogLevel, std::string_view text) { said += std::string(text) + "\n"; });
    return predicted ? said : predicted.error().message();
  };
  const std::string few = notes_of(2);
  EXPECT_NE(few.find("p.csv:2, column 'v': '1 2 3' is not a list of 2 numbers; 2 cells taken as missing"),
            std::string::npos)
      << few;
  EXPECT_NE(few.find("p.csv:2, column 'when': 'soon' is not a date; 2 cells taken as missing"),
            std::string::npos)
      << few;
  EXPECT_NE(
      notes_of(6).find("p.csv:2, column 'v': '1 2 3' is not a list of 2 numbers; 6 of 100 cells are not"),
      std::string::npos);
}

}  // namespace
}  // namespace shoestring::train
