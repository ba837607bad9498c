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

// Of the product of a matrix [n, m] with its transpose, over the shorter side.
double distance_from_orthogonal(const Tensor64& q, size_t n, size_t m, double length) {
  double worst = 0;
  const size_t shorter = std::min(n, m), longer = std::max(n, m);
  for (size_t i = 0; i < shorter; ++i)
    for (size_t j = 0; j < shorter; ++j) {
      double sum = 0;
      for (size_t k = 0; k < longer; ++k)
        sum += n <= m ? q[i * m + k] * q[j * m + k] : q[k * m + i] * q[k * m + j];
      worst = std::max(worst, std::abs(sum - (i == j ? length * length : 0)));
    }
  return worst;
}

TEST(Initializers, OrthogonalIsOrthogonal) {
  for (const auto& [n, m] :
       {std::pair<int64_t, int64_t>{64, 64}, {48, 7}, {1, 9}, {9, 1}, {1, 1}, {20, 80}}) {
    const Tensor64 q = drawn({DType::f32, {n, m}}, orthogonal(1.5));
    EXPECT_LT(distance_from_orthogonal(q, static_cast<size_t>(n), static_cast<size_t>(m), 1.5), 1e-9)
        << n << " x " << m;
  }
}

// Moments of a uniformly distributed 3 x 3 orthogonal matrix: of an element 0, 1/3 and 1/5 (its row is
// uniform on the sphere); of the trace 0 and 1; of the square's trace 1. A QR whose signs are left as they
// come fails.
TEST(Initializers, OrthogonalIsUniform) {
  constexpr int kDraws = 2000;
  double first = 0, second = 0, fourth = 0, trace = 0, trace2 = 0, square = 0, positive = 0;
  for (int i = 0; i < kDraws; ++i) {
    const Tensor64 q = drawn({DType::f32, {3, 3}}, orthogonal(), i + 1);
    first += q[0] / kDraws;
    second += q[0] * q[0] / kDraws;
    fourth += std::pow(q[0], 4) / kDraws;
    const double t = q[0] + q[4] + q[8];
    trace += t / kDraws;
    trace2 += t * t / kDraws;
    for (size_t r = 0; r < 3; ++r)
      for (size_t c = 0; c < 3; ++c) square += q[3 * r + c] * q[3 * c + r] / kDraws;
    const double determinant = q[0] * (q[4] * q[8] - q[5] * q[7]) - q[1] * (q[3] * q[8] - q[5] * q[6]) +
                               q[2] * (q[3] * q[7] - q[4] * q[6]);
    positive += (determinant > 0) / double{kDraws};
  }
  EXPECT_NEAR(first, 0, 0.04);
  EXPECT_NEAR(second, 1.0 / 3, 0.02);
  EXPECT_NEAR(fourth, 1.0 / 5, 0.02);
  EXPECT_NEAR(trace, 0, 0.07);
  EXPECT_NEAR(trace2, 1, 0.1);
  EXPECT_NEAR(square, 1, 0.1);
  EXPECT_NEAR(positive, 0.5, 0.04);
}

TEST(Initializers, SparseHasItsZerosInEveryRow) {
  constexpr size_t kIn = 40, kOut = 50;
  const Tensor64 w = drawn({DType::f32, {kIn, kOut}}, sparse(0.31, 0.5));
  Tensor64 others, by_column(kOut);
  for (size_t i = 0; i < kIn; ++i) {
    int zeros = 0;
    for (size_t j = 0; j < kOut; ++j)
      if (w[i * kOut + j] == 0)
        ++zeros, ++by_column[j];
      else
        others.push_back(w[i * kOut + j]);
    EXPECT_EQ(zeros, 16) << "row " << i;  // 15.5 rounded up
  }
  EXPECT_NEAR(moments_of(others).deviation, 0.5, 0.03);
  EXPECT_NEAR(moments_of(others).mean, 0, 0.05);
  for (const double zeros : by_column) EXPECT_TRUE(zeros > 1 && zeros < 27) << zeros;  // of 12.8 expected
  for (const double v : drawn({DType::f32, {4, 5}}, sparse(0))) EXPECT_NE(v, 0);
  for (const double v : drawn({DType::f32, {4, 5}}, sparse(1))) EXPECT_EQ(v, 0);
}

TEST(Initializers, OfMatricesRefuseVectors) {
  for (const Initializer& i : {orthogonal(), sparse(0.5)}) {
    Graph g;
    draw(g, {DType::f32, {3}}, i, 1);
    EXPECT_FALSE(g.status());
  }
}

}  // namespace
}  // namespace shoestring::model
