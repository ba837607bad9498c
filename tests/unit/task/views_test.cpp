// compact_cnn's views of a picture, against predictions of the pictures that they are.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "ir/interpret.h"
#include "task/network.h"

namespace shoestring::task {
namespace {

constexpr int64_t kHeight = 6, kWidth = 7, kChannels = 3, kRows = 2;

NetworkSpec spec_of(Views views) {
  CompactCnnEncoder encoder{.widths = {4, 5}, .whiten = false, .views = views};
  const ImageInput image{.preprocessing = {.height = kHeight, .width = kWidth, .num_channels = kChannels},
                         .encoder = encoder};
  NetworkSpec spec;
  spec.recipe.inputs = {{"p", "p", image}};
  spec.recipe.outputs = {{"y", "y", CategoryOutput{}}};
  spec.recipe.combiner = ConcatCombiner{};
  spec.input_sizes = {1};
  spec.output_sizes = {3};
  spec.class_weights.resize(1);
  return spec;
}

using Pictures = Tensor64;  // [kRows, kHeight, kWidth, kChannels]

Pictures pictures() {
  Pictures out;
  for (int64_t i = 0; i < kRows * kHeight * kWidth * kChannels; ++i)
    out.push_back(static_cast<double>((37 * i + i * i / 5) % 256));
  return out;
}

// The pixel at (y, x) of the view is the picture's at (row(y), column(x)).
Pictures view(const Pictures& from, auto row, auto column) {
  Pictures out;
  for (int64_t r = 0; r < kRows; ++r)
    for (int64_t y = 0; y < kHeight; ++y)
      for (int64_t x = 0; x < kWidth; ++x)
        for (int64_t c = 0; c < kChannels; ++c)
          out.push_back(
              from[static_cast<size_t>(((r * kHeight + row(y)) * kWidth + column(x)) * kChannels + c)]);
  return out;
}
// Without the edge repeated: -1 is 1, size is size - 2.
int64_t reflected(int64_t at, int64_t size) { return at < 0 ? -at : at >= size ? 2 * (size - 1) - at : at; }

// Of every row and class.
Tensor64 log_probabilities(Views views, const Pictures& pixels) {
  const Graph g = build_prediction(spec_of(views), kRows);
  EXPECT_TRUE(g.status()) << g.status().error().message();
  std::map<std::string, Tensor64> states;
  for (const StateInfo& s : g.states()) {
    Tensor64& values = states[s.name];
    for (int64_t i = 0; i < s.type.elements(); ++i)
      values.push_back(s.name.ends_with(".variance") ? 1 + 0.1 * static_cast<double>(i % 3)
                                                     : std::sin(1.3 * static_cast<double>(i)));
  }
  Tensor64 out = interpret(g, {{"image:p", pixels}}, states).outputs.at("probabilities:y");
  for (double& p : out) p = std::log(p);
  return out;
}

TEST(Views, AreTheMeanOverThePicturesThatTheyAre) {
  const Pictures all = pictures();
  const auto shifted = [&](int64_t by, bool mirror) {
    return view(
        all, [&](int64_t y) { return reflected(y + by, kHeight); },
        [&](int64_t x) { return reflected((mirror ? kWidth - 1 - x : x) + by, kWidth); });
  };
  for (const Views views : {Views::one, Views::mirrored, Views::six}) {
    // Logits are means, so probabilities are geometric ones, but for a factor of each row.
    Tensor64 mean(kRows * 3, 0.0);
    const auto add = [&](double weight, const Pictures& pixels) {
      const Tensor64 one = log_probabilities(Views::one, pixels);
      for (size_t i = 0; i < mean.size(); ++i) mean[i] += weight * one[i];
    };
    if (views == Views::one) {
      add(1, all);
    } else {
      const double still = views == Views::six ? 0.5 : 1;
      for (const bool mirror : {false, true}) {
        add(still / 2, shifted(0, mirror));
        for (const int64_t by : {-1, 1}) add((1 - still) / 4, shifted(by, mirror));
      }
    }
    const Tensor64 got = log_probabilities(views, all);
    for (size_t row = 0; row < kRows; ++row) {
      double sum = 0;
      for (size_t c = 0; c < 3; ++c) sum += std::exp(mean[row * 3 + c]);
      for (size_t c = 0; c < 3; ++c)
        EXPECT_NEAR(got[row * 3 + c], mean[row * 3 + c] - std::log(sum), 1e-9) << row << ' ' << c;
    }
  }
}

TEST(Views, AreOfPredictionAlone) {
  const auto nodes = [](Views views) {
    return build_training(spec_of(views), 4, StepKind::update).nodes().size();
  };
  EXPECT_EQ(nodes(Views::six), nodes(Views::one));
}

}  // namespace
}  // namespace shoestring::task
