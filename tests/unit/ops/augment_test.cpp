// The operations on pictures against torchvision and Pillow (stored levels, augment_torchvision.py), and what
// chance makes of rows.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <sstream>

#include "ops/shared/augment_pixels.h"

namespace shoestring::ops::augmentation {
namespace {

using Levels = std::vector<uint8_t>;

constexpr int32_t kHeight = 20, kWidth = 17;

Levels picture(const PictureSize& size) {
  Levels levels;
  for (int y = 0; y < size.height; ++y)
    for (int x = 0; x < size.width; ++x)
      for (int c = 0; c < size.channels; ++c)
        levels.push_back(static_cast<uint8_t>(
            25 + (7 * y + 13 * x + 41 * c + 5 * (y * x % 17) + (3 * y + c) * x % 11) % 200));
  return levels;
}

Levels applied(std::span<const Change> changes, const PictureSize& size, const Levels& from) {
  Levels to(from.size());
  std::vector<float> scratch(static_cast<size_t>(scratch_bytes(size)) / sizeof(float));
  apply(changes, size, from.data(), to.data(), reinterpret_cast<std::byte*>(scratch.data()));
  return to;
}

constexpr std::string_view kNames[kOperations] = {
    "identity", "shear_x",  "shear_y",   "translate_x", "translate_y", "rotate",       "brightness",
    "color",    "contrast", "sharpness", "posterize",   "solarize",    "autocontrast", "equalize"};

Changes changes_of(const std::string& name, double magnitude, const PictureSize& size) {
  Changes changes;
  for (uint32_t i = 0; i < kOperations; ++i)
    if (kNames[i] == name) add_operation(changes, static_cast<Operation>(i), magnitude, size);
  const std::string text =
      name == "flip" ? "horizontal_flip(probability=1)"
      : name == "blur"
          ? "blur(probability=1, kernel_size=" + std::to_string(static_cast<int>(magnitude)) + ")"
          : "invert(probability=1)";
  if (changes.count == 0) draw_changes(*steps_from(text), {}, 0, 0, size, changes);
  return changes;
}

TEST(Augment, MakesTheLevelsOfTorchvision) {
  std::ifstream file("tests/unit/ops/augment_values.txt");
  int cases = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("#")) continue;
    std::istringstream words(line);
    std::string name, hex;
    double magnitude = 0;
    PictureSize size{kHeight, kWidth, 0};
    words >> name >> magnitude >> size.channels >> hex;
    const Levels from = picture(size);
    const Levels got = applied(changes_of(name, magnitude, size).all(), size, from);
    ASSERT_EQ(hex.size(), 2 * got.size()) << line.substr(0, 40);
    int unlike = 0, worst = 0;
    for (size_t i = 0; i < got.size(); ++i) {
      const int expected = std::stoi(hex.substr(2 * i, 2), nullptr, 16);
      worst = std::max(worst, std::abs(got[i] - expected));
      unlike += got[i] != expected;
    }
    EXPECT_LE(worst, 1) << name << " " << magnitude << " on " << size.channels << " channels: " << unlike
                        << " differ";
    ++cases;
  }
  EXPECT_EQ(cases, 40);
}

TEST(Augment, TextIsReadBack) {
  const std::string text =
      "horizontal_flip(alternating=true), crop(padding=2, reflect=false), rotate(degrees=7.5), blur, "
      "erase(min_area=0.1, fill=0), rand_augment(operations=3), trivial_augment";
  const auto steps = steps_from(text);
  ASSERT_TRUE(steps) << steps.error().message();
  EXPECT_EQ(to_text(*steps), text);
  EXPECT_TRUE(needs_numbers(*steps));
  EXPECT_EQ(most_changes(*steps), 9);
  EXPECT_EQ(to_text({}), "");
}

// Moves one after the other are one move; so are warps.
TEST(Augment, NeighboursAreOne) {
  const PictureSize size{kHeight, kWidth, 3};
  const Levels from = picture(size);
  const Change flip = change::Move{.sx = -1, .ox = kWidth - 1},
               turn = change::Move{.sy = -1, .oy = kHeight - 1};
  const auto steps =
      *steps_from("horizontal_flip(probability=1), crop(padding=5), vertical_flip(probability=1)");
  for (uint32_t row = 0; row < 50; ++row) {
    Changes all, crop;
    draw_changes(steps, {7, 1, 2}, row, 0, size, all);
    ASSERT_EQ(all.count, 1);
    // The flips take a number each, which stand before and after the crop's.
    const auto& move = std::get<change::Move>(all.list[0]);
    const change::Move alone{.ox = -move.ox + kWidth - 1, .oy = -move.oy + kHeight - 1};
    EXPECT_LE(std::abs(alone.ox), 5);
    const Change in_turn[] = {flip, change::Move{.ox = alone.ox, .oy = -alone.oy}, turn};
    EXPECT_EQ(applied(all.all(), size, from), applied(in_turn, size, from));
  }
  Changes there_and_back;
  add_operation(there_and_back, Operation::rotate, 30, size);
  add_operation(there_and_back, Operation::rotate, -30, size);
  ASSERT_EQ(there_and_back.count, 1);
  const auto& same = std::get<change::Warp>(there_and_back.list[0]);
  EXPECT_NEAR(same.a, 1, 1e-6);
  EXPECT_NEAR(same.b, 0, 1e-6);
  EXPECT_NEAR(same.c, 0, 1e-5);
}

// A step happens as often as its probability says, and rows differ.
TEST(Augment, ChanceIsWhatItSays) {
  const PictureSize size{32, 32, 3};
  const auto steps = *steps_from("horizontal_flip(probability=0.3), crop(padding=4), cutout(size=8)");
  int flips = 0, places[9] = {};
  constexpr int kRows = 20000;
  for (uint32_t row = 0; row < kRows; ++row) {
    Changes changes;
    draw_changes(steps, {1, 2, 3}, row, 0, size, changes);
    const auto& move = std::get<change::Move>(changes.list[0]);
    flips += move.sx < 0;
    ++places[(move.sx < 0 ? 31 - move.ox : move.ox) + 4];
  }
  EXPECT_NEAR(flips, 0.3 * kRows, 4 * std::sqrt(0.21 * kRows));
  for (const int n : places) EXPECT_NEAR(n, kRows / 9.0, 5 * std::sqrt(kRows / 9.0));
}

}  // namespace
}  // namespace shoestring::ops::augmentation
