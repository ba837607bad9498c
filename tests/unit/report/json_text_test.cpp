// JSON as nlohmann's parser reads it back.
#include "report/json_text.h"

#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>

namespace shoestring::report {
namespace {

using Json = nlohmann::json;

TEST(JsonText, NestsWithCommasBetween) {
  JsonText json;
  json.open('{').member("a", 1).member("b", std::vector<double>{1.5, -2}).key("c").open('[').close(']');
  json.key("d").open('[').open('{').close('}').value(true).raw("null").close(']').close('}');
  EXPECT_EQ(Json::parse(json.take()), Json::parse(R"({"a":1,"b":[1.5,-2],"c":[],"d":[{},true,null]})"));
}

TEST(JsonText, WhatIsNotFiniteIsNull) {
  JsonText json;
  json.open('[')
      .value(std::numeric_limits<double>::infinity())
      .value(std::nan(""))
      .value(std::optional<double>())
      .close(']');
  EXPECT_EQ(json.take(), "[null,null,null]");
}

TEST(JsonText, AnyBytesGiveJson) {
  std::string all;
  for (int i = 1; i < 256; ++i) all += static_cast<char>(i);
  for (const std::string& text :
       {all, std::string("\xC3"), std::string("\xED\xA0\x80"), std::string("\xF0\x9F\x98\x80 ok"),
        std::string("\xE2\x82"), std::string("</script><!--\\\"\n")}) {
    JsonText json;
    const std::string out = json.value(text).take();
    EXPECT_EQ(out.find('<'), std::string::npos);
    EXPECT_TRUE(Json::accept(out)) << out;
  }
  JsonText json;
  EXPECT_EQ(Json::parse(json.value("\xF0\x9F\x98\x80 é <b>\t").take()), Json("\xF0\x9F\x98\x80 é <b>\t"));
}

}  // namespace
}  // namespace shoestring::report
