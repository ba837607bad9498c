// Decoding and resizing, against what Pillow and torchvision make of the same files
// (pictures/make_pictures.py).
#include "data/picture.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "base/atomic_file.h"

namespace shoestring::data {
namespace {

const std::string kPictures = "tests/unit/data/pictures/";

std::vector<std::byte> bytes_of(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text.data(), text.size()));
  return {bytes.begin(), bytes.end()};
}

std::vector<std::byte> file(const std::string& name) {
  const auto text = read_file(kPictures + name);
  EXPECT_TRUE(text) << name;
  return bytes_of(*text);
}

struct Expected {
  std::string name, method;
  PictureForm form;
  int tolerance = 0;
  std::vector<uint8_t> pixels;
};

std::vector<Expected> expected() {
  std::vector<Expected> all;
  std::ifstream in(kPictures + "values.txt");
  std::string name, size, method, digits;
  int channels = 0, tolerance = 0;
  while (in >> name >> channels >> size >> method >> tolerance >> digits) {
    Expected e{.name = name, .method = method, .form = {.channels = channels}, .tolerance = tolerance};
    std::istringstream(size) >> e.form.height;
    std::istringstream(size.substr(size.find('x') + 1)) >> e.form.width;
    if (method == "crop_or_pad") e.form.method = ResizeMethod::crop_or_pad;
    for (size_t i = 0; i + 1 < digits.size(); i += 2)
      e.pixels.push_back(static_cast<uint8_t>(std::stoi(digits.substr(i, 2), nullptr, 16)));
    all.push_back(std::move(e));
  }
  return all;
}

int worst(const std::vector<uint8_t>& a, const std::vector<uint8_t>& b) {
  int most = 0;
  for (size_t i = 0; i < a.size(); ++i) most = std::max(most, std::abs(a[i] - b[i]));
  return most;
}

TEST(Pictures, AreWhatPillowAndTorchvisionMakeOfThem) {
  const auto all = expected();
  ASSERT_GT(all.size(), 80u);
  PictureRoom room;
  for (const Expected& e : all) {
    SCOPED_TRACE(
        fmt::format("{} {} {}x{} {}", e.name, e.form.channels, e.form.height, e.form.width, e.method));
    const auto bytes = file(e.name);
    std::vector<uint8_t> pixels(static_cast<size_t>(e.form.bytes()), 7);
    const auto done = decode_into(bytes, e.form, pixels, room);
    ASSERT_TRUE(done) << done.error().message();
    ASSERT_EQ(pixels.size(), e.pixels.size());
    EXPECT_LE(worst(pixels, e.pixels), e.tolerance);
    if (e.method != "none") continue;
    const auto whole = decode_picture(bytes, e.form.channels);
    ASSERT_TRUE(whole) << whole.error().message();
    EXPECT_EQ(whole->height, e.form.height);
    EXPECT_EQ(whole->width, e.form.width);
    EXPECT_EQ(whole->pixels, pixels);
    const auto info = look_at(bytes);
    EXPECT_EQ(info->height, e.form.height);
    EXPECT_EQ(info->width, e.form.width);
  }
}

TEST(Pictures, HeadersSayWhatTheyAre) {
  const auto channels = [](const std::string& name) { return look_at(file(name))->channels; };
  EXPECT_EQ(channels("grey.png"), 1);
  EXPECT_EQ(channels("grey_alpha.png"), 2);
  EXPECT_EQ(channels("palette.png"), 3);
  EXPECT_EQ(channels("rgba.png"), 4);
  EXPECT_EQ(channels("grey.jpg"), 1);
  EXPECT_EQ(channels("inks.jpg"), 3);
  EXPECT_EQ(channels("alpha.webp"), 4);
  EXPECT_EQ(channels("lossy.webp"), 3);
  EXPECT_EQ(look_at(file("grey16.png"))->bits, 16);
  EXPECT_EQ(look_at(file("turned6.png"))->orientation, 6);
}

TEST(Pictures, AreToldByTheirContent) {
  for (const char* name :
       {"rgb.png", "plain.jpg", "lossy.webp", "grey.pgm", "rgb.bmp", "rgba.pam", "text.pbm"})
    EXPECT_TRUE(is_picture(EncodedPicture(file(name)).first(18))) << name;
  EXPECT_TRUE(is_picture(bytes_of("GIF89a")));
  for (const char* text :
       {"", "P", "P5x", "Pets,are,here\n", "BMW,price\n1,20000000\n", "RIFF....WAVE", "a,b\n1,2\n"})
    EXPECT_FALSE(is_picture(bytes_of(text))) << text;
}

std::string fault(const std::vector<std::byte>& bytes) {
  std::vector<uint8_t> out(12);
  PictureRoom room;
  const auto done = decode_into(bytes, {.height = 2, .width = 2, .channels = 3}, out, room);
  if (done) return "";
  EXPECT_EQ(done.error().kind, ErrorKind::data);
  EXPECT_FALSE(done.error().fix.empty());
  return done.error().what;
}

TEST(Pictures, BrokenOnesSayWhy) {
  EXPECT_EQ(fault({}), "the file is empty");
  EXPECT_EQ(fault(bytes_of("hello world")), "this is no picture: no JPEG, PNG, WebP, PNM or BMP");
  EXPECT_EQ(fault(bytes_of("GIF89a......")), "this is a GIF, which is not read: save it as PNG or JPEG");
  EXPECT_EQ(fault(bytes_of("<!DOCTYPE html><html>")), "this is an HTML page");
  EXPECT_EQ(fault(bytes_of("P6 3 3 255\n12345")), "the file is too short for so many pixels: it ends early");
  EXPECT_EQ(fault(bytes_of("P5 0 3 255\n")), "the PNM's header is damaged");
  EXPECT_EQ(fault(bytes_of("P2 2 2 255\n1 2 3 x ")), "the PNM ends early");
  const auto cut = [](const char* name, size_t bytes) {
    auto whole = file(name);
    whole.resize(bytes);
    return fault(whole);
  };
  EXPECT_EQ(cut("plain.jpg", 900), "the JPEG ends early");
  EXPECT_EQ(cut("plain.jpg", 20), "the JPEG ends early");
  EXPECT_EQ(cut("rgb.png", 300), "the PNG ends early");
  EXPECT_EQ(cut("rgb.png", 20), "the PNG ends early");
  EXPECT_EQ(cut("lossless.webp", 400), "the WebP ends early");
  EXPECT_EQ(cut("rgb.bmp", 300), "the file is too short for so many pixels: it ends early");
  auto flipped = file("rgb.png");
  flipped[flipped.size() - 60] ^= std::byte{0xFF};
  EXPECT_EQ(fault(flipped), "the PNG's compressed data is damaged");
}

// Sizes beyond all bounds cost no memory, whatever the file says.
TEST(Pictures, BombsAreErrors) {
  EXPECT_EQ(fault(bytes_of("P6 50000 50000 255\n")),
            "the picture is 50000 x 50000: at most 89478485 pixels are decoded");
  EXPECT_EQ(fault(bytes_of("P6 200000 1 255\n")),
            "the picture is 200000 x 1: at most 89478485 pixels are decoded");
  EXPECT_EQ(fault(bytes_of("P3 9000 9000 255\n1 2 3")),
            "the file is too short for so many pixels: it ends early");
  auto png = file("rgb.png");  // its width, in the header
  png[16] = std::byte{0x7F};
  EXPECT_NE(fault(png).find("at most 89478485 pixels are decoded"), std::string::npos);
  png[16] = std::byte{0};
  png[18] = std::byte{0xFF};
  png[22] = std::byte{0x05};
  EXPECT_EQ(fault(png), "the file is too short for so many pixels: it ends early");
}

TEST(Pictures, EveryCutOfEveryFileIsAnErrorOrAPicture) {
  for (const char* name :
       {"plain.jpg", "progressive.jpg", "inks.jpg", "palette_alpha.png", "rgb16.png", "alpha.webp",
        "turned.webp", "rgba.bmp", "palette.bmp", "text.ppm", "bits.pbm", "rgba.pam"}) {
    const auto whole = file(name);
    for (size_t bytes = 0; bytes < whole.size(); bytes += 3)
      (void)fault({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(bytes)});
  }
}

// A large JPEG is decoded at a fraction of its size, and still looks as it does in whole.
TEST(Pictures, ScaledDecodingStaysNearTheWholePicture) {
  const auto bytes = file("subsampled.jpg");  // 24 x 30
  const PictureForm form{.height = 7, .width = 8, .channels = 3};
  std::vector<uint8_t> scaled(static_cast<size_t>(form.bytes())), whole(scaled.size());
  PictureRoom room;
  ASSERT_TRUE(decode_into(bytes, form, scaled, room));
  const auto picture = decode_picture(bytes, 3);
  ASSERT_TRUE(picture && fit_into(picture->view(), form, whole, room));
  EXPECT_LE(worst(scaled, whole), 8);
  EXPECT_NE(scaled, whole);  // that is, a half was decoded
}

}  // namespace
}  // namespace shoestring::data
