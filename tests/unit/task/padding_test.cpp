// Convolutions of pictures that are padded with their own pixels, against PyTorch's (padding.txt, by
// padding.py).
#include "model/padding.h"

#include <gtest/gtest.h>

#include <cmath>
#include <sstream>

#include "base/atomic_file.h"
#include "compile/differentiate.h"
#include "ir/interpret.h"
#include "ops/conv.h"

namespace shoestring::model {
namespace {

constexpr int64_t kBatch = 2, kChannels = 2, kFilters = 3;

Tensor64 sines(const Shape& shape, double factor, double shift) {
  Tensor64 values;
  for (int64_t i = 0; i < shape.elements(); ++i)
    values.push_back(std::sin(factor * static_cast<double>(i) + shift));
  return values;
}

void expect_line(std::istream& in, const Tensor64& values, const std::string& what) {
  std::string line;
  ASSERT_TRUE(std::getline(in, line)) << what;
  std::istringstream text(line);
  for (const double value : values) {
    double expected = NAN;
    text >> expected;
    ASSERT_NEAR(value, expected, 1e-6) << what;
  }
  double more = 0;
  EXPECT_FALSE(text >> more) << what;
}

TEST(Padding, ConvolutionsAreThoseOfPyTorch) {
  std::istringstream in(read_file("tests/unit/task/padding.txt").value());
  std::string line;
  int cases = 0;
  for (std::getline(in, line); std::getline(in, line); ++cases) {
    std::istringstream text(line);
    std::string name, padding;
    int64_t h = 0, w = 0, kh = 0, kw = 0;
    text >> name >> h >> w >> kh >> kw >> padding;
    std::array<int64_t, 4> around = ops::same_padding(h, w, {kh, kw});
    if (padding != "same") {
      around[0] = around[2] = std::stoll(padding);
      text >> around[1];
      around[3] = around[1];
    }
    const PaddingMode mode = name == "reflect"     ? PaddingMode::reflect
                             : name == "replicate" ? PaddingMode::replicate
                                                   : PaddingMode::circular;
    Graph g;
    const Value x = g.input("x", {DType::f64, {kBatch, h, w, kChannels}});
    const Value f = g.input("f", {DType::f64, {kh, kw, kChannels, kFilters}});
    const Value y = ops::conv2d(padded(x, around, mode), f);
    ASSERT_TRUE(g.status()) << line << ": " << g.status().error().message();
    const Value loss = ops::reduce_sum(ops::mul(y, g.constant(y.type(), sines(y.dims(), 1.1, 3))));
    const auto slopes = differentiate(g, loss, std::vector{x, f});
    g.output("y", y);
    g.output("dx", slopes[0]);
    g.output("df", slopes[1]);
    ASSERT_TRUE(g.status()) << line << ": " << g.status().error().message();
    const auto got = interpret(g, {{"x", sines(x.dims(), 1.3, 1)}, {"f", sines(f.dims(), 0.7, 2)}}, {});
    for (const char* what : {"y", "dx", "df"}) expect_line(in, got.outputs.at(what), line + ", " + what);
  }
  EXPECT_EQ(cases, 12);
}

TEST(Padding, IsNoMoreThanThePictureHas) {
  EXPECT_EQ(most_padding(PaddingMode::reflect, 4), 3);
  EXPECT_EQ(most_padding(PaddingMode::circular, 4), 4);
  for (const PaddingMode mode : {PaddingMode::reflect, PaddingMode::circular}) {
    const auto fits = [&](int64_t below, int64_t right) {
      Graph g;
      padded(g.input("x", {DType::f32, {1, 4, 6, 1}}), {0, 0, below, right}, mode);
      return static_cast<bool>(g.status());
    };
    const int64_t one = mode == PaddingMode::reflect;
    EXPECT_TRUE(fits(4 - one, 6 - one));
    EXPECT_FALSE(fits(5 - one, 0));
    EXPECT_FALSE(fits(0, 7 - one));
  }
}

}  // namespace
}  // namespace shoestring::model
