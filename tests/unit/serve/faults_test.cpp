// Requests that the model cannot take: what is wrong is named, and nothing else happens.
#include "unit/serve/service.h"

namespace shoestring::serve {
namespace {

TEST_F(Service, EachFaultNamesColumnExpectationAndCell) {
  const auto told = [&](std::string_view body) { return refused(body).what; };
  EXPECT_EQ(told(R"({"a": "much", "b": 1})"), "'a': expected a number, got much");
  EXPECT_EQ(told(R"({"a": 1})"), "'b': expected a number, got nothing");
  EXPECT_EQ(told(R"({"a": 1, "b": null})"), "'b': expected a number, got nothing");
  EXPECT_EQ(told(R"({"b": 1, "sure": "perhaps"})"), "'sure': expected 'yes' or 'no', got perhaps");
  EXPECT_EQ(told(R"({"b": 1, "a": true})"), "'a': expected a number, got true");
  EXPECT_EQ(told(R"({"b": 1, "a": {"x": [1]}})"), R"('a': expected a number, got {"x": [1]})");
  EXPECT_EQ(told(R"({"b": 1, "a": [2]})"), "'a': expected a number, got [2]");
  EXPECT_EQ(told(R"({"b": 1, "v": [1, 2, 3]})"), "'v': expected a list of 2 numbers, got 1 2 3");
  EXPECT_EQ(told(R"({"b": 1, "when": "yesterday"})"), "'when': expected a date, got yesterday");
  EXPECT_EQ(told(R"({"b": 1, "kinds": "red"})"),
            "'kinds': expected a column that the model takes: did you mean 'kind'?, got an unknown one");
  EXPECT_EQ(told(R"({"b": 1, "b": 2})"), "'b': expected one value a row, got a second one");
  EXPECT_EQ(told("{}"), "'a': expected a number, got a row with none of the model's columns");
  EXPECT_EQ(told("[]"), "there is no row");
  EXPECT_EQ(told(R"([{"b": 1}, {"b": "x"}, {"b": 1, "a": "y"}])"),
            "row 1, 'b': expected a number, got x; and 1 more");
  EXPECT_EQ(told(R"({"columns": ["b", "a"], "data": [[1, 2], [3]]})"),
            "row 1, 'data': expected 2 values, one for each of columns, got 1");
  EXPECT_EQ(told(R"({"a": [1, 2], "b": [1]})").substr(0, 60),
            std::string("row 1, 'b': expected 2 values, as the first column has, got 1").substr(0, 60));
}

TEST_F(Service, OutputsMayComeAlongAndUnknownKeysWhereAllowed) {
  const Json plain = ask(R"({"b": 1})");
  expect_near(ask(R"({"b": 1, "y": {"what": ["ever"]}, "class": "c0"})"), plain);
  expect_near(ask(R"({"b": 1, "bee": 2})", {.strict = false}), plain);
}

TEST_F(Service, MalformedAndTooLarge) {
  for (const char* body : {"", " ", "{", "[{\"b\": 1}", "{\"b\": 1}}", "{\"b\": 1} x", "{\"b\" 1}",
                           "{\"b\": 1,}", "{\"b\": tru}", "{\"b\": 12ab}", "{\"b\": \"\\ud800\"}",
                           "{\"b\": 1e999}", "\xff\xfe", "{\"b\": \"\xff\"}"})
    EXPECT_EQ(refused(body).why, Refusal::Why::malformed) << body;
  for (const char* body : {"3", "\"x\"", "null", "[1]", "[[1]]", R"({"columns": 3, "data": []})"})
    EXPECT_EQ(refused(body).why, Refusal::Why::unprocessable) << body;
  EXPECT_EQ(refused(R"([{"b": 1}, {"b": 1}, {"b": 1}])", {.max_rows = 2}).why, Refusal::Why::too_large);
  EXPECT_EQ(refused(R"({"b": [1, 2, 3]})", {.max_rows = 2}).why, Refusal::Why::too_large);
  // The reader is as good as before.
  ask(R"({"b": 1})");
}

TEST_F(Service, FaultsAreCountedAndCut) {
  std::string body = "[";
  for (int i = 0; i < 100; ++i)
    body += std::string(i ? "," : "") + R"({"b": ")" + std::string(200, 'x') + R"("})";
  const Refusal refusal = refused(body + "]");
  EXPECT_EQ(refusal.faults.size(), kMostFaults);
  EXPECT_LT(refusal.faults[0].got.size(), 90u);
  EXPECT_EQ(refusal.faults[7].row, 7);
  const Json json = Json::parse(to_json(refusal));
  EXPECT_EQ(json["detail"].size(), kMostFaults);
  EXPECT_EQ(json["detail"][3]["loc"], Json({"body", 3, "b"}));
  EXPECT_EQ(json["detail"][3]["msg"], "expected a number");
}

}  // namespace
}  // namespace shoestring::serve
