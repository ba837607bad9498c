// mixup and cutmix: what is drawn for a batch, and the loss and gradients that come of it.
#include "task/mixing.h"

#include <gtest/gtest.h>

#include <cmath>

#include "compile/differentiate.h"
#include "ir/interpret.h"
#include "task/network_parts.h"

namespace shoestring::task {
namespace {

constexpr int64_t kHeight = 6, kWidth = 10;

Recipe recipe_that(std::vector<AugmentationSpec> mixes) {
  ImageInput image{.preprocessing = {.height = kHeight, .width = kWidth, .num_channels = 1}};
  for (const AugmentationSpec& mix : mixes) image.augmentation.items.push_back({mix});
  Recipe recipe;
  recipe.inputs = {{"p", "p", image}};
  recipe.outputs = {{"y", "y", CategoryOutput{}}};
  return recipe;
}

struct Drawn {
  Tensor64 pixels;
  double loss = 0;
};
std::vector<Drawn> drawn(const Recipe& recipe, uint32_t steps) {
  Graph g("mixing");
  const BatchMixing mixing = draw_mixing(g, recipe);
  g.output("pixels", mixing.of_pixels);
  g.output("loss", mixing.of_loss);
  EXPECT_TRUE(g.status()) << g.status().error().message();
  std::vector<Drawn> out;
  for (uint32_t step = 0; step < steps; ++step) {
    const auto got = interpret(g, {}, {}, {.seed = 3, .step = step}).outputs;
    out.push_back({got.at("pixels"), got.at("loss")[0]});
  }
  return out;
}

bool all_are(const Tensor64& values, double value) {
  return std::all_of(values.begin(), values.end(), [&](double v) { return v == value; });
}

TEST(Mixing, NothingIsDrawnWithoutIt) {
  Graph g("mixing");
  EXPECT_FALSE(draw_mixing(g, recipe_that({steps::HorizontalFlip{}})).of_loss.valid());
  EXPECT_EQ(g.nodes().size(), 0u);
}

TEST(Mixing, MixupDrawsOneShareForAllPixels) {
  constexpr uint32_t kSteps = 2000;
  double sum = 0, squares = 0;
  for (const Drawn& d : drawn(recipe_that({Mixup{.alpha = 2}}), kSteps)) {
    EXPECT_TRUE(all_are(d.pixels, d.loss));
    sum += d.loss;
    squares += d.loss * d.loss;
  }
  const double mean = sum / kSteps;
  EXPECT_NEAR(mean, 0.5, 0.02);  // Beta(2, 2), whose variance is 1/20
  EXPECT_NEAR(squares / kSteps - mean * mean, 0.05, 0.005);
}

TEST(Mixing, CutmixDrawsABoxAndItsShare) {
  int64_t at_the_left = 0, boxes = 0;
  for (const Drawn& d : drawn(recipe_that({Cutmix{}}), 400)) {
    int64_t top = kHeight, bottom = -1, left = kWidth, right = -1;
    double inside = 0;
    for (int64_t y = 0; y < kHeight; ++y)
      for (int64_t x = 0; x < kWidth; ++x) {
        const double share = d.pixels[static_cast<size_t>(y * kWidth + x)];
        ASSERT_TRUE(share == 0 || share == 1);
        if (share == 0) continue;
        ++inside;
        top = std::min(top, y), bottom = std::max(bottom, y);
        left = std::min(left, x), right = std::max(right, x);
      }
    EXPECT_NEAR(d.loss, inside / (kHeight * kWidth), 1e-6);
    if (inside == 0) continue;
    EXPECT_EQ(inside, static_cast<double>((bottom - top + 1) * (right - left + 1)));
    ++boxes;
    at_the_left += left + right + 1 < kWidth;
    // The picture's own aspect, to a pixel both ways, where no edge cuts it.
    if (top > 0 && left > 0 && bottom < kHeight - 1 && right < kWidth - 1) {
      const auto height = static_cast<double>(bottom - top + 1),
                 width = static_cast<double>(right - left + 1);
      EXPECT_NEAR(width / kWidth, height / kHeight, 1.0 / kWidth + 1.0 / kHeight);
    }
  }
  EXPECT_GT(boxes, 350);
  EXPECT_NEAR(static_cast<double>(at_the_left) / static_cast<double>(boxes), 0.5, 0.15);
}

TEST(Mixing, EachHappensToItsShareOfTheBatches) {
  constexpr uint32_t kSteps = 2000;
  int none = 0, mixup = 0, cutmix = 0;
  for (const Drawn& d :
       drawn(recipe_that({Mixup{.alpha = 4, .probability = 0.3}, Cutmix{.alpha = 4, .probability = 0.5}}),
             kSteps)) {
    if (d.loss == 0)
      ++none;
    else if (all_are(d.pixels, d.pixels[0]) && d.pixels[0] < 1)
      ++mixup;
    else
      ++cutmix;
  }
  const auto near = [](int count, double share) {
    EXPECT_NEAR(count, share * kSteps, 4.5 * std::sqrt(share * (1 - share) * kSteps));
  };
  near(mixup, 0.3);
  near(cutmix, 0.5);
  near(none, 0.2);
}

TEST(Mixing, LevelsAreBlendedWithTheNextRows) {
  Graph g("mixing");
  const Value x = g.input("x", {DType::u8, {3, 1, 2, 1}});
  const BatchMixing mixing{g.input("share", {DType::f32, {1, 2, 1}}), g.input("loss", {DType::f32, {}})};
  g.output("mixed", mixed_levels(x, mixing));
  ASSERT_TRUE(g.status()) << g.status().error().message();
  const auto got =
      interpret(g, {{"x", {10, 20, 100, 200, 40, 80}}, {"share", {0.25, 1}}, {"loss", {0.625}}}, {});
  const Tensor64 expected{32.5, 200, 85, 80, 32.5, 20};
  EXPECT_EQ(got.outputs.at("mixed"), expected);
}

// - (1 - s) log p[own] - s log p[next], the mean over the rows; its slope by the logits is the softmax less
// both shares, over the rows.
TEST(Mixing, LossAndGradientAreThoseOfBothTargets) {
  NetworkSpec spec;
  spec.recipe = recipe_that({Mixup{}});
  spec.output_sizes = {3};
  spec.class_weights.resize(1);
  Graph g("loss");
  const Value logits = g.input("logits", {DType::f32, {3, 3}}), target = g.input("target", {DType::i32, {3}});
  const BatchMixing mixing{g.input("pixels", {DType::f32, {}}), g.input("share", {DType::f32, {}})};
  const Value loss = mean_loss(spec, 0, mixed_losses(spec, 0, logits, target, mixing));
  g.output("loss", loss);
  g.output("slope", differentiate(g, loss, std::vector{logits})[0]);
  ASSERT_TRUE(g.status()) << g.status().error().message();
  const Tensor64 values{0.5, -1, 2, 0, 0.25, 1, -3, 1, 1};
  const int classes[] = {2, 0, 1};
  constexpr double kShare = 0.3;
  const auto got = interpret(
      g, {{"logits", values}, {"target", {2, 0, 1}}, {"pixels", {kShare}}, {"share", {kShare}}}, {});
  double expected = 0;
  for (size_t r = 0; r < 3; ++r) {
    double sum = 0;
    for (size_t c = 0; c < 3; ++c) sum += std::exp(values[3 * r + c]);
    const auto own = static_cast<size_t>(classes[r]), next = static_cast<size_t>(classes[(r + 1) % 3]);
    for (size_t c = 0; c < 3; ++c) {
      const double p = std::exp(values[3 * r + c]) / sum;
      const double wanted = (c == own ? 1 - kShare : 0) + (c == next ? kShare : 0);
      EXPECT_NEAR(got.outputs.at("slope")[3 * r + c], (p - wanted) / 3, 1e-7) << r << " " << c;
      expected -= wanted * std::log(p) / 3;
    }
  }
  EXPECT_NEAR(got.outputs.at("loss")[0], expected, 1e-7);
}

}  // namespace
}  // namespace shoestring::task
