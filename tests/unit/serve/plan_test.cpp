// What a service takes: what is planned for, and that nothing takes more.
#include "serve/json_size.h"
#include "serve/serve_plan.h"
#include "unit/serve/service.h"
#include "unit/train/allocations.h"

namespace shoestring::serve {
namespace {

TEST(JsonSize, CountsWhatAParserKeeps) {
  const auto signs = [](std::string_view text) { return json_size(text).signs; };
  EXPECT_EQ(signs(""), 0);
  EXPECT_EQ(signs("[1, 22,true ]"), 7);
  EXPECT_EQ(signs(R"({"a,b": "c:\"d"})"), 5);
  EXPECT_EQ(signs("1 1 1"), 3);
  EXPECT_EQ(json_size(R"({"a,b": "c:\"d"})").texts, 3 + 5);
  EXPECT_EQ(json_size(R"([1,2,",",3])").commas, 3);
  EXPECT_EQ(json_size("[[[[").reading_bytes(), 16);
  EXPECT_EQ(json_size(R"("abc)").texts, 3);  // it breaks off
  EXPECT_LE(json_size(R"("abc\)").texts, 5);
  EXPECT_GE(json_size(R"(\",,,,)").signs, 5);  // no JSON, and no text begins in it
}

TEST_F(Service, AnswersTakeNoMoreTextThanIsPlannedFor) {
  const int64_t most = model_->memory().text;
  std::string body = "[";
  for (int i = 0; i < 200; ++i) body += fmt::format("{}{{\"b\": {}}}", i ? "," : "", -1e30 * i);
  for (const std::string& text : {body + "]", std::string(R"({"columns": ["b"], "data": [[1], [2.5]]})")}) {
    ASSERT_TRUE(reader_.read_json(model_, text, request_));
    const int64_t rows = request_.rows;
    const auto names = static_cast<int64_t>(500);  // of the columns, once
    EXPECT_LE(static_cast<int64_t>(answered().size()), rows * most + names);
    EXPECT_EQ(request_.bytes(), rows * (model_->memory().row + most));
  }
}

TEST_F(Service, ABodyThatTakesTooMuchToReadIsRefusedBeforeItIsRead) {
  std::string body = R"({"b":[1)";
  while (body.size() < (400 << 10)) body += ",1";
  body += "]}";
  const int64_t needed =
      json_size(body).reading_bytes() + kOfWholeColumns * static_cast<int64_t>(body.size());
  ReadOptions options{.max_rows = 1 << 20, .most_bytes = needed - 1};
  Refusal refusal = refused(body, options);
  EXPECT_EQ(refusal.why, Refusal::Why::too_large);
  EXPECT_NE(refusal.what.find("send the rows in parts"), std::string::npos) << refusal.what;
  const auto tensors = reader_.read_kserve(model_, body, 0, request_, options);
  ASSERT_FALSE(tensors);
  EXPECT_EQ(tensors.error().why, Refusal::Why::too_large);
  // Others have it now.
  options.most_bytes = INT64_MAX, options.bytes_now = needed - 1;
  EXPECT_EQ(refused(body, options).why, Refusal::Why::busy);
}

// Rows are taken as far as there is room for them, and for their answers.
TEST_F(Service, RowsAreLimitedByWhatTheyTake) {
  std::string body = "[";
  for (int i = 0; i < 40; ++i) body += std::string(i ? "," : "") + R"({"b":1})";
  body += "]";
  const LiveModel::Memory memory = model_->memory();
  const int64_t row = std::max(memory.answered_row(Orientation::records), memory.reading_row);
  EXPECT_TRUE(reader_.read_json(model_, body, request_, {.most_bytes = 40 * row}));
  EXPECT_EQ(refused(body, {.most_bytes = 39 * row}).why, Refusal::Why::too_large);
  EXPECT_TRUE(reader_.read_json(model_, body, request_, {.bytes_now = 40 * row}));
  EXPECT_EQ(refused(body, {.bytes_now = 39 * row}).why, Refusal::Why::busy);
  EXPECT_EQ(refused(body, {.max_rows = 38, .bytes_now = 38 * row}).why, Refusal::Why::too_large);
  const std::string tensor = R"({"inputs":[{"name":"b","datatype":"FP32","shape":[1000000],"data":[]}]})";
  const auto read =
      reader_.read_kserve(model_, tensor, 0, request_, {.max_rows = 1 << 21, .bytes_now = 1 << 20});
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().why, Refusal::Why::busy);
}

TEST_F(Service, WhatIsAskedForTwiceIsAnsweredOnce) {
  const std::string inputs = R"("inputs":[{"name":"b","datatype":"FP32","shape":[1],"data":[1]}]})";
  const std::string name = model_->description().outputs[0].columns[0].name;
  const std::string output = fmt::format(R"({{"name":"{}"}})", name);
  ASSERT_TRUE(
      reader_.read_kserve(model_, "{\"outputs\":[" + output + "," + output + "]," + inputs, 0, request_, {}));
  EXPECT_EQ(request_.asked.size(), 1u);
  const auto long_id =
      reader_.read_kserve(model_, "{\"id\":\"" + std::string(1025, 'x') + "\"," + inputs, 0, request_, {});
  ASSERT_FALSE(long_id);
  EXPECT_NE(to_json(long_id.error()).find("1024 bytes"), std::string::npos);
}

TEST_F(Service, AServiceIsPlannedForTheLargestRequest) {
  const auto plan = plan_serve({.models = {{"m", path_}}, .connections = 64});
  ASSERT_TRUE(plan) << plan.error().message();
  EXPECT_TRUE(plan->fits);
  int64_t total = 0;
  for (const auto& line : plan->lines) total += line.bytes;
  EXPECT_EQ(plan->total_bytes, total);
  EXPECT_EQ(plan->max_body, kMostBody);
  EXPECT_EQ(plan->shared_bytes, 7 * kMostBody);  // some of its columns are lists
  EXPECT_GE(plan->read.max_rows, 1000);
  EXPECT_GT(plan->requests_per_second, 0);

  // Less memory: smaller bodies, then fewer connections; and where nothing helps it says what would do.
  const auto least = plan_serve({.models = {{"m", path_}}, .budget = {.memory_bytes = total / 2}});
  ASSERT_TRUE(least);
  if (kOwnAllocator) {  // a sanitizer's memory is more than half of it
    ASSERT_TRUE(least->fits) << least->fits.error().message();
    EXPECT_LE(least->total_bytes, total / 2);
    EXPECT_LT(least->max_body, kMostBody);
    EXPECT_FALSE(least->choices.empty());
  }
  // More large requests at once, where that is asked for.
  const auto more = plan_serve({.models = {{"m", path_}}, .connections = 64, .shared_bytes = 100 << 20});
  ASSERT_TRUE(more);
  EXPECT_EQ(more->shared_bytes, 100 << 20);
  EXPECT_GT(more->total_bytes, plan->total_bytes + (32 << 20));
  const auto none = plan_serve({.models = {{"m", path_}}, .budget = {.memory_bytes = 1 << 20}});
  ASSERT_TRUE(none);
  ASSERT_FALSE(none->fits);
  EXPECT_EQ(none->fits.error().kind, ErrorKind::budget);
  // Encrypted connections take more.
  const auto tls = plan_serve({.models = {{"m", path_}}, .connections = 64, .http = HttpCosts::of(true)});
  ASSERT_TRUE(tls);
  EXPECT_GT(tls->total_bytes, total + 64 * kTlsConnectionBytes);
}

}  // namespace
}  // namespace shoestring::serve
