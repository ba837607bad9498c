// Whole plans as text, tests/plans/NAME.golden: the graph after all passes, then the plan made of it. A
// change of a pass, a kernel's order or the planner shows as a diff. They are made for the scalar instruction
// set, which every build has, and one thread, so every machine gives the same. After a change that is meant,
// write them anew and read the diff:
//
//   SHOESTRING_UPDATE_GOLDEN=1 build/release/tests/plantest --gtest_filter='Golden.*' && git diff tests/plans
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <set>

#include "base/atomic_file.h"
#include "base/memory.h"
#include "compile/compile.h"
#include "ir/text.h"
#include "plans/families.h"

namespace shoestring::test {
namespace {

using task::NetworkSpec;
using task::StepKind;

struct Case {
  std::string name;
  NetworkSpec spec;
  Graph graph;
};

NetworkSpec accumulating(NetworkSpec spec) {
  spec.accumulates = true;
  return spec;
}

// A number, a category of three, one layer of four, a binary output.
NetworkSpec mixed_spec() {
  NetworkSpec spec;
  spec.recipe.inputs = {
      {"age", "age", task::NumberInput{}},
      {"job", "job", task::CategoryInput{.encoder = task::EmbedEncoder{.embedding_size = 2}}}};
  spec.recipe.combiner = task::ConcatCombiner{.stack = {.layers = {{.output_size = 4}}}};
  spec.recipe.outputs = {{"rich", "rich", task::BinaryOutput{}}};
  spec.input_sizes = {1, 3};
  spec.output_sizes = {1};
  spec.class_weights.resize(1);
  return spec;
}

std::vector<Case> stored() {
  const NetworkSpec mlp = families().at("mlp_adam").spec, sums = accumulating(mlp), mixed = mixed_spec();
  return {
      {"mlp.train", mlp, task::build_training(mlp, 70, StepKind::update)},
      {"mlp.accumulate", sums, task::build_training(sums, 70, StepKind::accumulate)},
      {"mlp.accumulate_and_update", sums, task::build_training(sums, 70, StepKind::accumulate_and_update)},
      {"mixed.predict", mixed, task::build_prediction(mixed, 8)},
  };
}

// Every kind of plan of every family and of the Adult table, and the stored ones.
std::vector<Case> every() {
  std::vector<Case> out = stored();
  std::map<std::string, NetworkSpec> specs{{"adult", adult_spec()}};
  for (const auto& [name, family] : families()) specs[name] = family.spec;
  for (const auto& [name, plain] : specs) {
    const NetworkSpec spec = accumulating(plain);
    out.push_back({name + ".initial", spec, task::build_initial(spec)});
    out.push_back({name + ".train", plain, task::build_training(plain, 256, StepKind::update)});
    out.push_back({name + ".accumulate", spec, task::build_training(spec, 64, StepKind::accumulate)});
    out.push_back({name + ".accumulate_and_update", spec,
                   task::build_training(spec, 33, StepKind::accumulate_and_update)});
    out.push_back({name + ".evaluate", plain, task::build_evaluation(plain, 100)});
    for (const int64_t rows : {1, 64})
      out.push_back({fmt::format("{}.predict {}", name, rows), plain, task::build_prediction(plain, rows)});
  }
  return out;
}

Result<Plan> plan_of(const Case& c, Isa isa) {
  StateLayout layout;
  EXPECT_TRUE(layout.include(task::build_initial(c.spec)));
  EXPECT_TRUE(layout.include(c.graph));
  return compile(c.graph, layout, {.target = {.isa = isa, .threads = 1}});
}

TEST(Golden, PlansAreAsStored) {
  const bool update = std::getenv("SHOESTRING_UPDATE_GOLDEN") != nullptr;
  for (const Case& c : stored()) {
    const std::string path = fmt::format("tests/plans/{}.golden", c.name);
    SCOPED_TRACE(path);
    const Result<Plan> plan = plan_of(c, Isa::scalar);
    ASSERT_TRUE(plan) << plan.error().message();
    EXPECT_LE(plan->arena_bytes, std::max(plan->live_bytes * 105 / 100, plan->live_bytes + 256));
    const std::string text = to_text(plan->graph) + "\n" + to_text(*plan);
    if (update) {
      EXPECT_TRUE(write_file(path, text, false));
      continue;
    }
    const std::string stored = read_file(path).value_or("");
    const size_t at = static_cast<size_t>(std::ranges::mismatch(stored, text).in1 - stored.begin());
    if (stored == text) continue;
    const auto line = [at](const std::string& from) {
      const size_t begin = from.rfind('\n', at == 0 ? 0 : at - 1) + 1;
      return from.substr(begin, from.find('\n', begin) - begin);
    };
    ADD_FAILURE() << "stored: " << line(stored) << "\nnow:    " << line(text)
                  << "\nIf this is meant, write the files anew and read what changed:\n"
                     "  SHOESTRING_UPDATE_GOLDEN=1 build/release/tests/plantest --gtest_filter='Golden.*' && "
                     "git diff tests/plans";
  }
}

// No golden file is left behind by a case that is gone.
TEST(Golden, EveryFileHasItsCase) {
  std::set<std::string> known;
  for (const Case& c : stored()) known.insert(c.name + ".golden");
  for (const auto& entry : std::filesystem::directory_iterator("tests/plans"))
    if (entry.path().extension() == ".golden") {
      EXPECT_TRUE(known.contains(entry.path().filename().string())) << entry.path();
    }
}

// No two slots that are live at once overlap, and the arena is at most 5 % above what is live at the worst
// moment, or 256 bytes.
TEST(Plans, AreSoundAndTight) {
  for (const Case& c : every())
    for (const Isa isa : {Isa::scalar, native_target().isa}) {
      SCOPED_TRACE(fmt::format("{} on {}", c.name, to_string(isa)));
      const Result<Plan> plan = plan_of(c, isa);
      ASSERT_TRUE(plan) << plan.error().message();
      const Status sound = verify(*plan);
      EXPECT_TRUE(sound) << sound.error().message();
      // The planner leaves 7 % between the many small slots of `lists`.
      const int64_t percent = c.name.starts_with("lists.") ? 108 : 105;
      EXPECT_LE(plan->arena_bytes, std::max(plan->live_bytes * percent / 100, plan->live_bytes + 256));
    }
}

}  // namespace
}  // namespace shoestring::test
