#include "train/blend.h"

#include <gtest/gtest.h>

#include <cmath>

namespace shoestring::train {
namespace {

TEST(Blend, EqualWhereMembersAreAlike) {
  const MemberAnswers same{.of_member = {{0.7F, 0.2F, 0.9F}, {0.7F, 0.2F, 0.9F}}};
  for (const double weight : blend(std::span(&same, 1), 2)) EXPECT_NEAR(weight, 0.5, 1e-9);
}

TEST(Blend, MembersWithoutRowsAreEqual) {
  const MemberAnswers none{.of_member = {{}, {}, {}, {}}};
  for (const double weight : blend(std::span(&none, 1), 4)) EXPECT_NEAR(weight, 0.25, 1e-9);
}

// So often that nearly all that can be trusted is.
std::vector<float> often(std::initializer_list<float> values) {
  std::vector<float> out;
  for (int i = 0; i < 100'000; ++i) out.insert(out.end(), values);
  return out;
}

TEST(Blend, AUselessMemberKeepsOnlyItsShareOfDoubt) {
  // The first is sure and right, the second sure and wrong: all that is trusted (four fifths) goes to the
  // first.
  const MemberAnswers answers{.of_member = {often({0.99F}), often({0.01F})}};
  const auto weights = blend(std::span(&answers, 1), 2);
  EXPECT_NEAR(weights[0], 0.9, 0.01);
  EXPECT_NEAR(weights[0] + weights[1], 1, 1e-12);
}

TEST(Blend, FewRowsSayLittle) {
  const MemberAnswers answers{.of_member = {{0.99F, 0.99F}, {0.01F, 0.01F}}};
  EXPECT_NEAR(blend(std::span(&answers, 1), 2)[0], 0.5 + 0.5 * 0.8 * 2 / 202, 1e-4);
}

TEST(Blend, SquaredErrorsThatCancelAreBalanced) {
  // The truth is 0, the members err by +1 and -3: three quarters of the first and one of the second are
  // exact.
  const MemberAnswers answers{.squared = true, .of_member = {often({1}), often({-3})}, .truth = often({0})};
  const auto weights = blend(std::span(&answers, 1), 2);
  EXPECT_NEAR(weights[0], 0.8 * 0.75 + 0.2 * 0.5, 0.01);
}

TEST(Blend, TheLogarithmicLossHasItsKnownOptimum) {
  // Rows are of two kinds, two to one, and each member knows one kind only: with p of what it knows not 0 the
  // best weights are the kinds' shares.
  const MemberAnswers answers{.of_member = {often({1, 1, 0}), often({0, 0, 1})}};
  const auto weights = blend(std::span(&answers, 1), 2);
  EXPECT_NEAR(weights[0], 0.8 * 2 / 3 + 0.2 / 2, 0.01);
}

}  // namespace
}  // namespace shoestring::train
