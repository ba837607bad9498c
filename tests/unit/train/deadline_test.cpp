// The training loop under a deadline, on a scripted clock; and a run of the program that has one.
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/atomic_file.h"
#include "base/philox.h"
#include "model/tensor_file.h"
#include "train/loop.h"
#include "train/train.h"
#include "unit/train/tables.h"

namespace shoestring::train {
namespace {

// Every step, evaluation and checkpoint of a loop takes what the script says.
class Script final : public Clock {
 public:
  double seconds() const override {
    if (loop)
      for (const int64_t now = loop->position().step; counted_ < now; ++counted_) extra_ += step(counted_);
    return extra_;
  }
  void advance(double seconds) { extra_ += seconds; }
  void begin_at(int64_t first) { counted_ = first; }

  const Loop* loop = nullptr;
  std::function<double(int64_t)> step = [](int64_t) { return 1.0; };

 private:
  mutable double extra_ = 0;
  mutable int64_t counted_ = 0;
};

// A run of 100 seconds, that needs 10 of them for finishing, over a table of 70 training rows.
struct Timed {
  explicit Timed(const std::string& trainer) {
    const Folder folder;
    auto prepared =
        prepare({.dataset = folder.write("t.csv", sums_table(100))}, recipe_from(sums_recipe(trainer)), {});
    EXPECT_TRUE(prepared) << prepared.error().message();
    data = std::move(*prepared);
    const task::Trainer& t = data.spec.recipe.trainer;
    const auto rows = static_cast<int64_t>(data.training.size());
    batch = task::batch_sizes(t, rows);
    wanted = horizon(t, rows, batch.batch);
    const CompileOptions options{.target = native_target()};
    engine.emplace(std::move(*Engine::create(data.spec, plans_for(batch, rows, rows), options)));
    EXPECT_TRUE(engine->initialize(42, options));
    best.emplace(std::move(*BestModel::create(*engine)));
    for (const auto& runner : engine->runners())
      if (runner->request().kind == PlanKind::evaluate) evaluator.emplace(*runner, data);
    deadline.rates().step.add(planned_step);
    deadline.set_finish({.rows = 0, .seconds = 10 / 1.4});
    hooks.clock = &clock;
    hooks.deadline = &deadline;
    hooks.evaluated = [this](const Evaluation& e) {
      if (e.step > 0) {
        clock.advance(evaluation_seconds);
        rates.push_back(e.learning_rate);
        steps.push_back(e.step);
      }
      return std::string();
    };
  }
  Ending run(bool open_end = false, Position from = {}) {
    deadline.rates().evaluation.add(evaluation_planned);
    const Horizon fitted = fit_horizon(data.spec.recipe.trainer, wanted, deadline);
    planned = fitted.total_steps;
    loop.emplace(*engine, data, *evaluator, *best,
                 LoopSettings{data.spec.recipe.trainer, batch, fitted, 42, wanted.total_steps, open_end},
                 hooks);
    clock.begin_at(from.step);
    loop->restore(std::move(from));
    clock.loop = &*loop;
    auto ending = loop->run();
    EXPECT_TRUE(ending);
    return *ending;
  }
  // What must hold however it went: time for finishing is left, and not much more.
  void expect_kept(double most_unused) {
    EXPECT_GE(deadline.left(), 10) << "the time that finishing needs";
    EXPECT_LE(deadline.left(), 10 + most_unused);
  }

  double planned_step = 1, evaluation_planned = 0.5, evaluation_seconds = 0.5;
  Script clock;
  budget::Deadline deadline{clock, 100, 100};
  Dataset data;
  task::BatchSizes batch;
  Horizon wanted;
  int64_t planned = 0;
  std::vector<double> rates;
  std::vector<int64_t> steps;
  LoopHooks hooks;
  std::optional<Engine> engine;
  std::optional<BestModel> best;
  std::optional<Evaluator> evaluator;
  std::optional<Loop> loop;
};

const char* kEveryStep =
    "epochs: 1000, batch_size: 70, early_stop: -1, steps_per_checkpoint: 1, learning_rate: 1.0e-6, "
    "learning_rate_scheduler: {decay: linear}";
const char* kLinear =
    "epochs: 1000, batch_size: 70, early_stop: -1, steps_per_checkpoint: 10, learning_rate: 1.0e-6, "
    "learning_rate_scheduler: {decay: linear}";

TEST(TimedLoop, WhatFitsHasTheWholeSchedule) {
  Timed t(kLinear);
  EXPECT_EQ(t.run(), Ending::out_of_time);
  EXPECT_EQ(t.loop->position().step, t.planned);
  EXPECT_GT(t.planned, 78);
  EXPECT_LT(t.rates.back(), 0.03e-6);  // linear to 0 at the end of what fits, not of 1,000 epochs
  t.expect_kept(4);
}

TEST(TimedLoop, AllThatWasWantedIsFinished) {
  Timed t("epochs: 20, batch_size: 70, early_stop: -1, learning_rate: 1.0e-6");
  t.evaluation_planned = t.evaluation_seconds = 0.1;
  EXPECT_EQ(t.run(), Ending::finished);
  EXPECT_EQ(t.loop->position().step, 20);
  EXPECT_EQ(t.steps.size(), 20u);
}

TEST(TimedLoop, EpochsThatNobodyAskedForAreComplete) {
  Timed t(std::string(kLinear).replace(0, 12, "epochs: auto"));
  EXPECT_EQ(t.run(true), Ending::finished);
  t.expect_kept(4);
}

// No jump in the learning rate, and still its whole way.
void expect_smooth(const std::vector<double>& rates, double most_change) {
  for (size_t i = 1; i < rates.size(); ++i) {
    EXPECT_LE(rates[i], rates[i - 1]);
    EXPECT_LE(rates[i - 1] - rates[i], most_change * rates.front()) << i;
  }
  EXPECT_LT(rates.back(), 0.12 * rates.front());
}

TEST(TimedLoop, ASlowerMachineDoesFewerSteps) {
  Timed t(kEveryStep);
  t.evaluation_planned = t.evaluation_seconds = 0.01;
  t.clock.step = [](int64_t) { return 3.0; };
  EXPECT_EQ(t.run(), Ending::out_of_time);
  EXPECT_LT(t.loop->position().step, 32);
  expect_smooth(t.rates, 0.06);
  t.expect_kept(5);
}

TEST(TimedLoop, AFasterMachineDoesMore) {
  Timed t(kEveryStep);
  t.evaluation_planned = t.evaluation_seconds = 0.01;
  t.clock.step = [](int64_t) { return 0.5; };
  EXPECT_EQ(t.run(), Ending::out_of_time);
  EXPECT_GT(t.loop->position().step, 150);
  expect_smooth(t.rates, 0.03);
  t.expect_kept(3);
}

TEST(TimedLoop, AMachineThatSlowsDownOnTheWay) {
  Timed t(kEveryStep);
  t.evaluation_planned = t.evaluation_seconds = 0.01;
  t.clock.step = [](int64_t step) { return step < 40 ? 1.0 : 2.0; };
  EXPECT_EQ(t.run(), Ending::out_of_time);
  EXPECT_GT(t.loop->position().step, 55);
  EXPECT_LT(t.loop->position().step, 65);
  expect_smooth(t.rates, 0.12);
  t.expect_kept(5);
}

TEST(TimedLoop, AStopInTheMiddle) {
  for (const int64_t at : {2, 30, 66}) {
    Timed t(kEveryStep);
    t.evaluation_planned = t.evaluation_seconds = 0.01;
    t.clock.step = [at](int64_t step) { return step == at ? 20.0 : 1.0; };
    EXPECT_EQ(t.run(), Ending::out_of_time);
    EXPECT_GT(t.loop->position().step, 60) << at;  // it is not taken for a slower machine
    t.expect_kept(3);
  }
}

TEST(TimedLoop, AStopThatLeavesNothingButTheReserve) {
  Timed t(kEveryStep);
  t.evaluation_planned = t.evaluation_seconds = 0.01;
  t.clock.step = [](int64_t step) { return step == 67 ? 20.0 : 1.0; };
  EXPECT_EQ(t.run(), Ending::out_of_time);
  t.expect_kept(3);
}

TEST(TimedLoop, AStepLongerThanWhatIsLeftIsNotBegun) {
  Timed t(kEveryStep);
  t.planned_step = 35;
  t.deadline.rates().step = {};
  t.deadline.rates().step.add(35);
  t.clock.step = [](int64_t) { return 35.0; };
  EXPECT_EQ(t.run(), Ending::out_of_time);
  EXPECT_EQ(t.loop->position().step, 2);
  EXPECT_GE(t.deadline.left(), 10);
}

TEST(TimedLoop, AnEvaluationSlowerThanPlanned) {
  Timed t(kLinear);
  t.evaluation_planned = 0.1;
  t.evaluation_seconds = 6;
  EXPECT_EQ(t.run(), Ending::out_of_time);
  t.expect_kept(16);  // the last evaluation's time is kept, and one before it was left out
  EXPECT_EQ(t.loop->position().evaluated_step, t.loop->position().step);
}

// Steps from a hundredth to ten times what was planned, unsteady, with stops and evaluations of any length.
TEST(TimedLoop, TwentyRandomRunsEndInTime) {
  for (uint64_t run = 0; run < 20; ++run) {
    Philox random(run, 1);
    const auto between = [&random](double low, double high) {
      return low + (high - low) * uniform01(random.next());
    };
    Timed t(run % 2 ? kEveryStep : kLinear);
    t.evaluation_planned = between(0.05, 3);
    t.evaluation_seconds = t.evaluation_planned * between(0.2, 1.2);
    const double usual = std::exp(between(std::log(0.01), std::log(10))), unsteady = between(0, 0.3);
    const auto stop_at = static_cast<int64_t>(between(0, 40 / usual));
    const double stop = run % 3 ? 0 : between(1, 20);
    t.clock.step = [&](int64_t step) {
      return usual * between(1 - unsteady, 1 + unsteady) + (step == stop_at ? stop : 0);
    };
    EXPECT_EQ(t.run(), Ending::out_of_time) << run;
    EXPECT_GE(t.deadline.left(), 10) << "run " << run << ": the time that finishing needs";
    EXPECT_EQ(t.loop->position().evaluated_step, t.loop->position().step) << run;
  }
}

TEST(TimedLoop, AResumedRunHasWhatIsLeftAndGoesOnWithItsSchedule) {
  Position half;
  double before = 0;
  {
    Timed t(kEveryStep);
    t.evaluation_planned = t.evaluation_seconds = 0.01;
    std::atomic<bool> stop{false};
    t.hooks.stop = &stop;
    t.hooks.evaluated = [&, told = t.hooks.evaluated](const Evaluation& e) {
      stop = e.step == 40;
      return told(e);
    };
    t.hooks.save = [&](const Position& position, BestModel&) {
      half = position;
      return Status();
    };
    t.hooks.save_seconds = 1e9;
    EXPECT_EQ(t.run(), Ending::interrupted);
    before = t.rates.back();
  }
  ASSERT_TRUE(half.fitted);
  EXPECT_NEAR(half.fitted->seconds_used, 40.4, 0.1);
  Timed t(kEveryStep);
  t.evaluation_planned = t.evaluation_seconds = 0.01;
  t.deadline.used_before(half.fitted->seconds_used);
  EXPECT_EQ(t.run(false, half), Ending::out_of_time);
  EXPECT_NEAR(static_cast<double>(t.loop->position().step), 86, 3);
  EXPECT_NEAR(t.rates.front(), before, 0.03 * before);
  EXPECT_LE(t.rates.front(), before);
  t.expect_kept(3);

  Timed over(kEveryStep);
  over.deadline.used_before(95);
  EXPECT_EQ(over.run(false, half), Ending::out_of_time);
  EXPECT_EQ(over.loop->position().step, half.step);
}

TEST(TimedLoop, ItsPositionIsPartOfACheckpointAndOldOnesStillLoad) {
  Timed t(kLinear);
  Position p{.step = 7};
  p.fitted = Fitted{100, 90, 10, 12.5};
  p.best.value = 0;  // no NaN, which is not itself
  p.schedule = {.best = 0, .step = 5, .place = 5.5, .pace = 1.25};
  const Folder folder;
  const std::string path = folder.file("c");
  ASSERT_TRUE(write_checkpoint(path, *t.engine, *t.best, p, 42));
  auto back = read_checkpoint(path, *t.engine, *t.best, 42);
  ASSERT_TRUE(back) << back.error().message();
  EXPECT_EQ(back->position, p);

  // As versions wrote it that knew of no such thing.
  auto file = model::read_tensors(path);
  ASSERT_TRUE(file);
  std::map<std::string, std::string> text;
  for (const char* key : {"kind", "position", "best_step", "seed", "machine"})
    text[key] = *file->text(key, path);
  auto position = nlohmann::json::parse(text["position"]);
  EXPECT_EQ(position.erase("fitted"), 1u);
  text["position"] = position.dump();
  ASSERT_TRUE(model::write_tensors(folder.file("old"), {text.begin(), text.end()}, file->tensors));
  back = read_checkpoint(folder.file("old"), *t.engine, *t.best, 42);
  ASSERT_TRUE(back) << back.error().message();
  p.fitted.reset();
  p.schedule = {.best = 0};
  EXPECT_EQ(back->position, p);
}

// Really, and looked at for everything but the time: whole files, and the ending that goes with them.
TEST(TimedRun, LeavesAWholeFolder) {
  const Folder folder;
  auto request = [&](const std::string& epochs, const std::string& to) {
    return TrainRequest{
        .recipe = recipe_from("budget: {time: 2s}\n" +
                              sums_recipe("epochs: " + epochs + ", batch_size: 16, early_stop: -1")),
        .data = {.dataset = folder.write("t.csv", sums_table(300))},
        .output_directory = folder.file(to)};
  };
  for (const auto& [epochs, ending] :
       {std::pair{"100000000", Ending::out_of_time}, {"2", Ending::finished}}) {
    const auto done = train(request(epochs, epochs), {});
    ASSERT_TRUE(done) << done.error().message();
    EXPECT_EQ(done->ending, ending);
    for (const char* name : {"/model/model.safetensors", "/predictions.csv", "/test_statistics.json",
                             "/training_statistics.json", "/planned_against_actual.json", "/.finished"})
      EXPECT_TRUE(file_exists(done->folder + name)) << name;
    EXPECT_FALSE(file_exists(done->folder + "/checkpoint.safetensors"));
    const auto times = nlohmann::json::parse(*read_file(done->folder + "/planned_against_actual.json"));
    EXPECT_EQ(times.at("limit_seconds"), 2);
    EXPECT_EQ(times.at("steps").at("done"), done->steps);
    // Its evaluations are the lines of metrics.jsonl.
    const auto statistics = nlohmann::json::parse(*read_file(done->folder + "/training_statistics.json"));
    std::istringstream lines(*read_file(done->folder + "/metrics.jsonl"));
    size_t count = 0;
    for (std::string line; std::getline(lines, line); ++count)
      EXPECT_EQ(statistics.at("evaluations").at(count), nlohmann::json::parse(line));
    EXPECT_EQ(statistics.at("evaluations").size(), count);
    EXPECT_GE(count, 2u);
  }
  // Nothing but reading fits, and not even that.
  auto tiny = request("5", "tiny");
  tiny.recipe->budget.time_seconds = 1e-6;
  const auto refused = train(tiny, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::budget) << refused.error().message();
  EXPECT_FALSE(file_exists(folder.file("tiny")));
}

}  // namespace
}  // namespace shoestring::train
