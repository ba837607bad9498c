// What plan says is what train takes.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/atomic_file.h"
#include "base/memory.h"
#include "train/made_size.h"
#include "train/train.h"
#include "unit/train/allocations.h"
#include "unit/train/tables.h"

namespace shoestring::train {
namespace {

task::Recipe layers_of_256(int layers, int rows_of_a_batch) {
  return recipe_from(fmt::format(R"(
input_features: [{{name: a, type: number}}, {{name: b, type: number}}]
output_features: [{{name: value, type: number}}]
combiner: {{type: concat, num_fc_layers: {}, output_size: 256}}
trainer: {{epochs: 1, batch_size: {}}}
)",
                                 layers, rows_of_a_batch));
}

TrainRequest request(const Folder& folder, std::string budget = {}) {
  return {.recipe = layers_of_256(2, 128),
          .data = {.dataset = folder.write("t.csv", sums_table(300))},
          .output_directory = folder.file("results"),
          .budget = std::move(budget)};
}

int64_t line(const budget::Memory& memory, std::string_view name) {
  for (const auto& line : memory.lines)
    if (line.name == name) return line.bytes;
  return -1;
}

TEST(Plan, CountsParametersAndMoments) {
  const Folder folder;
  const auto planned = plan(request(folder), {});
  ASSERT_TRUE(planned) << planned.error().message();
  const budget::Memory& m = planned->ledger.memory;
  // 2 -> 256 -> 256 -> 1, all f32; each tensor takes a multiple of 64 bytes, the last bias of 4 as well.
  const int64_t weights = 4 * (2 * 256 + 256 + 256 * 256 + 256 + 256) + 64;
  EXPECT_EQ(line(m, "parameters"), weights);
  EXPECT_EQ(line(m, "optimizer state"), 2 * weights);
  EXPECT_EQ(line(m, "gradients") + line(m, "activations") + line(m, "scratch"), m.arena_bytes);
  int64_t sum = 0;
  for (const auto& one : m.lines) sum += one.bytes;
  for (const auto& stage : m.stages) EXPECT_TRUE(stage.apart || stage.bytes <= m.total_bytes) << stage.name;
  EXPECT_LE(sum, m.total_bytes);
  EXPECT_TRUE(planned->fits);
  EXPECT_FALSE(file_exists(folder.file("results")));  // nothing is written
}

TEST(Plan, RefusesABudgetThatIsTooSmallBeforeTraining) {
  const Folder folder;
  const auto small = request(folder, "memory=1MiB");
  const auto planned = plan(small, {});
  ASSERT_TRUE(planned) << planned.error().message();
  ASSERT_FALSE(planned->fits);
  EXPECT_EQ(planned->fits.error().kind, ErrorKind::budget);
  const auto trained = train(small, {});
  ASSERT_FALSE(trained);
  EXPECT_EQ(trained.error().kind, ErrorKind::budget);
  EXPECT_NE(trained.error().message().find("the budget is 1.0 MiB"), std::string::npos)
      << trained.error().message();
  EXPECT_FALSE(file_exists(folder.file("results")));
  const auto no_disk = train(request(folder, "disk=4kB"), {});
  ASSERT_FALSE(no_disk);
  EXPECT_EQ(no_disk.error().kind, ErrorKind::budget);
}

TEST(Plan, AsJsonHasTheNamesThatProgramsRead) {
  const Folder folder;
  const auto planned = plan(request(folder), {});
  ASSERT_TRUE(planned);
  const auto json = nlohmann::json::parse(to_json(planned->ledger));
  for (const char* key : {"/memory/total_bytes", "/memory/arena_bytes", "/memory/lines/0/bytes",
                          "/memory/stages/0/bytes", "/time/p50_s", "/time/p90_s", "/time/stages",
                          "/disk_bytes", "/money", "/energy_wh", "/binding", "/ways_out"})
    EXPECT_TRUE(json.contains(nlohmann::json::json_pointer(key))) << key;
}

// Where the time is short, what would shorten the run, each alone, beside the time that all of it takes.
TEST(Plan, TellsWaysToNeedLessTime) {
  const Folder folder;
  TrainRequest wanted = request(folder, "time=1s");
  wanted.recipe->trainer.epochs.value = 10'000'000;
  wanted.recipe->trainer.evaluate_training_set = true;
  const auto planned = plan(wanted, {});
  ASSERT_TRUE(planned) << planned.error().message();
  EXPECT_TRUE(planned->fits);
  const budget::Ledger& ledger = planned->ledger;
  EXPECT_EQ(ledger.binds, budget::Resource::time);
  ASSERT_GE(ledger.ways_out.size(), 2u);
  EXPECT_TRUE(ledger.ways_out[0].change.starts_with("--budget time=")) << ledger.ways_out[0].change;
  EXPECT_TRUE(ledger.ways_out[0].fits);
  EXPECT_EQ(ledger.ways_out[1].change, "trainer.evaluate_training_set: false");
  EXPECT_FALSE(ledger.ways_out[1].fits);
  EXPECT_LT(ledger.ways_out[1].total, ledger.ways_out[0].total);
  for (const auto& way : ledger.ways_out) EXPECT_EQ(way.of, budget::Resource::time);
}

// Each is measured alone, though the process has held the whole run while it was rehearsed.
TEST(Plan, TellsWaysToNeedLessMemory) {
  if (!kOwnAllocator) GTEST_SKIP() << "a sanitizer's memory is in the way";
  const Folder folder;
  TrainRequest wanted = request(folder);
  wanted.data.dataset = folder.write("long.csv", sums_table(6000));
  wanted.recipe = layers_of_256(8, 4096);
  const auto planned = plan(wanted, {});
  ASSERT_TRUE(planned) << planned.error().message();
  ASSERT_FALSE(planned->ledger.ways_out.empty());
  const budget::WayOut& way = planned->ledger.ways_out[0];
  EXPECT_EQ(way.change, "trainer.enable_gradient_checkpointing: true");
  // Of eight activations of 4 MiB a few are kept.
  EXPECT_LT(way.total, static_cast<double>(planned->ledger.memory.total_bytes - (10 << 20)));
}

constexpr const char* kAuto = R"(
input_features: [{name: a, type: number, encoder: {type: ple, num_bins: 4, output_size: auto}}, {name: b, type: number}]
output_features: [{name: value, type: number}]
combiner: {type: concat, num_fc_layers: auto, output_size: auto}
trainer: {epochs: 1, batch_size: auto, gradient_accumulation_steps: auto, learning_rate: auto}
)";

// What is auto is chosen, told, and written down: the recipe in the folder makes the same run.
TEST(Plan, TellsAndWritesDownWhatIsAuto) {
  const Folder folder;
  TrainRequest wanted = request(folder);
  wanted.recipe = recipe_from(kAuto);
  const auto planned = plan(wanted, {});
  ASSERT_TRUE(planned) << planned.error().message();
  std::vector<std::string> changes;
  for (const auto& choice : planned->ledger.choices) changes.push_back(choice.change);
  // 210 of 300 rows train: a tenth of them behind an update, 0.002 times the root of 21 / 256.
  EXPECT_EQ(changes,
            (std::vector<std::string>{"combiner.num_fc_layers: 2, for 210 training rows",
                                      "combiner.output_size: 32, for 210 training rows",
                                      "input_features.a.encoder.output_size: 12, for 210 training rows",
                                      "trainer.learning_rate: 0.00057, for 21 rows behind an update"}));
  const auto trained = train(wanted, {});
  ASSERT_TRUE(trained) << trained.error().message();
  const auto text = read_file(trained->folder + "/recipe.yaml");
  ASSERT_TRUE(text);
  EXPECT_NE(text->find("# auto: combiner.output_size: 32, for 210 training rows\n"), std::string::npos);
  TrainRequest again = wanted;
  again.recipe = recipe_from(*text);
  EXPECT_EQ(again.recipe->trainer.batch_size, 21);
  EXPECT_EQ(again.recipe->trainer.learning_rate, 0.00057);
  const auto same = train(again, {});
  ASSERT_TRUE(same) << same.error().message();
  EXPECT_EQ(same->validation->combined_loss, trained->validation->combined_loss);
}

// Of recipes that were made the largest is taken that is not far too large, by a guess.
TEST(Plan, AMadeRecipeGivesWayToASmallerOne) {
  const Folder folder;
  const auto of_width = [](int64_t width) {
    return recipe_from(
        "{input_features: [{name: a, type: number}, {name: b, type: number}],"
        " output_features: [{name: value, type: number}],"
        " combiner: {type: concat, num_fc_layers: 3, output_size: " +
        std::to_string(width) + "}}");
  };
  auto data = prepare({.dataset = folder.write("t.csv", sums_table(300))}, of_width(4096), {});
  ASSERT_TRUE(data) << data.error().message();
  Job job{.recipe = of_width(4096), .smaller = {{of_width(256), "of 256"}, {of_width(8), "of 8"}}};
  EXPECT_FALSE(take_small_enough(job, *data, int64_t{8} << 30));
  EXPECT_EQ(job.recipe, of_width(4096));
  // 2 * 4096² weights are 128 MiB, six times that with moments, gradients and the best of them.
  const auto to_256 = take_small_enough(job, *data, resident_bytes() + (int64_t{600} << 20));
  ASSERT_TRUE(to_256);
  EXPECT_EQ(to_256->change, "of 256");
  EXPECT_GT(to_256->saved_bytes, int64_t{600} << 20);
  EXPECT_EQ(job.recipe, of_width(256));
  EXPECT_EQ(data->spec.recipe, of_width(256));
  ASSERT_EQ(job.smaller.size(), 1u);
  EXPECT_EQ(take_small_enough(job, *data, 1)->change, "of 8");
  EXPECT_FALSE(take_small_enough(job, *data, 1));  // there is no smaller one
}

}  // namespace
}  // namespace shoestring::train
