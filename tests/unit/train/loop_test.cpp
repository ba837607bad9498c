#include "train/loop.h"

#include <cstring>

#include "unit/train/allocations.h"
#include "unit/train/tables.h"

namespace shoestring::train {
namespace {

// A data set, an engine and a loop over them.
struct Bench {
  Bench(const std::string& recipe, int rows, LoopHooks hooks = {}) {
    const Folder folder;
    auto prepared = prepare({.dataset = folder.write("t.csv", sums_table(rows))}, recipe_from(recipe), {});
    EXPECT_TRUE(prepared) << prepared.error().message();
    data = std::move(*prepared);
    const task::Trainer& trainer = data.spec.recipe.trainer;
    const auto training = static_cast<int64_t>(data.training.size());
    const task::BatchSizes batch = task::batch_sizes(trainer, training);
    data.spec.accumulates = batch.accumulation > 1;
    const CompileOptions options{.target = native_target()};
    auto made = Engine::create(data.spec, plans_for(batch, training, training), options);
    EXPECT_TRUE(made) << made.error().message();
    engine.emplace(std::move(*made));
    EXPECT_TRUE(engine->initialize(42, options));
    best.emplace(std::move(*BestModel::create(*engine)));
    for (const auto& runner : engine->runners())
      if (runner->request().kind == PlanKind::evaluate) evaluator.emplace(*runner, data);
    loop.emplace(
        *engine, data, *evaluator, *best,
        LoopSettings{trainer, batch, horizon(trainer, training, batch.batch * batch.accumulation), 42},
        std::move(hooks));
  }
  std::vector<float> parameters() {
    std::vector<float> values;
    for (const StateSlot& slot : engine->layout().slots()) {
      if (slot.info.role != StateRole::parameter) continue;
      const auto bytes = engine->bytes(slot);
      const size_t before = values.size();
      values.resize(before + bytes.size() / sizeof(float));
      std::memcpy(values.data() + before, bytes.data(), bytes.size());
    }
    return values;
  }
  Dataset data;
  std::optional<Engine> engine;
  std::optional<BestModel> best;
  std::optional<Evaluator> evaluator;
  std::optional<Loop> loop;
};

// A millisecond passes between two looks at it, so the loop looks up at the same steps every time.
class TickingClock final : public Clock {
 public:
  double seconds() const override { return now_ += 0.001; }

 private:
  mutable double now_ = 0;
};

TEST(Loop, TakesNoMemoryOverTenThousandSteps) {
  if (!kOwnAllocator) GTEST_SKIP() << "a sanitizer's allocator is in the way";
  struct Look {
    int64_t step, allocations;
  };
  std::vector<Look> looks;
  looks.reserve(1 << 20);
  const TickingClock clock;
  LoopHooks hooks;
  hooks.clock = &clock;
  hooks.progress_seconds = 0;
  hooks.progress = [&](const Progress& p) {
    if (looks.size() < looks.capacity()) looks.push_back({p.step, allocation_count()});
  };
  Bench bench(sums_recipe("train_steps: 80000, batch_size: 16, steps_per_checkpoint: 80000, early_stop: -1"),
              60, hooks);
  ASSERT_TRUE(bench.loop->run());
  // The last look is that of the evaluation, which may take memory.
  while (looks.size() > 1 && looks.back().step == 80000) looks.pop_back();
  // And the first is within the first steps, which may wake a thread or a library for the first time.
  ASSERT_GE(looks.size(), 3u);
  looks.erase(looks.begin());
  ASSERT_GE(looks.back().step - looks.front().step, 10'000);
  EXPECT_EQ(looks.back().allocations, looks.front().allocations)
      << "between steps " << looks.front().step << " and " << looks.back().step;
}

// Resident bytes to the page: VmRSS is summed up lazily by the kernel, the maps are not.
int64_t exact_resident_bytes() {
  std::ifstream in("/proc/self/smaps_rollup");
  std::string word;
  int64_t kib = 0;
  while (in >> word)
    if (word == "Rss:" && in >> kib) return kib * 1024;
  return resident_bytes();
}

TEST(Loop, GrowsByNoPageOverTenThousandSteps) {
  if (!kOwnAllocator) GTEST_SKIP() << "a sanitizer's allocator is in the way";
  std::vector<int64_t> resident, steps;
  resident.reserve(1 << 16);
  steps.reserve(1 << 16);
  const TickingClock clock;
  LoopHooks hooks;
  hooks.clock = &clock;
  hooks.progress_seconds = 0;
  hooks.progress = [&](const Progress& p) {
    if (p.step == p.total_steps || steps.size() == steps.capacity()) return;
    steps.push_back(p.step);
    resident.push_back(exact_resident_bytes());
  };
  Bench bench(sums_recipe("train_steps: 40000, batch_size: 16, steps_per_checkpoint: 40000, early_stop: -1"),
              60, hooks);
  ASSERT_TRUE(bench.loop->run());
  // The first look reads the file for the first time.
  ASSERT_GE(steps.size(), 3u);
  ASSERT_GE(steps.back() - steps[1], 10'000);
  EXPECT_EQ(resident.back(), resident[1]) << "between steps " << steps[1] << " and " << steps.back();
}

TEST(Loop, LearnsASum) {
  Bench bench(sums_recipe("epochs: 60, batch_size: 16, learning_rate: 0.01"), 400);
  const auto ending = bench.loop->run();
  ASSERT_TRUE(ending);
  bench.best->restore(*bench.engine);
  EXPECT_GT(bench.evaluator->evaluate(task::SplitName::test).value("y", "accuracy"), 0.9);
}

TEST(Loop, AccumulatedStepsEqualOneLargeStep) {
  const std::string common =
      "train_steps: 6, should_shuffle: false, learning_rate: 0.01, gradient_clipping: null, ";
  Bench whole(sums_recipe(common + "batch_size: 35"), 100);
  Bench parts(sums_recipe(common + "batch_size: 7, gradient_accumulation_steps: 5"), 100);
  ASSERT_TRUE(whole.loop->run());
  ASSERT_TRUE(parts.loop->run());
  const auto a = whole.parameters(), b = parts.parameters();
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 2e-4) << i;
}

TEST(Loop, StopsEarlyAndKeepsTheBest) {
  int evaluations = 0, best_at = 0;
  LoopHooks hooks;
  hooks.evaluated = [&](const Evaluation& e) {
    if (e.step == 0) {
      EXPECT_FALSE(e.best);
      return std::string();
    }
    ++evaluations;
    if (e.best) best_at = evaluations;
    return std::string();
  };
  Bench bench(sums_recipe("epochs: 500, batch_size: 16, learning_rate: 0.05, early_stop: 3"), 100, hooks);
  const auto ending = bench.loop->run();
  ASSERT_TRUE(ending);
  EXPECT_EQ(*ending, Ending::early_stopped);
  EXPECT_EQ(evaluations, best_at + 3);
}

TEST(Loop, StopsWhenAskedAfterTheStep) {
  std::atomic<bool> stop{true};
  LoopHooks hooks;
  hooks.stop = &stop;
  int saved = 0;
  hooks.save = [&](const Position&, BestModel& best) {
    EXPECT_TRUE(best.captured());
    ++saved;
    return Status();
  };
  for (const char* split : {"", "preprocessing: {split: {type: random, probabilities: [1, 0, 0]}}\n"}) {
    Bench bench(split + sums_recipe("epochs: 500, batch_size: 16"), 100, hooks);
    const auto ending = bench.loop->run();
    ASSERT_TRUE(ending);
    EXPECT_EQ(*ending, Ending::interrupted);
    EXPECT_EQ(bench.loop->position().step, 1);
    EXPECT_EQ(bench.best->step(), 1);
  }
  EXPECT_EQ(saved, 2);
}

// Without validation rows the plateau is that of the training rows' accuracy, not of their loss taken as
// something to make large: while both improve the rate stays.
TEST(Loop, APlateauOfASplitWithoutRowsIsThatOfTheTrainingRows) {
  LoopHooks hooks;
  std::vector<double> losses, rates;
  hooks.evaluated = [&](const Evaluation& e) {
    if (e.step == 0) return std::string();
    losses.push_back(e.loss);
    rates.push_back(e.learning_rate);
    EXPECT_TRUE(e.training);
    return std::string();
  };
  Bench bench("preprocessing: {split: {type: random, probabilities: [1, 0, 0]}}\n" +
                  sums_recipe("epochs: 8, batch_size: 16, learning_rate: 0.002, validation_field: y, "
                              "validation_metric: accuracy, learning_rate_scheduler: {reduce_on_plateau: "
                              "5, reduce_on_plateau_patience: 5, reduce_eval_metric: accuracy, "
                              "reduce_eval_split: validation}"),
              300, hooks);
  ASSERT_TRUE(bench.loop->run());
  ASSERT_EQ(losses.size(), 8u);
  EXPECT_LT(losses.back(), losses.front());
  EXPECT_EQ(rates.back(), rates.front());
}

// Of one class there is no roc_auc: no evaluation is the best, and the last model is kept.
TEST(Loop, KeepsTheLastModelWhereTheMetricHasNoValue) {
  Bench bench(sums_recipe("epochs: 3, batch_size: 16, early_stop: -1, validation_field: y, "
                          "validation_metric: roc_auc"),
              100);
  for (const uint32_t row : bench.data.validation) bench.data.targets.numbers[0][row] = 1;
  ASSERT_TRUE(bench.loop->run());
  const auto last = bench.parameters();
  bench.best->restore(*bench.engine);
  EXPECT_EQ(bench.parameters(), last);
}

// One second for every step.
TEST(Loop, TellsTheTimeThatIsLeftAndSavesNowAndThen) {
  ScriptedClock clock;
  LoopHooks hooks;
  hooks.clock = &clock;
  hooks.progress_seconds = 2;
  hooks.save_seconds = 5;
  hooks.evaluated = [&](const Evaluation& e) {
    if (e.step > 0) clock.advance(1);
    return std::string();
  };
  std::vector<int64_t> told, saved;
  hooks.progress = [&](const Progress& p) {
    told.push_back(p.step);
    EXPECT_DOUBLE_EQ(p.seconds, static_cast<double>(p.step));
    EXPECT_DOUBLE_EQ(p.seconds_left, static_cast<double>(12 - p.step));
    EXPECT_DOUBLE_EQ(p.samples_per_second, 70.0 / 5);  // five steps are an epoch of 70 rows
  };
  hooks.save = [&](const Position& position, BestModel&) {
    saved.push_back(position.step);
    return Status();
  };
  Bench bench(sums_recipe("train_steps: 12, batch_size: 14, steps_per_checkpoint: 1, early_stop: -1"), 100,
              hooks);
  ASSERT_TRUE(bench.loop->run());
  EXPECT_EQ(told, (std::vector<int64_t>{2, 4, 6, 8, 10, 12}));
  EXPECT_EQ(saved, (std::vector<int64_t>{5, 10}));
  EXPECT_DOUBLE_EQ(bench.loop->seconds(), 12);
}

TEST(Loop, SkipsBadStepsAndNamesTheNodeWhereTheyBegin) {
  Bench bench(sums_recipe("epochs: 50, batch_size: 16, early_stop: -1"), 100);
  const auto before = bench.parameters();
  bench.data.inputs.numbers.column(0)[bench.data.training[0] * 2] = std::numeric_limits<float>::infinity();
  const auto ending = bench.loop->run();
  ASSERT_TRUE(ending);
  EXPECT_EQ(*ending, Ending::finished);  // one batch of each epoch is bad, and left out
  EXPECT_EQ(bench.loop->position().skipped, 50);
  for (const float value : bench.parameters()) EXPECT_TRUE(std::isfinite(value));
  EXPECT_NE(before, bench.parameters());
}

TEST(Loop, EndsAfterBadStepsInARowWithTheLastGoodStates) {
  Bench bench(sums_recipe("epochs: 50, batch_size: 16"), 100);
  const auto before = bench.parameters();
  for (const uint32_t row : bench.data.training)
    bench.data.inputs.numbers.column(0)[row * 2] = std::numeric_limits<float>::quiet_NaN();
  const auto ending = bench.loop->run();
  ASSERT_TRUE(ending);
  EXPECT_EQ(*ending, Ending::diverged);
  EXPECT_EQ(bench.loop->position().skipped, Loop::kBadInARow);
  EXPECT_NE(bench.loop->bad_node(), "");
  EXPECT_EQ(before, bench.parameters());
}

}  // namespace
}  // namespace shoestring::train
