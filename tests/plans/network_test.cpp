// What whole steps promise beside their losses: accumulation equals one large batch, a bad number changes
// nothing, statistics and dropout belong to training.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <stdexcept>

#include "ir/verify.h"
#include "plans/families.h"
#include "plans/runner.h"

namespace shoestring::test {
namespace {

using task::StepKind;

using Values = std::map<std::string, Tensor64>;

std::vector<StateInfo> states_of(const task::NetworkSpec& spec) {
  const Graph initial = task::build_initial(spec);
  return {initial.states().begin(), initial.states().end()};
}

Values all_states(Runner& runner, const task::NetworkSpec& spec) {
  Values out;
  for (const StateInfo& s : states_of(spec)) out[s.name] = runner.get(s.name);
  return out;
}

// Every test here runs by the interpreter and as plans.
template <class T>
class Networks : public testing::Test {
 protected:
  // A runner of these graphs, its states filled with sines.
  T start(const task::NetworkSpec& spec, const std::vector<Graph>& graphs) {
    T runner;
    for (const Graph& g : graphs) {
      if (!g.status()) throw std::runtime_error(g.status().error().message());
      if (const Status sound = verify(g); !sound) throw std::runtime_error(sound.error().message());
      runner.add(g);
    }
    for (const StateInfo& s : states_of(spec)) runner.set(s, first_values(s));
    return runner;
  }
};
using Runners = testing::Types<Interpreted, Planned>;
TYPED_TEST_SUITE(Networks, Runners);

Graph named(Graph graph, std::string name) {
  graph.rename(std::move(name));
  return graph;
}

TYPED_TEST(Networks, AccumulatedStepsEqualOneLargeBatch) {
  for (const char* name : {"mlp_adam", "deep_layer_norm", "table", "squared_error", "binary_weighted",
                           "several", "mlp_l1_l2", "mlp_momentum", "class_weights"}) {
    SCOPED_TRACE(name);
    Family family = families().at(name);
    const Graph large = task::build_training(family.spec, family.rows, StepKind::update);
    family.spec.accumulates = true;
    const int64_t a = 7, b = 13, c = family.rows - a - b;
    const std::vector<Graph> parts{
        named(task::build_training(family.spec, a, StepKind::accumulate), "first"),
        named(task::build_training(family.spec, b, StepKind::accumulate), "second"),
        task::build_training(family.spec, c, StepKind::accumulate_and_update)};
    auto whole = this->start(families().at(name).spec, {large});
    auto pieces = this->start(family.spec, parts);
    for (int step = 0; step < 3; ++step) {
      const Values expected = whole.run(large.name(), family.inputs(large, step));
      pieces.run("first", family.inputs(parts[0], step, 0));
      pieces.run("second", family.inputs(parts[1], step, a));
      const Values got = pieces.run(parts[2].name(), family.inputs(parts[2], step, a + b));
      EXPECT_NEAR(got.at("gradient_norm")[0], expected.at("gradient_norm")[0], 1e-6);
      for (const StateInfo& s : states_of(family.spec)) {
        const Tensor64 now = pieces.get(s.name);
        if (s.role == StateRole::accumulator) {
          for (double v : now) EXPECT_EQ(v, 0) << s.name;
          continue;
        }
        const Tensor64 want = whole.get(s.name);
        for (size_t i = 0; i < now.size(); ++i)
          ASSERT_NEAR(now[i], want[i], 2e-6) << s.name << " at step " << step;
      }
    }
  }
}

// What may be wrong with a batch.
void spoil(Values& inputs, const std::string& port, double value) { inputs.at(port)[0] = value; }

TYPED_TEST(Networks, ABadNumberChangesNothing) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN(),
                   kInfinity = std::numeric_limits<double>::infinity();
  for (const auto& [name, family] : families()) {
    SCOPED_TRACE(name);
    if (family.ports.contains("image:p")) continue;  // pixels are whole numbers
    const Graph step = task::build_training(family.spec, family.rows, StepKind::update);
    auto runner = this->start(family.spec, {step});
    // Also in the very first step, when Adam has no bias corrections yet.
    for (int t = 0; t < 3; ++t) {
      for (const double bad : {kNan, kInfinity}) {
        Values inputs = family.inputs(step, t);
        spoil(inputs, inputs.contains("numbers") ? "numbers" : "vector:v", bad);
        const Values before = all_states(runner, family.spec);
        const Values results = runner.run(step.name(), inputs);
        ASSERT_EQ(results.at("finite")[0], 0);
        ASSERT_EQ(all_states(runner, family.spec), before);
      }
      const Values before = all_states(runner, family.spec);
      EXPECT_EQ(runner.run(step.name(), family.inputs(step, t)).at("finite")[0], 1);
      for (const StateInfo& s : states_of(family.spec)) {
        for (double v : runner.get(s.name)) ASSERT_TRUE(std::isfinite(v)) << s.name;
        if (s.role == StateRole::statistic || s.name == "output.y.weights") {
          EXPECT_NE(runner.get(s.name), before.at(s.name)) << s.name;
        }
      }
    }
  }
}

TYPED_TEST(Networks, ABadPartSkipsTheWholeAccumulatedUpdate) {
  for (const char* name : {"mlp_adam", "several"}) {
    SCOPED_TRACE(name);
    Family family = families().at(name);
    family.spec.accumulates = true;
    const Graph part = task::build_training(family.spec, 16, StepKind::accumulate);
    const Graph last = task::build_training(family.spec, 16, StepKind::accumulate_and_update);
    auto runner = this->start(family.spec, {part, last});
    const Values before = all_states(runner, family.spec);
    for (const bool bad_part : {true, false}) {
      Values first = family.inputs(part, 0), second = family.inputs(last, 1, 16);
      spoil(bad_part ? first : second, "numbers", std::numeric_limits<double>::quiet_NaN());
      EXPECT_EQ(runner.run(part.name(), first).at("finite")[0], bad_part ? 0 : 1);
      EXPECT_EQ(runner.run(last.name(), second).at("finite")[0], 0);
      EXPECT_EQ(all_states(runner, family.spec), before);  // the accumulators are zeros again
    }
    runner.run(part.name(), family.inputs(part, 0));
    EXPECT_EQ(runner.run(last.name(), family.inputs(last, 1, 16)).at("finite")[0], 1);
    EXPECT_NE(all_states(runner, family.spec), before);
  }
}

TYPED_TEST(Networks, EvaluationAndPredictionAgreeAndChangeNothing) {
  for (const auto& [name, family] : families()) {
    SCOPED_TRACE(name);
    const Graph evaluation = task::build_evaluation(family.spec, family.rows);
    const Graph prediction = task::build_prediction(family.spec, family.rows),
                one = named(task::build_prediction(family.spec, 1), "one");
    auto runner = this->start(family.spec, {evaluation, prediction, one});
    const Values before = all_states(runner, family.spec);
    const Values evaluated = runner.run(evaluation.name(), family.inputs(evaluation, 0));
    const Values predicted = runner.run(prediction.name(), family.inputs(prediction, 0));
    EXPECT_EQ(evaluated.size(), predicted.size() + family.spec.recipe.outputs.size());
    const Values third = runner.run("one", family.inputs(one, 0, 2));
    for (const auto& [port, values] : predicted) {
      ASSERT_EQ(evaluated.at(port).size(), values.size());
      const size_t width = values.size() / static_cast<size_t>(family.rows);
      double sum = 0;
      for (size_t i = 0; i < values.size(); ++i) EXPECT_NEAR(evaluated.at(port)[i], values[i], 1e-6) << port;
      for (size_t i = 0; i < width; ++i) {
        EXPECT_NEAR(third.at(port)[i], values[2 * width + i], 1e-6) << port;
        sum += third.at(port)[i];
      }
      if (port.starts_with("probabilities:")) {
        const bool of_set = family.spec.recipe.outputs[0].type() == task::FeatureType::set;
        EXPECT_NEAR(of_set ? 1 : sum, 1, 1e-6);
      } else if (port.starts_with("probability:")) {
        EXPECT_TRUE(sum > 0 && sum < 1);
      }
    }
    EXPECT_EQ(all_states(runner, family.spec), before);
  }
}

TYPED_TEST(Networks, DropoutBelongsToTraining) {
  Family family = families().at("deep_residual");
  auto& combiner = std::get<task::ConcatCombiner>(family.spec.recipe.combiner);
  combiner.stack.around.dropout = 0.5;
  for (task::FcLayer& layer : combiner.stack.layers) layer.dropout = 0.5;
  const Graph training = task::build_training(family.spec, family.rows, StepKind::update);
  const Graph evaluation = task::build_evaluation(family.spec, family.rows);
  for (const Node& n : evaluation.nodes()) EXPECT_NE(n.op->name, "dropout");
  // Equal for equal seed and step, whatever else happens; else another draw.
  const auto loss = [&](RunContext context) {
    auto runner = this->start(family.spec, {training});
    return runner.run(training.name(), family.inputs(training, 0), context).at("loss")[0];
  };
  EXPECT_EQ(loss({.seed = 1, .step = 3}), loss({.seed = 1, .step = 3}));
  EXPECT_NE(loss({.seed = 1, .step = 3}), loss({.seed = 2, .step = 3}));
  EXPECT_NE(loss({.seed = 1, .step = 3}), loss({.seed = 1, .step = 4}));
  EXPECT_NE(loss({.seed = 1, .step = 3}), loss({.seed = 1, .step = 3, .row_offset = 32}));
}

TYPED_TEST(Networks, OneRowTrainsWithBatchNorm) {
  const Family& family = families().at("deep_batch_norm");
  const Graph one = task::build_training(family.spec, 1, StepKind::update);
  auto runner = this->start(family.spec, {one});
  EXPECT_EQ(runner.run(one.name(), family.inputs(one, 0)).at("finite")[0], 1);
}

// In f32 as it is trained, however small the least singular value of what was drawn.
TYPED_TEST(Networks, OrthogonalWeightsAreOrthogonal) {
  Family family = families().at("deep_residual");
  for (task::FcLayer& layer : std::get<task::ConcatCombiner>(family.spec.recipe.combiner).stack.layers)
    layer.weights_initializer = task::init::Orthogonal{};
  const Graph initial = task::build_initial(family.spec);
  auto runner = this->start(family.spec, {initial});
  for (const uint64_t seed : {1, 2, 3, 4, 5, 6, 7, 8}) {
    runner.run(initial.name(), {}, {.seed = seed});
    const Tensor64 w = runner.get("combiner.fc1.weights");  // [8, 8]
    for (size_t i = 0; i < 8; ++i)
      for (size_t j = 0; j < 8; ++j) {
        double product = 0;
        for (size_t k = 0; k < 8; ++k) product += w[8 * i + k] * w[8 * j + k];
        ASSERT_NEAR(product, i == j ? 1 : 0, 1e-5);
      }
  }
}

TYPED_TEST(Networks, InitialisationFillsEveryState) {
  for (const auto& [name, family] : families()) {
    SCOPED_TRACE(name);
    task::NetworkSpec spec = family.spec;
    spec.accumulates = true;
    const Graph initial = task::build_initial(spec);
    const Graph step = task::build_training(spec, 8, StepKind::accumulate_and_update);
    auto runner = this->start(spec, {initial, step});
    for (const StateInfo& s : states_of(spec))
      runner.set(s, Tensor64(static_cast<size_t>(s.type.elements()), 77));
    runner.run(initial.name(), {}, {.seed = 42});
    const Values first = all_states(runner, spec);
    for (const StateInfo& s : states_of(spec)) {
      for (double v : first.at(s.name)) ASSERT_TRUE(std::abs(v) < 77) << s.name;
      // Every state of a step is among them, with its role.
      ASSERT_TRUE(step.state(s.name)) << s.name;
      EXPECT_EQ(*step.state(s.name), s);
    }
    EXPECT_EQ(step.states().size(), initial.states().size());
    runner.run(initial.name(), {}, {.seed = 43});
    EXPECT_NE(all_states(runner, spec).at("output.y.weights"), first.at("output.y.weights"));
    runner.run(initial.name(), {}, {.seed = 42});
    EXPECT_EQ(all_states(runner, spec), first);
  }
}

}  // namespace
}  // namespace shoestring::test
