// Random operators draw what they promise: the distribution, and the same numbers for the same place in
// the global batch, however the batch is cut.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "ir/interpret.h"
#include "ops/ops.h"
#include "ops/random_beta.h"

namespace shoestring {
namespace {

using Build = Value (*)(Graph&, Type, int64_t stream);
Value uniform(Graph& g, Type t, int64_t stream) { return ops::random_uniform(g, t, -1, 3, stream); }
Value normal(Graph& g, Type t, int64_t stream) { return ops::random_normal(g, t, 2, 0.5, stream); }
Value beta(Graph& g, Type t, int64_t stream) { return ops::random_beta(g, t, 0.5, 2, stream); }

Tensor64 draw(Build build, Type type, int64_t stream = 1, RunContext context = {.seed = 42}) {
  Graph g;
  g.output("y", build(g, type, stream));
  EXPECT_TRUE(g.status());
  return interpret(g, {}, {}, context).outputs.at("y");
}

struct Moments {
  double mean = 0, deviation = 0;
};
Moments moments(const Tensor64& x) {
  const auto n = static_cast<double>(x.size());
  Moments m{.mean = std::accumulate(x.begin(), x.end(), 0.0) / n};
  for (double v : x) m.deviation += (v - m.mean) * (v - m.mean) / n;
  m.deviation = std::sqrt(m.deviation);
  return m;
}

const Type kLarge{DType::f32, {1000, 100}};

TEST(RandomUniform, FillsItsRangeEvenly) {
  const Tensor64 x = draw(uniform, kLarge);
  const auto [low, high] = std::minmax_element(x.begin(), x.end());
  EXPECT_GE(*low, -1);
  EXPECT_LT(*high, 3);
  EXPECT_LT(*low, -1 + 1e-3);
  EXPECT_GT(*high, 3 - 1e-3);
  std::array<double, 16> bins{};
  for (double v : x) ++bins[static_cast<size_t>((v + 1) * 4)];
  for (double count : bins) EXPECT_NEAR(count, 6250, 5 * std::sqrt(6250.0));
}

TEST(RandomNormal, HasItsMomentsAndTails) {
  const Tensor64 x = draw(normal, kLarge);
  const Moments m = moments(x);
  EXPECT_NEAR(m.mean, 2, 5 * 0.5 / std::sqrt(1e5));
  EXPECT_NEAR(m.deviation, 0.5, 0.005);
  const auto beyond = [&](double s) {
    return static_cast<double>(
               std::count_if(x.begin(), x.end(), [&](double v) { return std::abs(v - 2) > s * 0.5; })) /
           1e5;
  };
  EXPECT_NEAR(beyond(1), 0.3173, 0.008);
  EXPECT_NEAR(beyond(2), 0.0455, 0.004);
  EXPECT_NEAR(beyond(3), 0.0027, 0.001);
  for (double v : x) ASSERT_TRUE(std::isfinite(v));
}

TEST(RandomBeta, HasItsMomentsAndItsDistribution) {
  constexpr double kShapes[][2] = {{0.2, 0.2}, {1, 1}, {2, 5}, {0.5, 3}, {0.01, 0.01}, {40, 40}};
  for (const auto& [a, b] : kShapes) {
    Graph g;
    g.output("y", ops::random_beta(g, {DType::f32, {400, 100}}, a, b));
    const Tensor64 x = interpret(g, {}, {}, {.seed = 42}).outputs.at("y");
    const Moments m = moments(x);
    const double mean = a / (a + b), variance = mean * b / (a + b) / (a + b + 1);
    EXPECT_NEAR(m.mean, mean, 5 * std::sqrt(variance / 4e4)) << a << " " << b;
    EXPECT_NEAR(m.deviation, std::sqrt(variance), 0.02 * std::sqrt(variance)) << a << " " << b;
    for (double v : x) ASSERT_TRUE(v >= 0 && v <= 1);
  }
  Graph g;  // of Beta(3, 1) the cube is uniform
  g.output("y", ops::random_beta(g, kLarge, 3, 1));
  std::array<double, 16> bins{};
  const Tensor64 x = interpret(g, {}, {}, {.seed = 42}).outputs.at("y");
  for (double v : x) ++bins[std::min<size_t>(15, static_cast<size_t>(v * v * v * 16))];
  for (double count : bins) EXPECT_NEAR(count, 6250, 5 * std::sqrt(6250.0));
}

// Neighbours, rows, and the two numbers that come of one pair of uniform ones.
TEST(RandomNormal, IsUncorrelated) {
  const Tensor64 x = draw(normal, kLarge);
  for (const size_t lag : {1, 2, 3, 4, 100, 101}) {
    double sum = 0;
    for (size_t i = 0; i + lag < x.size(); ++i) sum += (x[i] - 2) * (x[i + lag] - 2) / 0.25;
    EXPECT_NEAR(sum / static_cast<double>(x.size()), 0, 5 / std::sqrt(1e5)) << lag;
  }
}

TEST(Random, EverythingThatNamesADrawChangesIt) {
  for (const Build build : {uniform, normal, beta}) {
    const Type type{DType::f32, {4, 6}};
    std::set<Tensor64> draws;
    draws.insert(draw(build, type, 1, {.seed = 42}));
    draws.insert(draw(build, type, 1, {.seed = 43}));
    draws.insert(draw(build, type, 1, {.seed = 42 + (uint64_t{1} << 40)}));
    draws.insert(draw(build, type, 2, {.seed = 42}));
    draws.insert(draw(build, type, 1, {.seed = 42, .step = 1}));
    draws.insert(draw(build, type, 1, {.seed = 42, .row_offset = 1}));
    EXPECT_EQ(draws.size(), 6u);
    EXPECT_EQ(draw(build, type), draw(build, type));
  }
}

// Rows 3 to 6 of a batch of 7 are those of a batch of 4 that begins at row 3.
TEST(Random, ABatchMayBeCutAnywhere) {
  for (const Build build : {uniform, normal, beta}) {
    const Tensor64 whole = draw(build, {DType::f32, {7, 5}});
    const Tensor64 part = draw(build, {DType::f32, {4, 5}}, 1, {.seed = 42, .row_offset = 3});
    EXPECT_TRUE(std::equal(part.begin(), part.end(), whole.begin() + 15));
  }
}

TEST(Dropout, KeepsTheMeanAndDropsItsShare) {
  for (const double rate : {0.1, 0.5, 0.9}) {
    Graph g;
    g.output("y", ops::dropout(g.input("x", kLarge), rate));
    const Tensor64 y = interpret(g, {{"x", Tensor64(100000, 1.0)}}, {}, {.seed = 42}).outputs.at("y");
    const double dropped = static_cast<double>(std::count(y.begin(), y.end(), 0.0)) / 1e5;
    EXPECT_NEAR(dropped, rate, 5 * std::sqrt(rate * (1 - rate) / 1e5));
    for (double v : y) ASSERT_TRUE(v == 0 || std::abs(v - 1 / (1 - rate)) < 1e-6);
  }
}

TEST(Dropout, TwoOfAModelDropDifferently) {
  Graph g;
  const Value x = g.input("x", {DType::f32, {8, 8}});
  g.output("a", ops::dropout(x, 0.5));
  g.output("b", ops::dropout(x, 0.5));
  const auto out = interpret(g, {{"x", Tensor64(64, 1.0)}}, {}, {.seed = 42}).outputs;
  EXPECT_NE(out.at("a"), out.at("b"));
}

}  // namespace
}  // namespace shoestring
