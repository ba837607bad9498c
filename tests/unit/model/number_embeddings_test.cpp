// Embeddings of numbers against the formulas of their paper, by hand.
#include "model/number_embeddings.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <numbers>

#include "ir/interpret.h"

namespace shoestring::model {
namespace {

constexpr double kX[] = {-1, 10, 0.25, 15, 3, 20};  // [3, 2]

struct Built {
  Graph g{"test"};
  Forward f{g};
  Value x = g.constant({DType::f32, {3, 2}}, kX);
};

// What a graph of constants and states gives.
std::vector<double> values_of(Graph& g, Value v, const std::map<std::string, Tensor64>& states = {}) {
  EXPECT_TRUE(g.status()) << g.status().error().message();
  g.output("y", v);
  return interpret(g, {}, states).outputs.at("y");
}

const Edges kEdges{{0, 1, 2}, {10, 20}};

TEST(NumberEmbeddings, PiecewiseLinearIsTheIdentityOfItsBins) {
  Built b;
  const Value y = piecewise_linear(b.f, b.x, "n", kEdges, {.size = 2});
  ASSERT_TRUE(y.valid());
  EXPECT_EQ(y.dims(), (Shape{3, 4}));
  // Weights [2, 2, 2] that pass the bins through.
  const auto out = values_of(b.g, y, {{"n.weights", {1, 0, 0, 1, 1, 0, 0, 1}}, {"n.bias", {0, 0, 0, 0}}});
  // Feature 0: the first bin goes on below 0, the second above 2; feature 1 has one bin, the other is filled
  // up.
  const std::vector<double> expected{-1, 0, 0, 0, 0.25, 0, 0.5, 0, 1, 2, 1, 0};
  ASSERT_EQ(out.size(), expected.size());
  for (size_t i = 0; i < out.size(); ++i) EXPECT_NEAR(out[i], expected[i], 1e-6) << i;
}

TEST(NumberEmbeddings, TheNumberItselfMayStandBeside) {
  Built b;
  const Value y = piecewise_linear(b.f, b.x, "n", kEdges, {.size = 1, .plus_input = true});
  EXPECT_EQ(y.dims(), (Shape{3, 4}));
  const auto out = values_of(b.g, y, {{"n.weights", {0, 0, 0, 0}}, {"n.bias", {7, 8}}});
  EXPECT_EQ(out, (std::vector<double>{-1, 7, 10, 8, 0.25, 7, 15, 8, 3, 7, 20, 8}));
}

TEST(NumberEmbeddings, BinsTakeARowEach) {
  Built b;
  const Value y = binned(b.f, b.x, "n", kEdges, {.size = 1});
  EXPECT_EQ(y.dims(), (Shape{3, 2}));
  // A value on an edge belongs to the bin above; beyond the ends lie the first and the last bin.
  const auto out = values_of(b.g, y, {{"n.embedding", {5, 6, 7, 99}}});
  EXPECT_EQ(out, (std::vector<double>{5, 7, 5, 7, 6, 7}));
}

TEST(NumberEmbeddings, PeriodicIsCosinesAndSines) {
  for (const bool shared : {false, true}) {
    Built b;
    const Value y = periodic(b.f, b.x, "n", {.frequencies = 1, .shared = shared}, {.size = 2});
    EXPECT_EQ(y.dims(), (Shape{3, 4}));
    std::vector<double> weights{1, 0, 0, 1};  // cos and sin pass through
    if (!shared) weights.insert(weights.end(), {1, 0, 0, 1});
    const auto out =
        values_of(b.g, y, {{"n.frequencies", {0.1, 0.02}}, {"n.weights", weights}, {"n.bias", {0, 0, 0, 0}}});
    for (size_t row = 0; row < 3; ++row)
      for (size_t feature = 0; feature < 2; ++feature) {
        const double angle = 2 * std::numbers::pi * kX[row * 2 + feature] * (feature == 0 ? 0.1 : 0.02);
        EXPECT_NEAR(out[row * 4 + feature * 2], std::cos(angle), 1e-6);
        EXPECT_NEAR(out[row * 4 + feature * 2 + 1], std::sin(angle), 1e-6);
      }
  }
}

TEST(NumberEmbeddings, QuantilesAreSharesOfTheBins) {
  Built b;
  const auto out = values_of(b.g, quantile_of(b.x, kEdges));
  const double r = std::sqrt(3.0);
  // Shares: of -1 in {0,1,2} 0, of 0.25 an eighth, of 3 all; of 10, 15 and 20 in {10,20} 0, a half, all.
  const std::vector<double> expected{-r, -r, r * (2.0 / 8 - 1), 0, r, r};
  for (size_t i = 0; i < out.size(); ++i) EXPECT_NEAR(out[i], expected[i], 1e-6) << i;
}

}  // namespace
}  // namespace shoestring::model
