#include "task/network.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "compile/state_layout.h"
#include "ir/interpret.h"
#include "ir/verify.h"

namespace shoestring::task {
namespace {

InputFeature number_input(const std::string& name, NumberEncoderSpec encoder = {}) {
  return {name, name, NumberInput{.encoder = encoder}};
}
InputFeature category_input(const std::string& name, auto encoder) {
  return {name, name, CategoryInput{.encoder = encoder}};
}
FcStack stack(std::vector<FcLayer> layers) { return {.layers = std::move(layers)}; }

// One of everything that has a name.
NetworkSpec sample() {
  NetworkSpec spec;
  spec.recipe.inputs = {
      number_input("age"),
      category_input("job", EmbedEncoder{.embedding_size = 50}),
      number_input("income", DenseEncoder{stack({{.output_size = 4}})}),
      category_input("state", SparseEmbedEncoder{}),
      category_input("town", SparseEmbedEncoder{.embeddings_trainable = true}),
      category_input("sex", OneHotEncoder{}),
      category_input("grade", PassthroughEncoder{}),
      {"rich", "rich", BinaryInput{}},
  };
  spec.recipe.combiner =
      ConcatCombiner{stack({{.output_size = 6, .norm = Norm::batch}, {.output_size = 5, .use_bias = false}})};
  spec.recipe.outputs = {
      {"y", "y", CategoryOutput{.decoder = {.stack = stack({{.output_size = 3, .norm = Norm::layer}})}}},
      {"z", "z", NumberOutput{}},
  };
  spec.input_sizes = {1, 7, 1, 5, 4, 2, 9, 1};
  spec.output_sizes = {3, 1};
  spec.class_weights.resize(2);
  return spec;
}

std::string states_text(const Graph& graph, StateRole role) {
  std::string out;
  for (const StateInfo& s : graph.states())
    if (s.role == role) out += s.name + " " + to_string(s.type.dims) + "\n";
  return out;
}

std::string inputs_text(const Graph& graph) {
  std::string out;
  for (const shoestring::Node& n : graph.nodes())
    if (n.op == &input_op) out += n.name + " " + to_string(n.types[0]) + "\n";
  return out;
}

std::string outputs_text(const Graph& graph) {
  std::string out;
  for (const NamedValue& o : graph.outputs()) out += o.name + " " + to_string(graph.type(o.value)) + "\n";
  return out;
}

TEST(Network, NamesItsStates) {
  const Graph g = build_initial(sample());
  ASSERT_TRUE(g.status()) << g.status().error().message();
  // Widths: age 1, rich 1, job 7, income 4, state 5, town 4, sex 2, grade 1.
  EXPECT_EQ(states_text(g, StateRole::parameter),
            "input.job.embedding [7,7]\n"
            "input.income.fc0.weights [1,4]\n"
            "input.income.fc0.bias [4]\n"
            "input.town.embedding [4,4]\n"
            "combiner.fc0.weights [25,6]\n"
            "combiner.fc0.bias [6]\n"
            "combiner.fc0.norm.scale [6]\n"
            "combiner.fc0.norm.shift [6]\n"
            "combiner.fc1.weights [6,5]\n"
            "output.y.fc0.weights [5,3]\n"
            "output.y.fc0.bias [3]\n"
            "output.y.fc0.norm.scale [3]\n"
            "output.y.fc0.norm.shift [3]\n"
            "output.y.weights [3,3]\n"
            "output.y.bias [3]\n"
            "output.z.weights [5,1]\n"
            "output.z.bias [1]\n");
  EXPECT_EQ(states_text(g, StateRole::statistic),
            "combiner.fc0.norm.mean [6]\ncombiner.fc0.norm.variance [6]\n");
  EXPECT_EQ(states_text(g, StateRole::counter), "optimizer/q1 []\noptimizer/q2 []\n");
  EXPECT_TRUE(g.state("output.z.bias/m") && g.state("output.z.bias/v"));
  EXPECT_FALSE(g.state("output.z.bias/sum"));
}

TEST(Network, NamesItsPorts) {
  const NetworkSpec spec = sample();
  EXPECT_EQ(number_columns(spec), 3);
  const std::string inputs =
      "numbers f32[8,3]\n"
      "category:job i32[8]\n"
      "category:state i32[8]\n"
      "category:town i32[8]\n"
      "category:sex i32[8]\n"
      "category:grade i32[8]\n";
  const std::string targets = "target:y i32[8]\ntarget:z f32[8]\n";
  const std::string predictions = "probabilities:y f32[8,3]\nprediction:z f32[8]\n";
  const Graph prediction = build_prediction(spec, 8), evaluation = build_evaluation(spec, 8);
  EXPECT_EQ(inputs_text(prediction), inputs);
  EXPECT_EQ(outputs_text(prediction), predictions);
  EXPECT_EQ(inputs_text(evaluation), inputs + targets);
  EXPECT_EQ(outputs_text(evaluation),
            "losses:y f32[8]\nprobabilities:y f32[8,3]\nlosses:z f32[8]\nprediction:z f32[8]\n");
  const std::string results = "loss:y f32[]\nloss:z f32[]\nloss f32[]\ngradient_norm f32[]\nfinite f32[]\n";
  for (const StepKind kind : {StepKind::update, StepKind::accumulate, StepKind::accumulate_and_update}) {
    const Graph step = build_training(spec, 8, kind);
    ASSERT_TRUE(step.status()) << step.status().error().message();
    EXPECT_TRUE(verify(step)) << verify(step).error().message();
    EXPECT_EQ(inputs_text(step),
              inputs + targets + (kind == StepKind::accumulate ? "" : "learning_rate f32[]\n"));
    EXPECT_EQ(outputs_text(step), results);
  }
}

TEST(Network, AllPlansShareTheirStates) {
  NetworkSpec spec = sample();
  spec.accumulates = true;
  StateLayout layout;
  ASSERT_TRUE(layout.include(build_initial(spec)));
  const int64_t bytes = layout.bytes();
  for (const StepKind kind : {StepKind::update, StepKind::accumulate, StepKind::accumulate_and_update})
    ASSERT_TRUE(layout.include(build_training(spec, 8, kind)));
  ASSERT_TRUE(layout.include(build_evaluation(spec, 3)));
  ASSERT_TRUE(layout.include(build_prediction(spec, 1)));
  EXPECT_EQ(layout.bytes(), bytes);
}

// Two numbers, a class of three and a number to predict.
NetworkSpec small_ensemble() {
  NetworkSpec spec;
  spec.recipe.inputs = {number_input("a"), number_input("b")};
  spec.recipe.combiner = ConcatCombiner{stack({{.output_size = 3}})};
  spec.recipe.outputs = {{"y", "y", CategoryOutput{}}, {"z", "z", NumberOutput{}}};
  spec.input_sizes = {1, 1};
  spec.output_sizes = {3, 1};
  spec.class_weights.resize(2);
  spec.recipe.ensemble.members = {{.count = 2},
                                  {.combiner = ConcatCombiner{.stack = stack({{.output_size = 4}}),
                                                              .batch_ensemble = true,
                                                              .num_ensemble_members = 2},
                                   .learning_rate_factor = 0.5}};
  return spec;
}

// Every state some number, not the same from one to the next.
std::map<std::string, Tensor64> some_states(const Graph& g) {
  std::map<std::string, Tensor64> out;
  double next = 0.3;
  for (const StateInfo& s : g.states()) {
    Tensor64& values = out[s.name];
    for (int64_t i = 0; i < s.type.elements(); ++i) values.push_back(std::sin(next += 1.7));
  }
  return out;
}

TEST(Network, AnEnsembleAnswersTheWeightedMeanOfItsMembers) {
  const NetworkSpec spec = small_ensemble();
  const Graph whole = build_prediction(spec, 2);
  ASSERT_TRUE(whole.status()) << whole.status().error().message();
  std::map<std::string, Tensor64> states = some_states(whole);
  states["blend.weights"] = {0.5, 0.3, 0.2};
  const std::map<std::string, Tensor64> inputs{{"numbers", {0.5, -1, 2, 0.25}}};
  const Interpretation got = interpret(whole, inputs, states);

  // Each member as a recipe of its own, over the same weights; of the batch ensemble each of its two too.
  struct Alone {
    std::string prefix;
    int64_t part;  // of the batch ensemble; -1: none
    double weight;
  };
  Tensor64 probabilities(6, 0), values(2, 0);
  for (const Alone& alone :
       {Alone{"member0.", -1, 0.5}, {"member1.", -1, 0.3}, {"member2.", 0, 0.1}, {"member2.", 1, 0.1}}) {
    NetworkSpec one = small_ensemble();
    one.recipe.ensemble = {};
    if (alone.part >= 0) one.recipe.combiner = ConcatCombiner{stack({{.output_size = 4}})};
    const Graph g = build_prediction(one, 2);
    std::map<std::string, Tensor64> own;
    for (const StateInfo& s : g.states()) {
      const Tensor64& from = states.at(alone.prefix + s.name);
      const auto n = static_cast<size_t>(s.type.elements());
      const size_t begin = from.size() > n ? static_cast<size_t>(alone.part) * n : 0;
      own[s.name].assign(from.begin() + static_cast<ptrdiff_t>(begin),
                         from.begin() + static_cast<ptrdiff_t>(begin + n));
    }
    std::map<std::string, Tensor64> scaled = inputs;
    if (alone.part >= 0)
      for (size_t i = 0; i < 4; ++i)
        scaled["numbers"][i] *=
            states.at("member2.combiner.adapter")[static_cast<size_t>(alone.part) * 2 + i % 2];
    const Interpretation answer = interpret(g, scaled, own);
    for (size_t i = 0; i < 6; ++i) probabilities[i] += alone.weight * answer.outputs.at("probabilities:y")[i];
    for (size_t i = 0; i < 2; ++i) values[i] += alone.weight * answer.outputs.at("prediction:z")[i];
  }
  for (size_t i = 0; i < 6; ++i)
    EXPECT_NEAR(got.outputs.at("probabilities:y")[i], probabilities[i], 1e-9) << i;
  for (size_t i = 0; i < 2; ++i) EXPECT_NEAR(got.outputs.at("prediction:z")[i], values[i], 1e-9) << i;
}

TEST(Network, MembersOfAnEnsembleLearnApart) {
  NetworkSpec spec = small_ensemble();
  spec.recipe.trainer.gradient_clipping = {.clipglobalnorm = {}, .clipnorm = {}, .clipvalue = {}};
  spec.recipe.trainer.optimizer = Sgd{};
  const Graph together = build_training(spec, 2, StepKind::update);
  ASSERT_TRUE(together.status()) << together.status().error().message();
  std::map<std::string, Tensor64> states = some_states(together);
  const std::map<std::string, Tensor64> inputs{
      {"numbers", {0.5, -1, 2, 0.25}}, {"target:y", {2, 0}}, {"target:z", {1, -1}}, {"learning_rate", {0.1}}};
  const Interpretation got = interpret(together, inputs, states);
  NetworkSpec one = spec;
  one.recipe.ensemble = {};
  const Graph alone = build_training(one, 2, StepKind::update);
  std::map<std::string, Tensor64> own;
  for (const StateInfo& s : alone.states()) own[s.name] = states.at("member1." + s.name);
  const Interpretation expected = interpret(alone, inputs, own);
  for (const auto& [name, values] : expected.states)
    for (size_t i = 0; i < values.size(); ++i)
      EXPECT_NEAR(got.states.at("member1." + name)[i], values[i], 1e-6) << name;
  // Half the learning rate: half the way.
  NetworkSpec full = spec;
  full.recipe.ensemble.members[1].learning_rate_factor = 1;
  const Interpretation faster = interpret(build_training(full, 2, StepKind::update), inputs, states);
  const double before = states.at("member2.combiner.adapter")[0];
  EXPECT_NEAR(got.states.at("member2.combiner.adapter")[0] - before,
              0.5 * (faster.states.at("member2.combiner.adapter")[0] - before), 1e-6);
}

TEST(Network, FeatureNamesNeverMeet) {
  NetworkSpec spec;
  spec.recipe.inputs = {number_input("x")};
  spec.recipe.combiner = ConcatCombiner{};
  spec.recipe.outputs = {
      {"y", "y", NumberOutput{.decoder = {.stack = stack({{.output_size = 3}})}}},
      {"y.fc0", "y.fc0", NumberOutput{}},
      {"y%2Efc0", "y%2Efc0", NumberOutput{}},
  };
  spec.input_sizes = {1};
  spec.output_sizes = {1, 1, 1};
  spec.class_weights.resize(3);
  const Graph g = build_prediction(spec, 2);
  ASSERT_TRUE(g.status()) << g.status().error().message();
  EXPECT_EQ(states_text(g, StateRole::parameter),
            "output.y.fc0.weights [1,3]\noutput.y.fc0.bias [3]\noutput.y.weights [3,1]\noutput.y.bias [1]\n"
            "output.y%2Efc0.weights [1,1]\noutput.y%2Efc0.bias [1]\n"
            "output.y%252Efc0.weights [1,1]\noutput.y%252Efc0.bias [1]\n");
}

TEST(Network, FrozenEmbeddingsAreNoBurden) {
  NetworkSpec spec = sample();
  spec.recipe.inputs[1] = category_input("job", EmbedEncoder{.embeddings_trainable = false});
  const Graph g = build_initial(spec);
  EXPECT_TRUE(g.state("input.job.embedding"));
  EXPECT_FALSE(g.state("input.job.embedding/m"));
}

TEST(Network, ImpossibleRecipesFail) {
  NetworkSpec spec = sample();
  spec.recipe.inputs.clear();
  EXPECT_FALSE(build_training(spec, 8, StepKind::update).status());
  EXPECT_FALSE(build_initial(spec).status());
  spec = sample();
  spec.recipe.outputs.clear();
  EXPECT_FALSE(build_training(spec, 8, StepKind::update).status());
}

TEST(ClassWeights, HaveMeanOneOverTheTrainingRows) {
  const std::vector<std::string> labels{"<=50K", ">50K"};
  const std::vector<int64_t> counts{300, 100};
  EXPECT_TRUE(resolve_class_weights({}, "income", labels, counts)->empty());
  const auto by_order = resolve_class_weights({.by_order = {1, 3}}, "income", labels, counts);
  ASSERT_TRUE(by_order);
  EXPECT_NEAR((*by_order)[0], 2.0 / 3, 1e-12);
  EXPECT_NEAR((*by_order)[1], 2, 1e-12);
  const auto by_name = resolve_class_weights({.by_name = {{">50K", 3}}}, "income", labels, counts);
  EXPECT_EQ(*by_name, *by_order);
}

TEST(ClassWeights, SayWhatIsWrong) {
  const std::vector<std::string> labels{"small", "large"};
  const std::vector<int64_t> counts{3, 1};
  const auto said = [&](const ClassWeights& weights) {
    const auto result = resolve_class_weights(weights, "size", labels, counts);
    return result ? "" : result.error().message();
  };
  EXPECT_EQ(said({.by_name = {{"smal", 2}}}),
            "output 'size', loss.class_weights: 'smal' is no class of this output; did you mean 'small'?");
  EXPECT_EQ(said({.by_name = {{"enormous", 2}}}),
            "output 'size', loss.class_weights: 'enormous' is no class of this output; use the labels as "
            "they stand "
            "in the data");
  EXPECT_EQ(
      said({.by_order = {1, 2, 3}}),
      "output 'size', loss.class_weights: 3 weights for 2 classes; give one weight for each class, the most "
      "frequent class first");
}

}  // namespace
}  // namespace shoestring::task
