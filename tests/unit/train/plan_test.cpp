// What plan says is what train takes.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/atomic_file.h"
#include "train/train.h"
#include "unit/train/tables.h"

namespace shoestring::train {
namespace {

constexpr const char* kRecipe = R"(
input_features: [{name: a, type: number}, {name: b, type: number}]
output_features: [{name: value, type: number}]
combiner: {type: concat, num_fc_layers: 2, output_size: 256}
trainer: {epochs: 1, batch_size: 128}
)";

TrainRequest request(const Folder& folder, std::string budget = {}) {
  return {.recipe = recipe_from(kRecipe),
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
  for (const auto& stage : m.stages) EXPECT_LE(stage.bytes, m.total_bytes) << stage.name;
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

}  // namespace
}  // namespace shoestring::train
