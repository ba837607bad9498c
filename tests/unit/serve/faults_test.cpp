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
                           "{\"b\": 1e999}", "\xff\xfe", "{\"b\": \"\xff\"}"}) {
    const Refusal refusal = refused(body);
    EXPECT_EQ(refusal.why, Refusal::Why::malformed) << body;
    EXPECT_NE(refusal.what.find("no JSON: "), std::string::npos) << body << refusal.what;
  }
  // JSON, but no rows.
  for (const char* body : {"3", "\"x\"", "null", "[1]", "[[1]]"}) {
    const Refusal refusal = refused(body);
    EXPECT_EQ(refusal.why, Refusal::Why::malformed) << body;
    EXPECT_EQ(refusal.what.find("no JSON"), std::string::npos) << refusal.what;
    EXPECT_NE(refusal.what.find("send {\""), std::string::npos) << refusal.what;
  }
  EXPECT_EQ(refused(R"([{"b": 1}, {"b": 1}, {"b": 1}])", {.max_rows = 2}).why, Refusal::Why::too_large);
  EXPECT_EQ(refused(R"({"b": [1, 2, 3]})", {.max_rows = 2}).why, Refusal::Why::too_large);
  // The reader is as good as before.
  ask(R"({"b": 1})");
}

// One rule: 400 of what is no JSON or no tensors, 422 of a column or a value, by name.
TEST_F(Service, TensorsAreMalformedOrUnprocessableAsRowsAre) {
  const auto told = [&](std::string_view body) {
    const auto read = reader_.read_kserve(model_, body, 0, request_);
    EXPECT_FALSE(read) << body;
    return read ? Refusal() : read.error();
  };
  for (const char* body : {"", "{", R"({"inputs": nonsense})",
                           R"({"inputs": [{"name": "b", "shape": [1], )"
                           R"("datatype": "FP64", "data": [tru]}]})",
                           R"({"inputs": [{"name": "b" "shape": [1]}]})", R"({"inputs": [)"}) {
    const Refusal refusal = told(body);
    EXPECT_EQ(refusal.why, Refusal::Why::malformed) << body;
    EXPECT_NE(refusal.what.find("no JSON"), std::string::npos) << body << refusal.what;
  }
  for (const char* body : {"3", "[]", "{}", R"({"inputs": 3})", R"({"inputs": [3]})", R"({"inputs": [{}]})",
                           R"({"id": 3, "inputs": []})"}) {
    const Refusal refusal = told(body);
    EXPECT_EQ(refusal.why, Refusal::Why::malformed) << body;
    EXPECT_EQ(refusal.what.find("no JSON"), std::string::npos) << body << refusal.what;
  }
  const Refusal value =
      told(R"({"inputs": [{"name": "b", "shape": [1], "datatype": "FP64", "data": ["x"]}]})");
  EXPECT_EQ(value.why, Refusal::Why::unprocessable);
  EXPECT_EQ(value.faults[0].column, "b");
}

TEST_F(Service, AFormThatIsBrokenSaysWhere) {
  const auto told = [&](std::string_view body, std::string_view type) {
    const auto read = reader_.read_form(model_, body, type, request_);
    EXPECT_FALSE(read) << body;
    return read ? std::string() : read.error().what;
  };
  const auto has = [](const std::string& text, std::string_view part) {
    EXPECT_NE(text.find(part), std::string::npos) << text;
  };
  has(told("b=1&a=%zz", "application/x-www-form-urlencoded"), "field 'a=%zz' has a '%'");
  has(told("x", "multipart/form-data"), "Content-Type has no boundary");
  has(told("x", "multipart/form-data; boundary=q"), "does not begin with its boundary, '--q'");
  const std::string part = "--q\r\nContent-Disposition: form-data; name=\"b\"\r\n\r\n1";
  has(told(part, "multipart/form-data; boundary=q"), "part 1 of the form does not end");
  has(told(part + "\r\n--q\r\nX: y\r\n\r\n1\r\n--q--", "multipart/form-data; boundary=q"),
      "part 2 of the form has no name");
  has(told("--q\r\nX: y\r\n--q--", "multipart/form-data; boundary=q"),
      "part 1 of the form has no empty line");
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
