// Rows of a request, in every form, get the answers that `predict` gives to the same cells.
#include <cstring>

#include "unit/serve/service.h"

namespace shoestring::serve {
namespace {

const char* const kRows[] = {
    R"({"a": 0.25, "b": 12, "sure": "yes", "kind": "red", "v": [1.5, 0.5], "tags": "new tall", "when": "2016-03-01 12:00"})",
    R"({"a": -1e3, "b": 3.5, "sure": true, "kind": "no such", "v": "[0.25, 1e-2]", "tags": ["old", "odd"], "when": "2016-11-30"})",
    R"({"b": "7", "sure": 0, "kind": null, "v": [1, 2], "tags": [], "when": null})",
    R"({"a": "NaN", "b": 1, "sure": null, "kind": " blue ", "tags": null, "when": "2015-01-01T00:00:01"})",
    R"({"when": "2016-05-01 12:00", "tags": "tall", "v": "3 4", "kind": "green", "sure": "no", "b": 49, "a": 0.5})",
};

std::string lines() {
  std::string text;
  for (const char* row : kRows) text += std::string(row) + "\n";
  return text;
}

TEST_F(Service, OneRowIsAnsweredAsPredictDoes) {
  for (const char* row : kRows) {
    const auto expected = predicted("one.jsonl", std::string(row) + "\n");
    ASSERT_EQ(expected.size(), 1u);
    const Json answer = ask(row);
    EXPECT_EQ(request_.orientation, Orientation::row);
    expect_near(answer, expected[0]);
    EXPECT_EQ(answer.size(), 1 + (1 + 1 + 1 + 2) + (1 + 1 + 1 + 3)) << answer;
  }
}

TEST_F(Service, SeveralRowsInEveryOrientation) {
  const auto expected = predicted("all.jsonl", lines());
  ASSERT_EQ(expected.size(), 5u);
  Json records = Json::array(), split = {{"index", {4, 5, 6, 7, 8}}, {"data", Json::array()}};
  split["columns"] = {"kind", "a", "b", "sure", "v", "tags", "when"};
  for (const char* row : kRows) {
    records.push_back(Json::parse(row));
    Json cells = Json::array();
    for (const auto& name : split["columns"])
      cells.push_back(records.back().contains(std::string(name)) ? records.back()[std::string(name)]
                                                                 : Json());
    split["data"].push_back(cells);
  }
  const Json answers = ask(records.dump());
  EXPECT_EQ(request_.orientation, Orientation::records);
  for (size_t i = 0; i < 5; ++i) expect_near(answers[i], expected[i]);

  for (int turn = 0; turn < 2; ++turn) {
    // "data" stands before "columns" at the second turn.
    const std::string body = turn == 0 ? split.dump()
                                       : R"({"data": )" + split["data"].dump() + R"(, "columns": )" +
                                             split["columns"].dump() + "}";
    const Json table = ask(body);
    EXPECT_EQ(request_.orientation, Orientation::split);
    EXPECT_EQ(table["index"], Json({0, 1, 2, 3, 4}));
    for (size_t i = 0; i < 5; ++i)
      for (size_t c = 0; c < table["columns"].size(); ++c)
        expect_near(table["data"][i][c], expected[i][std::string(table["columns"][c])]);
  }

  Json columns = Json::object();
  for (size_t c = 0; c < split["columns"].size(); ++c)
    for (const Json& row : split["data"]) columns[std::string(split["columns"][c])].push_back(row[c]);
  const Json table = ask(columns.dump());
  EXPECT_EQ(request_.orientation, Orientation::columns);
  for (size_t i = 0; i < 5; ++i)
    expect_near(table["data"][i][0], expected[i][std::string(table["columns"][0])]);
}

TEST_F(Service, AFormIsARow) {
  const std::string table = "a,b,sure,kind,v,tags,when\n0.25,12,yes,red,1.5 0.5,new tall,2016-03-01 12:00\n";
  const auto expected = predicted("form.csv", table);
  const auto ask_form = [&](std::string_view body, std::string_view type) {
    const auto read = reader_.read_form(model_, body, type, request_);
    ASSERT_TRUE(read) << to_json(read.error());
    expect_near(Json::parse(answered()), expected[0]);
  };
  ask_form("a=0.25&b=12&sure=yes&kind=red&v=1.5+0.5&tags=new%20tall&when=2016-03-01+12%3a00",
           "application/x-www-form-urlencoded; charset=utf-8");
  std::string parts;
  for (const auto& [name, value] : {std::pair("a", "0.25"),
                                    {"b", "12"},
                                    {"sure", "yes"},
                                    {"kind", "red"},
                                    {"v", "1.5 0.5"},
                                    {"tags", "new tall"},
                                    {"when", "2016-03-01 12:00"}})
    parts += std::string("--xyz\r\nContent-Disposition: form-data; name=\"") + name + "\"\r\n\r\n" + value +
             "\r\n";
  ask_form(parts + "--xyz--\r\n", "Multipart/Form-Data; boundary=\"xyz\"");
  const auto dataset = R"({"columns": ["a","b","sure","kind","v","tags","when"],
                           "data": [[0.25, 12, "yes", "red", [1.5, 0.5], "new tall", "2016-03-01 12:00"]]})";
  const auto read = reader_.read_form(
      model_,
      std::string("--q\r\nContent-Disposition: form-data; name=dataset\r\n\r\n") + dataset + "\r\n--q--",
      "multipart/form-data; boundary=q", request_);
  ASSERT_TRUE(read) << to_json(read.error());
  const Json answer = Json::parse(answered());
  expect_near(answer["data"][0][0], expected[0][std::string(answer["columns"][0])]);

  EXPECT_EQ(reader_.read_form(model_, "--xyz\r\n", "multipart/form-data; boundary=xyz", request_).error().why,
            Refusal::Why::malformed);
  EXPECT_EQ(reader_.read_form(model_, "a=%zz", "application/x-www-form-urlencoded", request_).error().why,
            Refusal::Why::malformed);
  const auto bad = reader_.read_form(model_, "a=x&b=1", "application/x-www-form-urlencoded", request_);
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().what, "'a': expected a number, got x");
}

// ---- KServe ------------------------------------------------------------------------------------

Json tensor(const std::string& name, const std::string& type, const Json& shape, const Json& data) {
  return {{"name", name}, {"datatype", type}, {"shape", shape}, {"data", data}};
}

TEST_F(Service, TensorsAsJson) {
  const auto expected =
      predicted("tensors.csv",
                "a,b,sure,kind,v,tags,when\n0.25,12,yes,red,1.5 0.5,new tall,2016-03-01 12:00\n"
                ",3,no,blue,1 2,old,2016-11-30\n");
  Json body = {{"id", "r1"}, {"inputs", Json::array()}};
  body["inputs"].push_back(tensor("a", "FP64", {2}, {0.25, nullptr}));
  body["inputs"].push_back(tensor("b", "INT32", {2, 1}, Json::array({Json::array({12}), Json::array({3})})));
  body["inputs"].push_back(tensor("sure", "BOOL", {2}, {true, false}));
  body["inputs"].push_back(tensor("kind", "BYTES", {2}, {"red", "blue"}));
  body["inputs"].push_back(tensor("v", "FP32", {2, 2}, {1.5, 0.5, 1, 2}));
  body["inputs"].push_back(tensor("tags", "BYTES", {2}, {"new tall", "old"}));
  body["inputs"].push_back(tensor("when", "BYTES", {2}, {"2016-03-01 12:00", "2016-11-30"}));
  auto read = reader_.read_kserve(model_, body.dump(), 0, request_);
  ASSERT_TRUE(read) << to_json(read.error());
  answered();
  std::string text;
  EXPECT_EQ(write_kserve(request_, "1", text), 0u);
  const Json answer = Json::parse(text);
  EXPECT_EQ(answer["model_name"], "m");
  EXPECT_EQ(answer["id"], "r1");
  EXPECT_EQ(answer["outputs"].size(), 1u + 3 + 3);
  for (const Json& output : answer["outputs"]) {
    const std::string name = output["name"];
    const bool is_list = name.ends_with("_probabilities");
    EXPECT_EQ(output["shape"][0], 2);
    Json flat = Json::array();
    for (size_t i = 0; i < 2; ++i)
      if (is_list)
        flat.insert(flat.end(), expected[i][name].begin(), expected[i][name].end());
      else
        flat.push_back(expected[i][name]);
    EXPECT_EQ(output["shape"].size(), is_list ? 2u : 1u);
    expect_near(output["data"], flat);
  }
  // Only what is asked for, in binary form.
  body["outputs"] = {{{"name", "class_predictions"}, {"parameters", {{"binary_data", true}}}},
                     {{"name", "class_probabilities_c1"}, {"parameters", {{"binary_data", true}}}},
                     {{"name", "y_predictions"}}};
  read = reader_.read_kserve(model_, body.dump(), 0, request_);
  ASSERT_TRUE(read) << to_json(read.error());
  answered();
  text.clear();
  const size_t header = write_kserve(request_, "1", text);
  const Json told = Json::parse(text.substr(0, header));
  ASSERT_EQ(told["outputs"].size(), 3u);
  std::map<std::string, Json> by_name;
  for (const Json& output : told["outputs"]) by_name[output["name"]] = output;
  const size_t words = by_name["class_predictions"]["parameters"]["binary_data_size"],
               numbers = by_name["class_probabilities_c1"]["parameters"]["binary_data_size"];
  EXPECT_EQ(numbers, 8u);
  ASSERT_EQ(text.size(), header + words + numbers);
  std::string behind = text.substr(header);
  uint32_t size = 0;
  std::memcpy(&size, behind.data(), 4);
  EXPECT_EQ(behind.substr(4, size), expected[0]["class_predictions"]);
  float probability = 0;
  std::memcpy(&probability, behind.data() + words, 4);
  EXPECT_NEAR(probability, expected[0]["class_probabilities_c1"].get<double>(), 1e-5);
  EXPECT_TRUE(by_name["y_predictions"].contains("data"));
}

TEST_F(Service, TensorsInBinaryForm) {
  const auto expected = predicted(
      "binary.csv",
      "a,b,sure,kind,v,tags,when\n0.25,12,yes,red,1.5 0.5,new tall,2016-03-01\n0.5,-3,no,blue,1 2,old,\n");
  std::string behind;
  const auto put = [&](const auto&... values) {
    (behind.append(reinterpret_cast<const char*>(&values), sizeof values), ...);
  };
  const auto texts = [&](std::initializer_list<std::string> values) {
    for (const auto& value : values) {
      put(static_cast<uint32_t>(value.size()));
      behind += value;
    }
  };
  Json body = {{"inputs", Json::array()}, {"parameters", {{"binary_data_output", true}}}};
  const auto add = [&](const std::string& name, const std::string& type, const Json& shape, auto&& fill) {
    const size_t before = behind.size();
    fill();
    body["inputs"].push_back({{"name", name},
                              {"datatype", type},
                              {"shape", shape},
                              {"parameters", {{"binary_data_size", behind.size() - before}}}});
  };
  add("a", "FP32", {2}, [&] { put(0.25F, 0.5F); });
  add("b", "INT16", {2, 1}, [&] { put(int16_t{12}, int16_t{-3}); });
  add("sure", "BOOL", {2}, [&] { put(true, false); });
  add("kind", "BYTES", {2}, [&] { texts({"red", "blue"}); });
  add("v", "FP64", {2, 2}, [&] { put(1.5, 0.5, 1.0, 2.0); });
  add("tags", "BYTES", {2}, [&] { texts({"new tall", "old"}); });
  add("when", "BYTES", {2}, [&] { texts({"2016-03-01", ""}); });
  const std::string header = body.dump();
  auto read = reader_.read_kserve(model_, header + behind, header.size(), request_);
  ASSERT_TRUE(read) << to_json(read.error());
  answered();
  std::string text;
  const size_t told = write_kserve(request_, "1", text);
  ASSERT_GT(told, 0u);
  const Json answer = Json::parse(text.substr(0, told));
  EXPECT_EQ(answer["outputs"][0]["name"], "y_predictions");
  EXPECT_EQ(answer["outputs"][0]["datatype"], "FP64");
  double y = 0;
  std::memcpy(&y, text.data() + told + 8, 8);
  EXPECT_NEAR(y, expected[1]["y_predictions"].get<double>(), 1e-4);

  // A byte too few, and a length that lies.
  read = reader_.read_kserve(model_, (header + behind).substr(0, header.size() + behind.size() - 1),
                             header.size(), request_);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().why, Refusal::Why::malformed);
  EXPECT_NE(read.error().what.find("bytes behind the JSON, and"), std::string::npos) << read.error().what;
  read = reader_.read_kserve(model_, header, header.size() + 1, request_);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().why, Refusal::Why::malformed);
}

TEST_F(Service, BadTensorsAreRefusedByName) {
  const auto told = [&](const Json& inputs) {
    const auto read = reader_.read_kserve(model_, Json({{"inputs", inputs}}).dump(), 0, request_);
    EXPECT_FALSE(read);
    return read ? std::string() : read.error().what;
  };
  EXPECT_EQ(
      told(Json::array({tensor("a", "FP16", {1}, {1})})),
      "'a': expected a datatype among BOOL, INT8 to INT64, UINT8 to UINT64, FP32, FP64 and BYTES, got FP16");
  EXPECT_EQ(told(Json::array({tensor("b", "FP32", {2}, {1})})),
            "row 0, 'b': expected 2 elements of FP32, got 1");
  // Numbers that the datatype has not, and text that is none.
  EXPECT_EQ(told(Json::array({tensor("b", "INT8", {1}, {300})})), "'b': expected INT8, got 300");
  EXPECT_EQ(told(Json::array({tensor("b", "UINT8", {1}, {-3})})), "'b': expected UINT8, got -3");
  EXPECT_EQ(told(Json::array({tensor("b", "FP64", {1}, {"39"})})), "'b': expected FP64, got 39");
  EXPECT_EQ(told(Json::array({tensor("b", "FP32", {2}, {1, 2}), tensor("a", "FP32", {3}, {1, 2, 3})})),
            "row 0, 'a': expected a shape of [2] or [2, 1], got [3]");
  EXPECT_EQ(
      told(Json::array({tensor("kinds", "FP32", {1}, {1})})).substr(0, 60),
      std::string("'kinds': expected a column that the model takes: did you mean 'kind'?").substr(0, 60));
}

// A tensor that is cut off is no missing value.
TEST_F(Service, BytesThatAreNoTensorAreRefused) {
  const auto told = [&](const std::string& datatype, const std::string& bytes, int64_t size) {
    const Json header = {{"inputs", Json::array({{{"name", "b"},
                                                  {"datatype", datatype},
                                                  {"shape", {1}},
                                                  {"parameters", {{"binary_data_size", size}}}}})}};
    const std::string text = header.dump();
    const auto read = reader_.read_kserve(model_, text + bytes, text.size(), request_);
    EXPECT_FALSE(read) << datatype << " of " << bytes.size();
    return read ? std::string() : read.error().what;
  };
  EXPECT_EQ(told("FP64", std::string(4, '\0'), 4), "'b': expected 1 elements of FP64, got 4 bytes");
  EXPECT_EQ(told("BYTES", std::string("\5\0\0\0Male", 8), 8),
            "'b': expected 1 elements of BYTES, got 8 bytes");
  EXPECT_EQ(told("BYTES", std::string("\2\0\0\0\xff\xfe", 6), 6),
            "'b': expected 1 elements of BYTES, got 6 bytes");
  EXPECT_EQ(told("FP64", std::string(9, '\0'), 8), "1 bytes are left behind the last tensor");
}

// A list of many names that are one costs as much as it is long.
TEST_F(Service, ColumnsThatComeTwiceAreRefused) {
  std::string names = "\"b\"", values = "1";
  for (int i = 0; i < 50'000; ++i) names += ",\"b\"", values += ",1";
  const auto read = reader_.read_json(
      model_, fmt::format(R"({{"columns":[{}],"data":[[{}]]}})", names, values), request_, {.strict = false});
  ASSERT_FALSE(read);
  EXPECT_NE(read.error().what.find("'b': expected a column once"), std::string::npos) << read.error().what;
}

}  // namespace
}  // namespace shoestring::serve
