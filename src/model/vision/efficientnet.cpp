// EfficientNet: MobileNetV3's blocks scaled in depth and width together; its second version begins with
// blocks whose expansion and 3x3 are one convolution.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "model/vision/layers.h"
#include "model/vision/vision.h"

namespace shoestring::model::vision {
namespace {

constexpr auto kSilu = Activation::silu;

struct Stage {
  bool fused;  // the wide 1x1 and the depthwise convolution as one
  int64_t expansion, kernel, stride, channels, blocks;
};
constexpr Stage kFirst[] = {{false, 1, 3, 1, 16, 1}, {false, 6, 3, 2, 24, 2},  {false, 6, 5, 2, 40, 2},
                            {false, 6, 3, 2, 80, 3}, {false, 6, 5, 1, 112, 3}, {false, 6, 5, 2, 192, 4},
                            {false, 6, 3, 1, 320, 1}};
constexpr Stage kSmall[] = {{true, 1, 3, 1, 24, 2},   {true, 4, 3, 2, 48, 4},   {true, 4, 3, 2, 64, 4},
                            {false, 4, 3, 2, 128, 6}, {false, 6, 3, 1, 160, 9}, {false, 6, 3, 2, 256, 15}};
constexpr Stage kMedium[] = {{true, 1, 3, 1, 24, 3},   {true, 4, 3, 2, 48, 5},    {true, 4, 3, 2, 80, 5},
                             {false, 4, 3, 2, 160, 7}, {false, 6, 3, 1, 176, 14}, {false, 6, 3, 2, 304, 18},
                             {false, 6, 3, 1, 512, 5}};
constexpr Stage kLarge[] = {{true, 1, 3, 1, 32, 4},    {true, 4, 3, 2, 64, 7},    {true, 4, 3, 2, 96, 7},
                            {false, 4, 3, 2, 192, 10}, {false, 6, 3, 1, 224, 19}, {false, 6, 3, 2, 384, 25},
                            {false, 6, 3, 1, 640, 7}};

struct Sizes {
  std::span<const Stage> stages;
  double width = 1, depth = 1;
  int64_t stem = 32, last = 0;  // 0: four times the last stage
  NormParams norm;

  int64_t channels(int64_t n) const { return multiple_of_8(static_cast<double>(n) * width); }
  int64_t blocks(const Stage& s) const {
    return static_cast<int64_t>(std::ceil(static_cast<double>(s.blocks) * depth));
  }
};

constexpr NormParams kSmallMomentum{.epsilon = 1e-3, .momentum = 0.01},
    kSecond{.epsilon = 1e-3, .momentum = 0.1};
struct Named {
  std::string_view name;
  Sizes sizes;
};
const Named kVariants[] = {{"b0", {kFirst}},
                           {"b1", {kFirst, 1, 1.1}},
                           {"b2", {kFirst, 1.1, 1.2}},
                           {"b3", {kFirst, 1.2, 1.4}},
                           {"b4", {kFirst, 1.4, 1.8}},
                           {"b5", {kFirst, 1.6, 2.2, 32, 0, kSmallMomentum}},
                           {"b6", {kFirst, 1.8, 2.6, 32, 0, kSmallMomentum}},
                           {"b7", {kFirst, 2, 3.1, 32, 0, kSmallMomentum}},
                           {"v2_s", {kSmall, 1, 1, 24, 1280, kSecond}},
                           {"v2_m", {kMedium, 1, 1, 24, 1280, kSecond}},
                           {"v2_l", {kLarge, 1, 1, 32, 1280, kSecond}}};

Value block(Forward& f, Value x, const std::string& name, const Stage& s, int64_t out, int64_t stride,
            const NormParams& norm, double dropped) {
  const int64_t in = x.dims().back(), wide = multiple_of_8(static_cast<double>(in * s.expansion));
  int part = 0;
  const auto next = [&] { return fmt::format("{}.block.{}", name, part++); };
  const auto layer = [&](Value y, Conv c, Activation a) {
    return conv_norm(f, y, next(), {.conv = std::move(c), .norm = norm, .activation = a});
  };
  Value y = x;
  if (s.fused) {
    y = layer(y, {.filters = wide != in ? wide : out, .kernel = s.kernel, .stride = stride}, kSilu);
    if (wide != in) y = layer(y, {.filters = out, .kernel = 1}, Activation::none);
  } else {
    if (wide != in) y = layer(y, {.filters = wide, .kernel = 1}, kSilu);
    y = layer(y, {.filters = wide, .kernel = s.kernel, .stride = stride, .groups = wide}, kSilu);
    y = squeeze_excitation(f, y, next(), {.squeezed = std::max<int64_t>(1, in / 4), .activation = kSilu});
    y = layer(y, {.filters = out, .kernel = 1}, Activation::none);
  }
  return stride == 1 && in == out ? ops::add(x, stochastic_depth(f, y, dropped)) : y;
}

}  // namespace

Value efficientnet(Forward& f, Value x, const std::string& name, const EfficientNet& spec) {
  if (!x.valid()) return x;
  const auto* named = std::ranges::find(kVariants, spec.variant, &Named::name);
  if (named == std::end(kVariants))
    return x.graph().error(fmt::format("there is no efficientnet '{}'", spec.variant));
  const Sizes& sizes = named->sizes;
  int64_t all = 0, done = 0;
  for (const Stage& s : sizes.stages) all += sizes.blocks(s);
  const auto norm = sizes.norm;
  const std::string prefix = name + ".features.";
  x = conv_norm(
      f, x, prefix + "0",
      {.conv = {.filters = sizes.channels(sizes.stem), .stride = 2}, .norm = norm, .activation = kSilu});
  int at = 1;
  for (const Stage& s : sizes.stages) {
    for (int64_t i = 0; i < sizes.blocks(s) && x.valid(); ++i, ++done)
      x = block(f, x, fmt::format("{}{}.{}", prefix, at, i), s, sizes.channels(s.channels),
                i == 0 ? s.stride : 1, norm,
                spec.stochastic_depth * static_cast<double>(done) / static_cast<double>(all));
    ++at;
  }
  const int64_t last = sizes.last ? sizes.last : 4 * sizes.channels(sizes.stages.back().channels);
  x = conv_norm(f, x, fmt::format("{}{}", prefix, at),
                {.conv = {.filters = last, .kernel = 1}, .norm = norm, .activation = kSilu});
  return mean_over_places(x);
}

std::optional<EfficientNet> efficientnet_variant(std::string_view variant) {
  const auto* named = std::ranges::find(kVariants, variant, &Named::name);
  return named == std::end(kVariants) ? std::nullopt : std::optional(EfficientNet{named->name});
}

}  // namespace shoestring::model::vision
