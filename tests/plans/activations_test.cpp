// Every activation and its gradient against numbers from PyTorch and NumPy (activations.txt, written by
// activations.py): interpreted in f64, and as a plan in f32. Among them are zeros, kinks' surroundings and
// numbers whose exponentials overflow.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <sstream>

#include "base/atomic_file.h"
#include "compile/differentiate.h"
#include "model/layers.h"
#include "ops/rows.h"
#include "plans/families.h"
#include "plans/runner.h"
#include "task/recipe.h"

namespace shoestring::test {
namespace {

constexpr int64_t kRows = 4, kWidth = 12;
using model::Activation;

struct Expected {
  Tensor64 y, dx, dslope;
};
struct AllExpected {
  Tensor64 x, upstream;
  std::map<std::string, Expected> of;

  // Of a gated activation: the first half of the columns.
  Tensor64 upstream_of(int64_t columns) const {
    Tensor64 out;
    for (int64_t r = 0; r < kRows; ++r)
      out.insert(out.end(), upstream.begin() + r * kWidth, upstream.begin() + r * kWidth + columns);
    return out;
  }
};
AllExpected read_expected() {
  AllExpected out;
  std::istringstream text(read_file("tests/plans/activations.txt").value());
  for (std::string line; std::getline(text, line);) {
    if (line.starts_with("#")) continue;
    std::istringstream words(line);
    std::string name;
    words >> name;
    const auto take = [&](int64_t n) {
      Tensor64 values(static_cast<size_t>(n));
      for (double& v : values) words >> v;
      EXPECT_TRUE(words) << name;
      return values;
    };
    if (name == "x" || name == "upstream") {
      (name == "x" ? out.x : out.upstream) = take(kRows * kWidth);
      continue;
    }
    Expected& e = out.of[name];
    e.y = take(kRows * (name.ends_with("glu") ? kWidth / 2 : kWidth));
    e.dx = take(kRows * kWidth);
    if (name == "prelu") e.dslope = take(1);
  }
  return out;
}

void expect_near(const std::string& what, const Tensor64& got, const Tensor64& expected, double tolerance) {
  ASSERT_EQ(got.size(), expected.size()) << what;
  for (size_t i = 0; i < got.size(); ++i)
    ASSERT_LE(std::abs(got[i] - expected[i]), tolerance * (1 + std::abs(expected[i])))
        << what << " [" << i << "] is " << got[i] << ", not " << expected[i];
}

void check(Runner& runner, double tolerance) {
  const AllExpected expected = read_expected();
  std::vector<Graph> graphs;
  graphs.reserve(std::size(model::kActivationNames));
  for (size_t a = 0; a < std::size(model::kActivationNames); ++a) {
    const std::string name(model::kActivationNames[a]);
    ASSERT_TRUE(expected.of.contains(name)) << name << ": run activations.py";
    Graph& g = graphs.emplace_back(name);
    model::Forward f(g);
    const Value x = g.input("x", {DType::f32, {kRows, kWidth}});
    const Value y = model::activate(f, x, "layer", static_cast<Activation>(a));
    g.output("y", y);
    ASSERT_TRUE(g.status()) << name << ": " << g.status().error().message();
    const Value upstream = g.input("upstream", y.type());
    std::vector<Value> wrt{x};
    for (const model::Parameter& p : f.parameters()) wrt.push_back(f.value(p));
    const auto gradients = differentiate(g, ops::reduce_sum(ops::mul(y, upstream)), wrt);
    g.output("dx", gradients[0]);
    if (gradients.size() > 1) g.output("dslope", gradients[1]);
    ASSERT_TRUE(g.status()) << name << ": " << g.status().error().message();
    runner.add(g);
  }
  for (const Graph& g : graphs)
    for (const StateInfo& state : g.states()) runner.set(state, {0.25});
  for (const Graph& g : graphs) {
    SCOPED_TRACE(g.name());
    const Expected& e = expected.of.at(g.name());
    const auto results = runner.run(
        g.name(),
        {{"x", expected.x}, {"upstream", expected.upstream_of(static_cast<int64_t>(e.y.size()) / kRows)}});
    expect_near("y", results.at("y"), e.y, tolerance);
    expect_near("dx", results.at("dx"), e.dx, tolerance);
    if (!e.dslope.empty()) expect_near("dslope", results.at("dslope"), e.dslope, tolerance);
  }
}

// The constants of a graph in f32, 0.01 say, are those of f32.
TEST(Activations, InterpretedAsPyTorch) {
  Interpreted runner;
  check(runner, 1e-7);
}

TEST(Activations, PlannedAsPyTorch) {
  Planned runner;
  check(runner, 2e-6);
}

TEST(Activations, GatedLayersKeepTheirOutputSize) {
  Graph g;
  model::Forward f(g);
  const Value x = g.input("x", {DType::f32, {3, 5}});
  model::FcLayer layer{.linear = {.output_size = 7}, .activation = Activation::swiglu};
  const Value y = model::fc_layer(f, x, "layer", layer);
  EXPECT_EQ(y.type(), (Type{DType::f32, {3, 7}}));
  EXPECT_EQ(f.parameters().at(0).type, (Type{DType::f32, {5, 14}}));
}

TEST(Activations, SparseOnesSumToOneOverWideRows) {
  for (const Activation a : {Activation::sparsemax, Activation::entmax15}) {
    Graph g("wide");
    model::Forward f(g);
    const Value x = g.input("x", {DType::f32, {2, 1000}});
    const Value y = model::activate(f, x, "layer", a);
    g.output("sum", ops::reduce_sum(y, {-1}));
    g.output("least", ops::reduce_min(y));
    g.output("zeros", ops::reduce_sum(ops::equal(y, ops::sub(y, y))));
    Planned runner;
    runner.add(g);
    Tensor64 values(2000);
    for (size_t i = 0; i < values.size(); ++i) values[i] = std::sin(static_cast<double>(i * i)) * 3 - 1e3;
    const auto results = runner.run("wide", {{"x", values}});
    EXPECT_NEAR(results.at("sum")[0], 1, 1e-5);
    EXPECT_NEAR(results.at("sum")[1], 1, 1e-5);
    EXPECT_GE(results.at("least")[0], 0);
    EXPECT_GT(results.at("zeros")[0], 1000);
  }
}

// Every name as a recipe says it, through resolving and back, in a network whose loss falls.
TEST(Activations, RecipesTrainWithEach) {
  for (const std::string_view name : model::kActivationNames) {
    SCOPED_TRACE(name);
    const std::string text = fmt::format(
        "input_features: [{{name: n0, type: number}}, {{name: n1, type: number}}, {{name: n2, type: "
        "number}}]\n"
        "output_features: [{{name: y, type: category, decoder: {{num_fc_layers: 1, fc_output_size: 6, "
        "fc_activation: {0}}}}}]\n"
        "combiner: {{type: concat, num_fc_layers: 2, output_size: 12, activation: {0}}}\n"
        "trainer: {{learning_rate: 0.02}}\n",
        name);
    const auto recipe = task::parse_recipe(task::parse_document(text, "recipe.yaml").value());
    ASSERT_TRUE(recipe) << recipe.error().message();
    const auto again =
        task::parse_recipe(task::parse_document(task::render(*recipe), "resolved.yaml").value());
    ASSERT_TRUE(again) << again.error().message();
    EXPECT_EQ(*again, *recipe);

    Family family{.spec = {.recipe = *recipe, .input_sizes = {1, 1, 1}, .output_sizes = {3}}, .rows = 40};
    family.spec.class_weights.resize(1);
    family.ports["target:y"] = {.kind = Port::Kind::categories, .size = 3};
    family.learning_rate = 0.02;
    const Graph step = task::build_training(family.spec, family.rows, task::StepKind::update);
    ASSERT_TRUE(step.status()) << step.status().error().message();
    Planned runner;
    runner.add(step);
    const Graph initial = task::build_initial(family.spec);
    for (const StateInfo& state : initial.states()) runner.set(state, first_values(state));
    double first = 0, last = 0;
    for (int t = 0; t < 30; ++t) {
      const auto results =
          runner.run(step.name(), family.inputs(step, 0), {.step = static_cast<uint32_t>(t)});
      ASSERT_EQ(results.at("finite")[0], 1) << "step " << t;
      last = results.at("loss")[0];
      if (t == 0) first = last;
    }
    EXPECT_LT(last, first - 0.005);
  }
}

}  // namespace
}  // namespace shoestring::test
