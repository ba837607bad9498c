#include "model/initializers.h"

#include <gtest/gtest.h>

#include <cmath>

#include "ir/interpret.h"

namespace shoestring::model {
namespace {

// The limits and deviations that torch.nn.init gives a weight with 30 inputs and 20 outputs.
TEST(Initializers, ComeDownToTheirDistribution) {
  using Kind = Initializer::Kind;
  const Fans fans{30, 20};
  const auto expect = [](const Initializer& got, Kind kind, double a, double b) {
    EXPECT_EQ(got.kind, kind);
    EXPECT_NEAR(got.a, a, 1e-12);
    EXPECT_NEAR(got.b, b, 1e-12);
  };
  expect(xavier_uniform(fans), Kind::uniform, -std::sqrt(6.0 / 50), std::sqrt(6.0 / 50));
  expect(xavier_normal(fans, 2), Kind::normal, 0, 2 * std::sqrt(2.0 / 50));
  expect(kaiming_uniform(30, std::sqrt(2.0)), Kind::uniform, -std::sqrt(6.0 / 30), std::sqrt(6.0 / 30));
  expect(kaiming_normal(20, 1), Kind::normal, 0, 1 / std::sqrt(20.0));
  expect(constant(3), Kind::constant, 3, 0);
  EXPECT_EQ(zeros(), constant(0));
  EXPECT_EQ(ones(), constant(1));
}

Tensor64 drawn(const Type& type, const Initializer& initializer, int64_t stream = 1) {
  Graph g;
  g.output("w", draw(g, type, initializer, stream));
  EXPECT_TRUE(g.status()) << g.status().error().message();
  return interpret(g, {}, {}, {.seed = 42}).outputs.at("w");
}

struct Moments {
  double mean = 0, deviation = 0;
};
Moments moments_of(const Tensor64& values) {
  Moments m;
  for (double v : values) m.mean += v / static_cast<double>(values.size());
  for (double v : values) m.deviation += (v - m.mean) * (v - m.mean) / static_cast<double>(values.size());
  m.deviation = std::sqrt(m.deviation);
  return m;
}

TEST(Initializers, DrawWhatTheySay) {
  const Type type{DType::f32, {100, 100}};
  const Tensor64 u = drawn(type, uniform(-2, 4)), n = drawn(type, normal(3, 0.5));
  for (double v : u) ASSERT_TRUE(v >= -2 && v < 4);
  EXPECT_NEAR(moments_of(u).mean, 1, 0.07);
  EXPECT_NEAR(moments_of(u).deviation, 6 / std::sqrt(12.0), 0.05);
  EXPECT_NEAR(moments_of(n).mean, 3, 0.02);
  EXPECT_NEAR(moments_of(n).deviation, 0.5, 0.02);
  EXPECT_EQ(drawn(type, uniform(0, 1)), drawn(type, uniform(0, 1)));
  EXPECT_NE(drawn(type, uniform(0, 1), 1), drawn(type, uniform(0, 1), 2));
}

TEST(Initializers, ConstantsAndTheIdentity) {
  EXPECT_EQ(drawn({DType::f32, {3}}, ones()), (Tensor64{1, 1, 1}));
  EXPECT_EQ(drawn({DType::f32, {}}, constant(0.5)), (Tensor64{0.5}));
  EXPECT_EQ(drawn({DType::f32, {2, 3}}, identity()), (Tensor64{1, 0, 0, 0, 1, 0}));
  EXPECT_EQ(drawn({DType::f32, {3, 2}}, identity()), (Tensor64{1, 0, 0, 1, 0, 0}));
  Graph g;
  draw(g, {DType::f32, {3}}, identity(), 1);
  EXPECT_FALSE(g.status());
}

}  // namespace
}  // namespace shoestring::model
