#include "data/png.h"

#include <gtest/gtest.h>

#include "data/picture.h"

namespace shoestring::data {
namespace {

// What is written is read again by the library that reads everybody's.
TEST(Png, IsReadAgain) {
  for (const int64_t channels : {1, 3, 4}) {
    std::vector<uint8_t> pixels;
    for (int64_t i = 0; i < 5 * 7 * channels; ++i) pixels.push_back(static_cast<uint8_t>(i * 37));
    const std::string file = encode_png(pixels, 5, 7, channels);
    const auto info = look_at(std::as_bytes(std::span(file)));
    ASSERT_TRUE(info) << info.error().message();
    EXPECT_EQ(info->format, PictureFormat::png);
    EXPECT_EQ(info->channels, channels);
    const auto picture = decode_picture(std::as_bytes(std::span(file)));
    ASSERT_TRUE(picture) << picture.error().message();
    EXPECT_EQ(picture->height, 5);
    EXPECT_EQ(picture->width, 7);
    EXPECT_EQ(picture->pixels, pixels);
  }
}

}  // namespace
}  // namespace shoestring::data
