// What becomes of rows without a picture.
#include <gtest/gtest.h>

#include "task/preprocess.h"

namespace shoestring::task {
namespace {

using S = PictureState;

// Pictures of one pixel of these levels.
struct Pictures {
  data::PixelRows pixels{1};
  std::vector<PictureState> states;

  Pictures(const std::vector<int>& levels, std::vector<PictureState> s = {}) : states(std::move(s)) {
    pixels.append(std::ssize(levels));
    for (size_t row = 0; row < levels.size(); ++row)
      pixels.row(static_cast<int64_t>(row))[0] = static_cast<uint8_t>(levels[row]);
    states.resize(levels.size(), S::there);
  }
  PictureColumn column() { return {&pixels, states, true}; }
};

PictureFit fit_of(Pictures pictures, const std::vector<uint32_t>& training, MissingValues strategy) {
  const ImageInput input{
      .preprocessing = {
          .missing_value_strategy = strategy, .fill_value = 9, .height = 1, .width = 1, .num_channels = 1}};
  const auto fit = fit_pictures(input, {.feature = "p", .training_rows = training}, pictures.column());
  EXPECT_TRUE(fit) << fit.error().message();
  return *fit;
}

std::vector<int> encoded(const PictureFit& fit, Pictures pictures, std::vector<uint8_t>* drop = nullptr,
                         const Neighbours& near = {}) {
  data::PixelRows out(1);
  encode(fit, pictures.column(), drop, out, near);
  std::vector<int> levels;
  for (int64_t row = 0; row < out.rows(); ++row) levels.push_back(out.row(row)[0]);
  return levels;
}

TEST(MissingPictures, AreFilledByEachStrategy) {
  const Pictures pictures({0, 1, 0, 0, 2, 2, 0},
                          {S::missing, S::there, S::missing, S::broken, S::there, S::there, S::missing});
  std::vector<uint8_t> drop;
  const auto with = [&](MissingValues strategy) {
    drop.assign(7, 0);
    return encoded(fit_of(pictures, {1, 4, 5}, strategy), pictures, &drop);
  };
  const std::vector<uint8_t> broken{0, 0, 0, 1, 0, 0, 0};
  EXPECT_EQ(with(MissingValues::fill_with_const), (std::vector{9, 1, 9, 9, 2, 2, 9}));
  EXPECT_EQ(drop, broken);
  EXPECT_EQ(with(MissingValues::fill_with_mode), (std::vector{2, 1, 2, 2, 2, 2, 2}));
  EXPECT_EQ(drop, broken);
  EXPECT_EQ(with(MissingValues::ffill), (std::vector{9, 1, 1, 1, 2, 2, 2}));
  EXPECT_EQ(drop, broken);
  EXPECT_EQ(with(MissingValues::bfill), (std::vector{1, 1, 2, 2, 2, 2, 9}));
  EXPECT_EQ(drop, broken);
  EXPECT_EQ(with(MissingValues::drop_row), (std::vector{9, 1, 9, 9, 2, 2, 9}));
  EXPECT_EQ(drop, (std::vector<uint8_t>{1, 0, 1, 1, 0, 0, 1}));
}

TEST(MissingPictures, TheModeIsOfTheTrainingRowsTheFirstOfEquals) {
  const Pictures pictures({5, 7, 7, 5, 3, 3, 3});
  EXPECT_EQ(fit_of(pictures, {0, 1, 2, 3, 4}, MissingValues::fill_with_mode).mode, (std::vector<uint8_t>{5}));
  EXPECT_EQ(fit_of(pictures, {1, 2, 4}, MissingValues::fill_with_mode).mode, (std::vector<uint8_t>{7}));
  EXPECT_TRUE(fit_of(pictures, {1, 2, 4}, MissingValues::ffill).mode.empty());
  const Pictures none({0}, {S::missing});
  EXPECT_EQ(encoded(fit_of(none, {0}, MissingValues::fill_with_mode), none), std::vector{9});
}

TEST(MissingPictures, NeighboursAreOfTheSameSplit) {
  const std::vector<uint8_t> splits{0, 2, 0, 2};
  const Pictures pictures({1, 2, 0, 0}, {S::there, S::there, S::missing, S::missing});
  EXPECT_EQ(encoded(fit_of(pictures, {0}, MissingValues::ffill), pictures, nullptr, {.groups = splits}),
            (std::vector{1, 2, 1, 2}));
}

TEST(MissingPictures, FfillGoesOnInTheNextRows) {
  const PictureFit fit = fit_of({{1}}, {0}, MissingValues::ffill);
  FillState state;
  const Neighbours near{.state = &state};
  EXPECT_EQ(encoded(fit, {{0, 4, 6}, {S::missing, S::there, S::there}}, nullptr, near),
            (std::vector{9, 4, 6}));
  EXPECT_EQ(encoded(fit, {{0, 0}, {S::missing, S::broken}}, nullptr, near), (std::vector{6, 6}));
  EXPECT_EQ(encoded(fit, {{0, 8, 0}, {S::missing, S::there, S::missing}}, nullptr, near),
            (std::vector{6, 8, 8}));
}

// timm's mixers were trained on levels from -1 to 1: (level / 255 - 0.5) / 0.5.
TEST(ScaleOfPictures, InceptionIsMinusOneToOne) {
  const ImageInput input{
      .preprocessing = {
          .height = 1, .width = 1, .num_channels = 1, .standardize_image = Standardize::inception}};
  Pictures pictures({17});
  const std::vector<uint32_t> rows{0};
  const auto fit = fit_pictures(input, {.feature = "p", .training_rows = rows}, pictures.column());
  ASSERT_TRUE(fit) << fit.error().message();
  for (const double level : {0.0, 51.0, 255.0})
    EXPECT_DOUBLE_EQ((level - fit->shift[0]) / fit->scale[0], (level / 255 - 0.5) / 0.5);
}

TEST(MissingPictures, AFitWithAPictureComesBackFromJson) {
  const Fits fits{{fit_of({{200, 200, 3}}, {0, 1, 2}, MissingValues::fill_with_mode)}, {}};
  const std::string text = to_json(fits);
  const auto back = fits_from_json(text);
  ASSERT_TRUE(back) << back.error().message();
  EXPECT_EQ(*back, fits);
  EXPECT_EQ(std::get<PictureFit>(back->inputs[0]).mode, (std::vector<uint8_t>{200}));
  for (const char* bad : {"\"mode\":\"AAAA\"", "\"mode\":\"?\"", "\"mode\":7"}) {
    std::string damaged = text;
    damaged.replace(damaged.find("\"mode\":"), std::string("\"mode\":\"yA==\"").size(), bad);
    const auto refused = fits_from_json(damaged);
    ASSERT_FALSE(refused) << bad;
    EXPECT_EQ(refused.error().exit_code(), 3);
  }
}

}  // namespace
}  // namespace shoestring::task
