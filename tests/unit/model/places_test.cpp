// A vision transformer's table of places for pictures of another size, against PyTorch's (places.txt, by
// places.py).
#include <gtest/gtest.h>

#include <cmath>
#include <sstream>

#include "base/atomic_file.h"
#include "model/vision/pretrained.h"

namespace shoestring::model::vision {
namespace {

constexpr int64_t kNumbers = 3;

// What a file with such a table has for a network with `places` places besides the first.
Result<std::vector<ForeignState>> matched(const Type& theirs, int64_t places, PatchGrid patches) {
  const Parameter ours{.name = "p.encoder.pos_embedding", .type = {DType::f32, {1, 1 + places, kNumbers}}};
  const auto find = [&](std::string_view name) {
    return name == "encoder.pos_embedding" ? &theirs : nullptr;
  };
  return match_foreign(find, "w.safetensors", std::span(&ours, 1), "p", patches);
}

TEST(Places, AreResizedAsPyTorchDoes) {
  std::istringstream in(read_file("tests/unit/model/places.txt").value());
  std::string line;
  int cases = 0;
  for (std::getline(in, line); std::getline(in, line); ++cases) {
    std::istringstream text(line);
    int64_t side = 0;
    PatchGrid patches;
    text >> side >> patches.rows >> patches.columns;
    std::vector<float> table;
    for (int64_t i = 0; i < (1 + side * side) * kNumbers; ++i)
      table.push_back(static_cast<float>(std::sin(1.3 * static_cast<double>(i) + 1)));
    const auto state =
        matched({DType::f32, {1, 1 + side * side, kNumbers}}, patches.rows * patches.columns, patches);
    ASSERT_TRUE(state) << state.error().message();
    ASSERT_EQ(state->size(), 1u);
    EXPECT_EQ(state->front().to, patches);
    std::vector<float> values(static_cast<size_t>((1 + patches.rows * patches.columns) * kNumbers), 7.0F);
    const auto bytes = std::as_bytes(std::span(table));
    constexpr int64_t kPiece = 7;  // ends within places
    for (int64_t first = 0; first < std::ssize(table); first += kPiece)
      put_foreign(state->front(), first,
                  bytes.subspan(static_cast<size_t>(4 * first),
                                static_cast<size_t>(4 * std::min(kPiece, std::ssize(table) - first))),
                  values);
    for (const float value : values) {
      double expected = NAN;
      text >> expected;
      ASSERT_NEAR(value, expected, 1e-6) << line;
    }
  }
  EXPECT_EQ(cases, 7);
}

TEST(Places, ThatFitStayAsTheyAre) {
  const auto same = matched({DType::f32, {1, 10, kNumbers}}, 9, {3, 3});
  ASSERT_TRUE(same) << same.error().message();
  EXPECT_EQ(same->front().from, PatchGrid());
  // A network of other pictures than the file's, with as many places.
  const auto flat = matched({DType::f32, {1, 17, kNumbers}}, 16, {2, 8});
  ASSERT_TRUE(flat) << flat.error().message();
  EXPECT_EQ(flat->front().from, (PatchGrid{4, 4}));
}

TEST(Places, ThatAreNoSquareOrOfAnotherWidthAreRefused) {
  const auto said = [](const Shape& dims, PatchGrid patches) {
    const auto state = matched({DType::f32, dims}, 9, patches);
    return state ? std::string() : state.error().message();
  };
  EXPECT_EQ(
      said({1, 12, kNumbers}, {3, 3}),
      "w.safetensors: tensor 'encoder.pos_embedding' is [1,12,3], no table of a square of places, and the "
      "network's pictures have 3 x 3 patches; give the weights of this very network and variant");
  EXPECT_NE(said({1, 17, kNumbers + 1}, {3, 3}), "");
  EXPECT_NE(said({1, 17, kNumbers}, {}), "");  // no size is known
}

}  // namespace
}  // namespace shoestring::model::vision
