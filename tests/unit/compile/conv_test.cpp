// What becomes of a small network of convolutions when it is differentiated and compiled.
#include "ops/conv.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "compile/compile.h"
#include "compile/differentiate.h"

namespace shoestring {
namespace {

constexpr DType f32 = DType::f32;

// Two convolutions with bias and relu, a pool behind each, a product: [8,12,12,3] -> a loss, and its
// gradients.
Graph training_graph() {
  Graph g("train");
  const Value pixels =
      ops::operator*(ops::cast(g.input("image", {DType::u8, {8, 12, 12, 3}}), f32), 1.0 / 255);
  std::vector<Value> parameters;
  const auto parameter = [&](const char* name, const Shape& dims) {
    parameters.push_back(g.read({.name = name, .type = {f32, dims}, .role = StateRole::parameter}));
    return parameters.back();
  };
  Value x = pixels;
  int64_t channels = 3;
  for (const char* name : {"conv1", "conv2"}) {
    const Value filters = parameter(name, {3, 3, channels, 16});
    const Value bias = parameter(name[4] == '1' ? "bias1" : "bias2", {16});
    const Value sum = ops::conv2d(x, filters, {.padding = {1, 1, 1, 1}});
    x = ops::max_pool(ops::relu(ops::add(sum, ops::broadcast_like(bias, sum))));
    channels = 16;
  }
  const Value logits = ops::matmul(ops::reshape(x, {8, 3 * 3 * 16}), parameter("dense", {3 * 3 * 16, 4}));
  const Value loss = ops::reduce_mean(ops::square(logits));
  const std::vector<Value> gradients = differentiate(g, loss, parameters);
  g.output("loss", loss);
  for (size_t i = 0; i < gradients.size(); ++i) g.output("gradient" + std::to_string(i), gradients[i]);
  return g;
}

Plan compiled(Graph graph) {
  StateLayout states;
  EXPECT_TRUE(graph.status()) << graph.status().error().message();
  EXPECT_TRUE(states.include(graph));
  auto plan = compile(std::move(graph), states, {.target = native_target()});
  EXPECT_TRUE(plan) << plan.error().message();
  return std::move(*plan);
}

std::vector<const Node*> nodes_of(const Plan& plan, std::string_view op) {
  std::vector<const Node*> found;
  for (const Step& step : plan.steps)
    if (step.node >= 0)
      if (const Node& node = plan.graph.nodes()[static_cast<size_t>(step.node)]; node.op->name == op)
        found.push_back(&node);
  return found;
}

TEST(Conv, GradientOfThePixelsIsNotComputed) {
  const Plan plan = compiled(training_graph());
  EXPECT_EQ(nodes_of(plan, "conv2d_filter").size(), 2u);
  const auto back = nodes_of(plan, "conv2d_transpose");
  ASSERT_EQ(back.size(), 1u);  // to what the second one read
  EXPECT_EQ(back[0]->types[0].dims, (Shape{8, 6, 6, 16}));
}

TEST(Conv, BiasAndActivationAreOneStepWithIt) {
  const Plan plan = compiled(training_graph());
  const auto conv = nodes_of(plan, "conv2d");
  ASSERT_EQ(conv.size(), 2u);
  for (const Node* node : conv) {
    EXPECT_EQ(node->inputs.size(), 3u);
    EXPECT_EQ(node->attrs.text("activation"), "relu");
  }
}

TEST(Conv, PaddingMakesNoCopies) {
  const Plan plan = compiled(training_graph());
  for (const char* op : {"pad", "slice", "concat"}) EXPECT_TRUE(nodes_of(plan, op).empty()) << op;
}

TEST(Conv, SamePaddingKeepsSizes) {
  EXPECT_EQ(ops::same_padding(28, 28, {3, 3}), (std::array<int64_t, 4>{1, 1, 1, 1}));
  EXPECT_EQ(ops::same_padding(28, 28, {2, 5}), (std::array<int64_t, 4>{0, 2, 1, 2}));
  EXPECT_EQ(ops::same_padding(5, 6, {3, 3}, {2, 2}), (std::array<int64_t, 4>{1, 0, 1, 1}));
  EXPECT_EQ(ops::same_padding(9, 9, {3, 3}, {1, 1}, {2, 3}), (std::array<int64_t, 4>{2, 3, 2, 3}));
  EXPECT_EQ(ops::same_padding(8, 8, {1, 1}, {2, 2}), (std::array<int64_t, 4>{0, 0, 0, 0}));
}

}  // namespace
}  // namespace shoestring
