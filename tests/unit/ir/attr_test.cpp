#include "ir/attr.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace shoestring {
namespace {

TEST(Attrs, HoldsEveryKind) {
  const Attrs a{{"flag", true},
                {"axis", int64_t{-1}},
                {"rate", 0.5},
                {"mode", std::string("sum")},
                {"axes", std::vector<int64_t>{0, 2}}};
  EXPECT_TRUE(a.flag("flag"));
  EXPECT_EQ(a.integer("axis"), -1);
  EXPECT_EQ(a.number("rate"), 0.5);
  EXPECT_EQ(a.text("mode"), "sum");
  EXPECT_EQ(a.list("axes"), (std::vector<int64_t>{0, 2}));
  EXPECT_EQ(a.find("none"), nullptr);
}

TEST(Attrs, AskingWronglyIsAFaultOfOurs) {
  const Attrs a{{"axis", int64_t{1}}};
  EXPECT_THROW(a.integer("axes"), std::logic_error);
  EXPECT_THROW(a.number("axis"), std::logic_error);
}

TEST(Attrs, SettingReplacesInPlace) {
  Attrs a{{"x", int64_t{1}}, {"y", int64_t{2}}};
  a.set("x", int64_t{3});
  EXPECT_EQ(a, (Attrs{{"x", int64_t{3}}, {"y", int64_t{2}}}));
}

TEST(Attrs, ValuesAsText) {
  EXPECT_EQ(to_string(AttrValue{true}), "true");
  EXPECT_EQ(to_string(AttrValue{int64_t{-3}}), "-3");
  EXPECT_EQ(to_string(AttrValue{1.0}), "1.0");
  EXPECT_EQ(to_string(AttrValue{0.1}), "0.1");
  EXPECT_EQ(to_string(AttrValue{1e-5}), "1e-05");
  EXPECT_EQ(to_string(AttrValue{1e30}), "1e+30");
  EXPECT_EQ(to_string(AttrValue{std::string("sum")}), "\"sum\"");
  EXPECT_EQ(to_string(AttrValue{std::string("a\"b\\c")}), "\"a\\\"b\\\\c\"");
  EXPECT_EQ(to_string(AttrValue{std::vector<int64_t>{}}), "[]");
  EXPECT_EQ(to_string(AttrValue{std::vector<int64_t>{0, -1}}), "[0,-1]");
}

}  // namespace
}  // namespace shoestring
