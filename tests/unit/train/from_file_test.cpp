// Rows that are encoded into a file and read through a window are the rows that would be in memory.
#include "train/from_file.h"

#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <set>

#include "base/atomic_file.h"
#include "base/scratch_file.h"
#include "train/batches.h"
#include "train/sample.h"
#include "train/train.h"
#include "unit/train/allocations.h"
#include "unit/train/tables.h"

namespace shoestring::train {
namespace {

using task::SplitName;

// Buffers so small that a small table has many blocks, buckets and windows.
FromFile small_buffers(const Folder& folder) {
  FromFile where{.buffers = stream_buffers(0, 0), .folder = folder.file("rows")};
  where.buffers.buckets = 96 << 10;
  where.buffers.window = 160 << 10;
  return where;
}

const char* kPerRow = "preprocessing: {split: {type: random, per_row: true}}\n";

// Every cell of a row, as a plan would get it.
using Row = std::vector<float>;
Row row_at(const RowsAt& at, size_t i) {
  const uint32_t place = at.rows[i];
  const auto& numbers = at.inputs->numbers;
  Row row(numbers.row(place), numbers.row(place) + numbers.width());
  row.push_back(static_cast<float>(std::get<data::CodeColumn>(at.inputs->columns[2]).at(place)));
  row.push_back(at.targets->numbers[0][place]);
  return row;
}

std::vector<Row> rows_of(const Dataset& data, SplitName split, int64_t batch,
                         std::optional<uint64_t> seed = {}, uint32_t epoch = 0) {
  std::vector<Row> rows;
  Batches batches(data, split, batch, seed);
  for (int64_t b = 0; b < batches.count(); ++b) {
    const RowsAt at = batches.at(b, epoch);
    for (size_t i = 0; i < at.rows.size(); ++i) rows.push_back(row_at(at, i));
  }
  return rows;
}

std::vector<Row> sorted(std::vector<Row> rows) {
  std::ranges::sort(rows);
  return rows;
}

struct Both {
  Dataset memory, file;
};
Both both(const Folder& folder, const std::string& table, const std::string& recipe) {
  const DataFiles files{.dataset = folder.write("t.csv", table)};
  auto memory = prepare(files, recipe_from(recipe + kPerRow), {});
  auto file = prepare(files, recipe_from(recipe), {.from_file = small_buffers(folder)});
  EXPECT_TRUE(memory) << memory.error().message();
  EXPECT_TRUE(file) << file.error().message();
  return memory && file ? Both{std::move(*memory), std::move(*file)} : Both{};
}

// A second process does not look at the table again as long as it is what it was.
TEST(FromFile, ASurveyIsKept) {
  const Folder folder;
  const DataFiles files{.dataset = folder.write("t.csv", sums_table(2'000))};
  std::vector<std::string> told;
  const PrepareOptions options{.log = [&](LogLevel, std::string_view text) { told.emplace_back(text); },
                               .from_file = small_buffers(folder),
                               .surveys = folder.file("cache")};
  const auto look = [&] {
    told.clear();
    auto data = prepare(files, recipe_from(sums_recipe()), options);
    EXPECT_TRUE(data) << data.error().message();
    return data;
  };
  const auto first = look();
  ASSERT_TRUE(first);
  std::vector<std::filesystem::path> kept;
  for (const auto& file : std::filesystem::directory_iterator(options.surveys)) kept.push_back(file.path());
  ASSERT_EQ(kept.size(), 1u);
  // A mark, to see whose survey it is.
  const std::string text = *read_file(kept[0]), none = "\"told\":[";
  ASSERT_NE(text.find(none), std::string::npos);
  std::string marked = text;
  marked.insert(text.find(none) + none.size(), "[2,\"a mark\"]" + std::string(told.empty() ? "" : ","));
  std::ofstream(kept[0]) << marked;
  const auto second = look();
  ASSERT_TRUE(second);
  ASSERT_FALSE(told.empty());
  EXPECT_EQ(told[0], "a mark");
  EXPECT_TRUE(second->fits == first->fits);
  EXPECT_EQ(rows_of(*second, SplitName::training, 64), rows_of(*first, SplitName::training, 64));
  // Damaged, or of a table that has changed: it is looked at again.
  std::ofstream(kept[0]) << marked.substr(0, marked.size() / 2);
  ASSERT_TRUE(look());
  EXPECT_EQ(*read_file(kept[0]), text);
  std::ofstream(kept[0]) << marked;
  folder.write("t.csv", sums_table(2'100));
  const auto changed = look();
  ASSERT_TRUE(changed);
  EXPECT_TRUE(told.empty() || told[0] != "a mark");
  EXPECT_EQ(changed->rows, 2'100);
}

TEST(FromFile, HoldsTheRowsThatMemoryWould) {
  const Folder folder;
  const auto [memory, file] = both(folder, sums_table(20'000), sums_recipe());
  ASSERT_TRUE(file.file);
  EXPECT_TRUE(file.fits == memory.fits);  // the sample is the whole of so few rows
  EXPECT_EQ(file.spec.recipe, memory.spec.recipe);
  EXPECT_LT(file.most_rows(), file.count(SplitName::training) / 2);
  for (const SplitName split : {SplitName::training, SplitName::validation, SplitName::test})
    EXPECT_EQ(file.count(split), memory.count(split));
  for (const SplitName split : {SplitName::validation, SplitName::test})
    EXPECT_TRUE(rows_of(file, split, 100) == rows_of(memory, split, 100));
  const auto stored = rows_of(file, SplitName::training, 100);
  EXPECT_TRUE(sorted(stored) == sorted(rows_of(memory, SplitName::training, 100)));
  EXPECT_FALSE(stored == rows_of(memory, SplitName::training, 100));
  EXPECT_TRUE(std::filesystem::is_empty(folder.file("rows")));  // the file has no name
}

TEST(FromFile, KeepsTheOrderWhereItIsToBeKept) {
  const Folder folder;
  const auto [memory, file] =
      both(folder, sums_table(5'000), sums_recipe("epochs: 3, batch_size: 16, should_shuffle: false"));
  EXPECT_TRUE(rows_of(file, SplitName::training, 64) == rows_of(memory, SplitName::training, 64));
}

TEST(FromFile, FillsFromTheRowAboveAcrossBlocks) {
  std::string table = "a,b,kind,y\n";
  for (int i = 0; i < 20'000; ++i)
    table += (i % 977 == 0 ? std::to_string(i) : "") + "," + (i % 13 ? std::to_string(i % 101) : "") + "," +
             (i % 3 ? "red" : "blue") + "," + (i % 7 % 2 ? "yes" : "no") + "\n";
  const std::string recipe =
      "input_features: [{name: a, type: number, preprocessing: {missing_value_strategy: ffill}}, "
      "{name: b, type: number, preprocessing: {missing_value_strategy: drop_row}}, "
      "{name: kind, type: category}]\noutput_features: [{name: y, type: binary}]\n";
  const Folder folder;
  const auto [memory, file] = both(folder, table, recipe);
  for (const SplitName split : {SplitName::training, SplitName::validation, SplitName::test})
    EXPECT_TRUE(sorted(rows_of(file, split, 100)) == sorted(rows_of(memory, split, 100)));
}

TEST(FromFile, AnEpochTakesEveryRowOnceInAnOrderOfItsOwn) {
  const Folder folder;
  const auto data = prepare({.dataset = folder.write("t.csv", sums_table(20'000))},
                            recipe_from(sums_recipe()), {.from_file = small_buffers(folder)});
  ASSERT_TRUE(data) << data.error().message();
  const auto all = sorted(rows_of(*data, SplitName::training, 100));
  for (const int64_t batch : {1, 7, 256, 1000}) {
    const auto first = rows_of(*data, SplitName::training, batch, 42, 0);
    const auto second = rows_of(*data, SplitName::training, batch, 42, 1);
    EXPECT_TRUE(sorted(first) == all) << batch;
    EXPECT_TRUE(sorted(second) == all) << batch;
    size_t same = 0;
    for (size_t i = 0; i < first.size(); ++i) same += first[i] == second[i];
    EXPECT_LT(same, first.size() / 100) << batch;
    EXPECT_TRUE(first == rows_of(*data, SplitName::training, batch, 42, 0)) << batch;
  }
}

// A resumed run begins anywhere, and an evaluation takes the window in between.
TEST(FromFile, ABatchDependsOnItsNumberAlone) {
  const Folder folder;
  const auto prepared = [&] {
    auto data = prepare({.dataset = folder.write("t.csv", sums_table(20'000))}, recipe_from(sums_recipe()),
                        {.from_file = small_buffers(folder)});
    EXPECT_TRUE(data) << data.error().message();
    return std::move(*data);
  };
  const Dataset one = prepared(), other = prepared();
  const auto whole = rows_of(one, SplitName::training, 128, 7, 3);
  Batches batches(other, SplitName::training, 128, 7);
  for (const int64_t b : {50, 3, 51, 109, 0}) {
    (void)rows_of(other, SplitName::test, 333);
    const RowsAt at = batches.at(b, 3);
    for (size_t i = 0; i < at.rows.size(); ++i)
      EXPECT_TRUE(row_at(at, i) == whole[static_cast<size_t>(b) * 128 + i]) << b << " " << i;
  }
}

// A table in the order of its target: neither the file nor an epoch may remember it.
TEST(FromFile, ShufflesATableThatIsSorted) {
  std::string table = "a,b,kind,y\n";
  constexpr int kRows = 20'000;
  for (int i = 0; i < kRows; ++i)
    table += std::to_string(i) + ",0,red," + (i < kRows / 2 ? "no" : "yes") + "\n";
  const Folder folder;
  const auto data = prepare({.dataset = folder.write("t.csv", table)}, recipe_from(sums_recipe()),
                            {.from_file = small_buffers(folder)});
  ASSERT_TRUE(data) << data.error().message();
  for (const std::optional<uint64_t> seed : {std::optional<uint64_t>(), std::optional<uint64_t>(1)}) {
    const auto rows = rows_of(*data, SplitName::training, 100, seed);
    for (size_t first = 0; first + 1000 <= rows.size(); first += 1000) {
      const auto begin = rows.begin() + static_cast<std::ptrdiff_t>(first);
      const auto yes = std::count_if(begin, begin + 1000, [](const Row& row) { return row.back() == 1; });
      EXPECT_NEAR(static_cast<double>(yes), 500, 80) << first;  // five deviations
    }
    double rising = 0;  // of neighbours: half of them
    for (size_t i = 1; i < rows.size(); ++i) rising += rows[i][0] > rows[i - 1][0];
    EXPECT_NEAR(rising / static_cast<double>(rows.size()), 0.5, 0.02);
  }
}

TEST(FromFile, TrainsAsWellAsFromMemory) {
  const Folder folder;
  const std::string table = folder.write("t.csv", sums_table(20'000));
  const auto trained = [&](const std::string& name, bool from_file) {
    TrainRequest request{
        .recipe = recipe_from(sums_recipe("epochs: 4, batch_size: 128, learning_rate: 0.01") + kPerRow),
        .data = {.dataset = table},
        .output_directory = folder.file(name)};
    if (from_file) request.from_file = small_buffers(folder);
    auto outcome = train(request, {});
    EXPECT_TRUE(outcome) << outcome.error().message();
    return std::move(*outcome);
  };
  const auto memory = trained("memory", false), file = trained("file", true);
  EXPECT_GT(memory.test->value("y", "accuracy"), 0.98);
  EXPECT_NEAR(file.test->value("y", "accuracy"), memory.test->value("y", "accuracy"), 0.01);
  EXPECT_NEAR(file.test->value("y", "roc_auc"), memory.test->value("y", "roc_auc"), 0.002);
  const auto lines = [&](const std::string& name) {
    const std::string text = *read_file(folder.file(name) + "/experiment_run/predictions.csv");
    return std::count(text.begin(), text.end(), '\n');
  };
  EXPECT_EQ(lines("file"), lines("memory"));
}

TEST(FromFile, AResumedRunGivesTheSameModel) {
  const Folder folder;
  const std::string table = folder.write("t.csv", sums_table(6'000));
  std::atomic<bool> stop = false;
  const auto run = [&](const std::string& name, int64_t stop_at, bool resume) {
    TrainRequest request{.recipe = recipe_from(sums_recipe("epochs: 3, batch_size: 32")),
                         .data = {.dataset = table},
                         .output_directory = folder.file(name),
                         .save_seconds = 0,
                         .stop = &stop,
                         .from_file = small_buffers(folder)};
    if (resume) {
      request.resume = folder.file(name) + "/experiment_run";
      request.recipe.reset();
      request.from_file.reset();  // the run's own recipe says so
    }
    stop = false;
    TrainEvents events;
    events.evaluated = [&](const Evaluation& e) { stop = stop_at > 0 && e.step >= stop_at; };
    auto outcome = train(request, events);
    EXPECT_TRUE(outcome) << outcome.error().message();
    return outcome ? outcome->ending : Ending::diverged;
  };
  EXPECT_EQ(run("whole", 0, false), Ending::finished);
  EXPECT_EQ(run("broken", 100, false), Ending::interrupted);
  EXPECT_EQ(run("broken", 0, true), Ending::finished);
  for (const char* name : {"metrics.jsonl", "model/model.safetensors", "predictions.csv"})
    EXPECT_TRUE(*read_file(folder.file("whole") + "/experiment_run/" + name) ==
                *read_file(folder.file("broken") + "/experiment_run/" + name))
        << name;
}

TEST(FromFile, AFileThatChangesBetweenTheReadingsIsRefused) {
  const Folder folder;
  const DataFiles files{.dataset = folder.write("t.csv", sums_table(2'000))};
  const PrepareOptions options{.from_file = small_buffers(folder)};
  auto surveyed = survey(files, recipe_from(sums_recipe()), options.from_file->buffers, options);
  ASSERT_TRUE(surveyed) << surveyed.error().message();
  EXPECT_EQ(surveyed->found.rows, 2'000);
  EXPECT_EQ(std::accumulate(surveyed->found.split_rows.begin(), surveyed->found.split_rows.end(), int64_t{0}),
            2'000);
  folder.write("t.csv", sums_table(1'000));
  const auto data = prepare_from_file(files, std::move(*surveyed), options);
  ASSERT_FALSE(data);
  EXPECT_EQ(data.error().kind, ErrorKind::data);
  EXPECT_NE(data.error().message().find("t.csv: the file changed while it was read"), std::string::npos)
      << data.error().message();
}

// Sets how long a file may become, and back.
class FileLimit {
 public:
  explicit FileLimit(rlim_t bytes) {
    std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileLimit() { ::setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_{};
};

TEST(FromFile, ADiskWithoutRoomIsTheMachines) {
  const Folder folder;
  const std::string table = folder.write("t.csv", sums_table(20'000));
  const FileLimit limit(64 << 10);
  const auto data =
      prepare({.dataset = table}, recipe_from(sums_recipe()), {.from_file = small_buffers(folder)});
  ASSERT_FALSE(data);
  EXPECT_EQ(data.error().kind, ErrorKind::machine) << data.error().message();
  EXPECT_NE(data.error().fix, "");
  EXPECT_TRUE(std::filesystem::is_empty(folder.file("rows")));
}

TEST(ScratchFile, MoreThanTheDiskHoldsIsRefused) {
  const Folder folder;
  const auto file = ScratchFile::create(folder.path(), int64_t{1} << 60);
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().kind, ErrorKind::machine);
  EXPECT_NE(file.error().message().find("does not fit on the disk"), std::string::npos)
      << file.error().message();
}

TEST(FromFile, WhatNeedsTheWholeTableIsRefusedByName) {
  const auto refused = [](const std::string& features, const std::string& rest, const DataFiles& files) {
    const auto can = can_stream(files, recipe_from("input_features: [" + features +
                                                   "]\noutput_features: [{name: y, type: binary}]\n" + rest));
    EXPECT_TRUE(can || can.error().kind == ErrorKind::budget);
    return can ? std::string() : can.error().message();
  };
  const DataFiles file{.dataset = "t.csv"};
  const std::string a = "{name: a, type: number}";
  EXPECT_EQ(refused(a, "", file), "");
  EXPECT_EQ(refused(a, "preprocessing: {split: {type: hash, column: a}}", file), "");
  const auto says = [&](const std::string& features, const std::string& rest, const std::string& what) {
    const std::string said = refused(features, rest, file);
    EXPECT_NE(said.find(what + " needs the whole table in memory; give more memory, or "), std::string::npos)
        << said;
  };
  says(a, "preprocessing: {split: {type: datetime, column: d}}", "a split of type datetime");
  says(a, "preprocessing: {split: {type: stratify, column: d}}", "a split of type stratify");
  says(a, "preprocessing: {split: {type: group, column: d}}", "a split of type group");
  says(a, "preprocessing: {sample_ratio: 0.5}", "sample_ratio");
  says(a, "preprocessing: {oversample_minority: 0.5}", "oversample_minority");
  says("{name: a, type: number, preprocessing: {missing_value_strategy: bfill}}", "",
       "bfill of the input feature 'a'");
  says("{name: a, type: category, encoder: {type: target}}", "",
       "the encoder target of the input feature 'a'");
  EXPECT_NE(refused(a, "", {.dataset = "-"}).find("stdin can be read only once"), std::string::npos);
}

// Nobody asks for a file: the budget does.
TEST(FromFile, ABudgetChoosesIt) {
  if (!kOwnAllocator) GTEST_SKIP() << "a sanitizer's memory is in the way";
  const Folder folder;
  const std::string table = folder.write("t.csv", "");
  {
    const std::string rows = sums_table(20'000);
    std::ofstream file(table);
    file << rows;
    for (int i = 1; i < 30; ++i) file << rows.substr(rows.find('\n') + 1);
  }  // 600,000 rows: 24 MB typed and encoded
  const auto trained = [&](const std::string& name, const std::string& budget) {
    TrainRequest request{
        .recipe = recipe_from(sums_recipe("epochs: 1, batch_size: 1024, learning_rate: 0.01")),
        .data = {.dataset = table},
        .output_directory = folder.file(name),
        .budget = budget};
    budget::Ledger ledger;
    auto outcome = train(request, {.started = [&](const Start& start) { ledger = start.ledger; }});
    EXPECT_TRUE(outcome) << outcome.error().message();
    return std::pair(std::move(*outcome), std::move(ledger));
  };
  const auto [file, planned] = trained("file", "memory=44MiB");
  EXPECT_LE(peak_resident_bytes(), planned.memory.total_bytes);
  EXPECT_LE(peak_resident_bytes(), 44 << 20);
  ASSERT_EQ(planned.choices.size(), 1);
  EXPECT_EQ(planned.choices[0].change, "preprocessing.in_memory: false");
  const std::string resolved = *read_file(folder.file("file") + "/experiment_run/recipe.yaml");
  EXPECT_NE(resolved.find("in_memory: false"), std::string::npos);
  EXPECT_NE(resolved.find("per_row: true"), std::string::npos);

  const auto [memory, plenty] = trained("memory", "memory=400MiB");
  EXPECT_TRUE(plenty.choices.empty());
  EXPECT_NEAR(file.test->value("y", "accuracy"), memory.test->value("y", "accuracy"), 0.02);
}

TEST(Sample, StaysSmallAndHasEveryWord) {
  const task::Recipe recipe = recipe_from(sums_recipe());
  constexpr int64_t kBytes = 256 << 10;
  Sample sample(recipe, kBytes, 1), again(recipe, kBytes, 1);
  for (int block = 0; block < 60; ++block) {
    std::vector<std::vector<std::string>> cells;
    for (int i = 0; i < 1000; ++i) {
      const int row = block * 1000 + i;
      cells.push_back({std::to_string(row), "1", row % 500 == 0 ? "word" + std::to_string(row) : "usual",
                       row == 41'234 ? "yes" : "no"});
    }
    RawColumns columns(recipe, true);
    columns.append(data::make_batch(cells), {.inputs = {0, 1, 2}, .outputs = {3}});
    const std::vector<uint8_t> splits(1000, data::kTrain);
    sample.add(columns, block * 1000, splits);
    again.add(columns, block * 1000, splits);
    EXPECT_LE(sample.bytes(), kBytes);
  }
  EXPECT_EQ(sample.training_rows(), 60'000);
  EXPECT_GT(sample.rows(), 2'000);
  EXPECT_LT(sample.rows(), 20'000);
  EXPECT_EQ(std::get<Words>(sample.columns().inputs[2]).dictionary.size(), 121);
  EXPECT_EQ(std::get<Words>(sample.columns().outputs[0]).dictionary.size(), 2);
  const auto& numbers = std::get<Numbers>(sample.columns().inputs[0]).values;
  EXPECT_EQ(numbers, std::get<Numbers>(again.columns().inputs[0]).values);
  const double mean =
      std::accumulate(numbers.begin(), numbers.end(), 0.0) / static_cast<double>(numbers.size());
  EXPECT_NEAR(mean, 30'000, 1'500);  // drawn from all of the table alike
}

}  // namespace
}  // namespace shoestring::train
