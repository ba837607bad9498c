// The service's routes over real sockets, with a model that was trained here.
#include "serve/service.h"

#include <csignal>
#include <nlohmann/json.hpp>
#include <thread>

#include "serve/access_log.h"
#include "serve/keys.h"
#include "train/predict.h"
#include "train/train.h"
#include "unit/serve/client.h"
#include "unit/train/tables.h"

namespace shoestring::serve {
namespace {

using Json = nlohmann::json;
constexpr const char* kRow = R"({"a": 0.9, "b": 0.8, "kind": "red"})";

std::string get(std::string_view path, std::string_view headers = "") {
  return fmt::format("GET {} HTTP/1.1\r\nHost: h\r\n{}\r\n", path, headers);
}
std::string post(std::string_view path, std::string_view body, std::string_view type = "application/json",
                 std::string_view headers = "") {
  const std::string type_line = type.empty() ? std::string() : fmt::format("Content-Type: {}\r\n", type);
  return fmt::format("POST {} HTTP/1.1\r\nHost: h\r\n{}{}Content-Length: {}\r\n\r\n{}", path, type_line,
                     headers, body.size(), body);
}

class HttpServiceTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<train::Folder>();
    const auto trained = train::train({.recipe = train::recipe_from(train::sums_recipe()),
                                       .data = {.dataset = folder_->write("t.csv", train::sums_table(200))},
                                       .output_directory = folder_->file("out")},
                                      {});
    ASSERT_TRUE(trained) << trained.error().message();
    model_ = trained->folder;
  }
  static void TearDownTestSuite() { folder_.reset(); }

  void start(ServiceOptions options = {}, HttpOptions http = {}) {
    if (options.models.empty()) options.models = {{"sums", model_}, {"a second one", model_}};
    options.version = "1.2.3";
    const HttpModule& module = **http_module();
    auto made = HttpService::make(std::move(options), module, [this](LogLevel, std::string_view text) {
      const std::scoped_lock lock(mutex_);
      (log_ += text) += '\n';
    });
    ASSERT_TRUE(made) << made.error().message();
    service_ = std::move(*made);
    auto opened = module.open(http, *service_);
    ASSERT_TRUE(opened) << opened.error().message();
    server_ = std::move(*opened);
    port_ = server_->port();
    thread_ = std::thread([this] {
      status_ = service_->run(*server_, [this] { ready_ = true; });
      ended_ = true;
    });
    while (!ready_ && !ended_) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  void stop() {
    if (!thread_.joinable()) return;
    server_->stop();
    thread_.join();
  }
  void TearDown() override { stop(); }
  Reply ask(const std::string& text) { return Client(port_).ask(text); }
  Json json(const std::string& text) {
    const Reply reply = ask(text);
    return Json::parse(reply.body, nullptr, false);
  }
  std::string log() {
    const std::scoped_lock lock(mutex_);
    return log_;
  }

  static inline std::unique_ptr<train::Folder> folder_;
  static inline std::string model_;
  std::unique_ptr<HttpService> service_;
  std::unique_ptr<HttpServer> server_;
  std::thread thread_;
  std::mutex mutex_;
  std::string log_;
  std::atomic<bool> ready_ = false, ended_ = false;
  Status status_ = {};
  int port_ = 0;
};

TEST_F(HttpServiceTest, AnswersARowAsPredictDoes) {
  const std::string out = folder_->file("answers.jsonl");
  const auto done = train::predict({.model = model_,
                                    .dataset = folder_->write("row.jsonl", std::string(kRow) + "\n"),
                                    .output = out,
                                    .kind = data::WriteKind::jsonl},
                                   {});
  ASSERT_TRUE(done) << done.error().message();
  std::ifstream file(out);
  const Json expected = Json::parse(file);
  start();
  const Reply reply = ask(post("/predict", kRow));
  EXPECT_EQ(reply.status, 200) << reply.body;
  EXPECT_TRUE(reply.has("Content-Type: application/json\r\n"));
  const Json answer = Json::parse(reply.body);
  EXPECT_EQ(answer["y_predictions"], expected["y_predictions"]);
  EXPECT_NEAR(answer["y_probability"].get<double>(), expected["y_probability"].get<double>(), 1e-6);

  // The same row in every form that a client may send it in.
  const std::string forms[] = {
      post("/predict", kRow, ""),
      post("/predict", kRow, "application/json; charset=utf-8"),
      post("/predict", kRow, "application/x-www-form-urlencoded"),  // curl -d
      post("/predict", "a=0.9&b=0.8&kind=red", "application/x-www-form-urlencoded"),
      post("/predict",
           "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n0.9\r\n--x\r\nContent-Disposition: "
           "form-data; "
           "name=\"b\"\r\n\r\n0.8\r\n--x\r\nContent-Disposition: form-data; "
           "name=\"kind\"\r\n\r\nred\r\n--x--\r\n",
           "multipart/form-data; boundary=x"),
      post("/predict?strict=false", R"({"a": 0.9, "b": 0.8, "kind": "red", "other": 1})"),
      post("/predict?model=a+second%20one", kRow),
  };
  for (const std::string& form : forms) EXPECT_EQ(json(form), answer) << form;
  EXPECT_EQ(json(post("/batch_predict", fmt::format("[{0}, {0}]", kRow))), Json::array({answer, answer}));
}

TEST_F(HttpServiceTest, ManyAtOnceGetTheirOwnAnswers) {
  start();
  std::vector<std::unique_ptr<Client>> clients;
  std::vector<std::string> alone;
  for (int i = 0; i < 12; ++i) {
    clients.push_back(std::make_unique<Client>(port_));
    alone.push_back(
        ask(post("/predict", fmt::format(R"({{"a": 0.{}, "b": 0.5, "kind": "blue"}})", 10 + i * 7))).body);
  }
  for (int round = 0; round < 5; ++round) {
    for (int i = 0; i < 12; ++i)
      clients[i]->send(
          post("/predict", fmt::format(R"({{"a": 0.{}, "b": 0.5, "kind": "blue"}})", 10 + i * 7)));
    for (int i = 0; i < 12; ++i) {
      const Json got = Json::parse(clients[i]->receive().body), expected = Json::parse(alone[i]);
      EXPECT_EQ(got["y_predictions"], expected["y_predictions"]);
      EXPECT_NEAR(got["y_probability"].get<double>(), expected["y_probability"].get<double>(), 1e-5);
    }
  }
}

struct Asked {
  std::string request;
  int status;
  std::string says;  // in the body
};

TEST_F(HttpServiceTest, TurnsDownWhatItCannotAnswerAndSaysWhy) {
  start();
  const Asked cases[] = {
      {post("/predict", "{"), 400, "JSON"},
      {post("/predict", "[1, 2]"), 400, "not of the form"},
      {post("/predict", R"({"a": "tall", "b": 1, "kind": "red"})"), 422, "tall"},
      {post("/predict", R"({"a": 1, "b": 1, "kinds": "red"})"), 422, "did you mean 'kind'?"},
      {post("/predict", fmt::format("[{}]", kRow)), 400, "/batch_predict"},
      {post("/batch_predict", kRow), 400, "/predict"},
      {post("/predict", kRow, "text/plain"), 415, "text/plain"},
      {post("/predict", kRow, "application/json", "Content-Encoding: gzip\r\n"), 415, "compressed"},
      {post("/predict?model=none", kRow), 404, "no model 'none'"},
      {post("/predict?model=sum", kRow), 404, "did you mean 'sums'?"},
      {post("/predict?model=%zz", kRow), 422, "model=%zz"},
      {post("/predict?strictly=1", kRow), 422, "strictly=1"},
      {post("/predict", "x=1", "multipart/form-data"), 400, "boundary"},
      {get("/predict"), 405, "POST"},
      {post("/health", ""), 405, "GET"},
      {"BREW /coffee HTTP/1.1\r\nHost: h\r\n\r\n", 404, "openapi"},
      {get("/nothing"), 404, "openapi"},
      {get("/v2/models/none"), 404, "none"},
      {get("/v2/models/sums/versions/7"), 404, "7"},
      {get("/v2/models/sums/colour"), 404, "infer"},
      {post("/v2/models/sums/infer", "{}"), 400, "inputs"},
      {get("/v2/models/%zz"), 404, "%zz"},
      {post("/v2/models/sums/infer", "{"), 400, "JSON"},
      {post("/v2/models/sums/infer", "{}", "application/json", "Inference-Header-Content-Length: 9\r\n"), 400,
       "length"},
      {post("/v2/models/sums/infer", "{}", "text/csv"), 415, "text/csv"},
      {post("/v2/repository/models/none/load", ""), 404, "there are: sums, a second one"},
      {post("/predict", kRow, "application/json", "Sec-Fetch-Site: cross-site\r\n"), 403, "other sites"},
      {"nonsense\r\n\r\n", 400, "no HTTP"},
  };
  for (const Asked& c : cases) {
    const Reply reply = ask(c.request);
    EXPECT_EQ(reply.status, c.status) << c.request << reply.body;
    const Json body = Json::parse(reply.body, nullptr, false);
    ASSERT_TRUE(body.is_object()) << reply.body;
    EXPECT_TRUE(body["error"].is_string());
    EXPECT_NE(reply.body.find(c.says), std::string::npos) << c.request << reply.body;
    EXPECT_EQ(reply.has("Allow: "), c.status == 405);
  }
  const Json faults = json(post("/predict", R"({"a": "tall", "b": 1, "kind": "red"})"));
  EXPECT_EQ(faults["detail"][0]["loc"].back(), "a");
  EXPECT_EQ(ask(post("/predict", kRow)).status, 200);
}

// Rows and answers count against what all requests share: who would pass it is told to come again.
TEST_F(HttpServiceTest, LargeRequestsShareTheirMemory) {
  HttpOptions http;
  http.limits.shared_bytes = 400'000;
  start({}, http);
  const auto rows = [](int count) {
    std::string body = "[";
    for (int i = 0; i < count; ++i) body += std::string(i ? "," : "") + "{\"a\":1,\"b\":1,\"kind\":\"red\"}";
    return body + "]";
  };
  EXPECT_EQ(ask(post("/batch_predict", rows(1100))).status, 200);
  const Reply too_large = ask(post("/batch_predict", rows(3000)));  // its body alone is let in
  EXPECT_EQ(too_large.status, 413) << too_large.body;
  {
    Client slow(port_);
    slow.send("POST /batch_predict HTTP/1.1\r\nHost: h\r\nContent-Length: 140000\r\n\r\n" +
              std::string(70'000, ' '));
    Reply refused;
    for (int i = 0; i < 200 && refused.status != 503; ++i) refused = ask(post("/batch_predict", rows(1100)));
    EXPECT_EQ(refused.status, 503);
    EXPECT_TRUE(refused.has("Retry-After: 1"));
    EXPECT_EQ(ask(post("/predict", kRow)).status, 200);  // what is small is answered
  }
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(ask(post("/batch_predict", rows(200))).status, 200);  // it was given back
}

TEST_F(HttpServiceTest, SpeaksKServe) {
  start();
  EXPECT_EQ(json(get("/v2"))["version"], "1.2.3");
  EXPECT_EQ(json(get("/v2/health/live"))["live"], true);
  EXPECT_EQ(json(get("/v2/health/ready"))["ready"], true);
  EXPECT_EQ(json(get("/v2/models/sums/ready"))["ready"], true);
  const Json metadata = json(get("/v2/models/sums/versions/1"));
  EXPECT_EQ(metadata["inputs"][0], (Json{{"name", "a"}, {"datatype", "FP64"}, {"shape", {-1}}}));
  EXPECT_EQ(metadata["inputs"][2]["datatype"], "BYTES");
  const std::string request =
      R"({"id": "7", "inputs": [{"name": "a", "datatype": "FP64", "shape": [2], "data": [0.9, 0.1]},
      {"name": "b", "datatype": "FP32", "shape": [2], "data": [0.8, 0.1]},
      {"name": "kind", "datatype": "BYTES", "shape": [2], "data": ["red", "blue"]}]})";
  const Json answer = json(post("/v2/models/sums/infer", request));
  EXPECT_EQ(answer["model_name"], "sums");
  EXPECT_EQ(answer["id"], "7");
  const Json row = json(post("/predict", kRow));
  bool found = false;
  for (const Json& output : answer["outputs"])
    if (output["name"] == "y_probability") {
      found = true;
      EXPECT_EQ(output["shape"], Json::array({2}));
      EXPECT_NEAR(output["data"][0].get<double>(), row["y_probability"].get<double>(), 1e-6);
    }
  EXPECT_TRUE(found) << answer;
  EXPECT_EQ(json(post("/v2/repository/index", "{}"))[1]["name"], "a second one");
  EXPECT_EQ(json(get("/v2/models/sums/stats"))["model_stats"][0]["inference_count"], 3);
}

TEST_F(HttpServiceTest, ModelsComeAndGoWhileItServes) {
  start();
  EXPECT_EQ(ask(post("/v2/repository/models/a%20second%20one/unload", "")).status, 200);
  // Unloaded is not unknown, on any route.
  const std::string tensors = R"({"inputs": []})";
  for (const std::string& request :
       {get("/v2/models/a%20second%20one/ready"), get("/v2/models/a%20second%20one"),
        post("/v2/models/a%20second%20one/infer", tensors), post("/predict?model=a+second%20one", kRow)}) {
    const Reply reply = ask(request);
    EXPECT_EQ(reply.status, 503) << request;
    EXPECT_NE(reply.body.find("unloaded"), std::string::npos) << reply.body;
  }
  // The routes are told as they are: the one that answers, and how to get the other one back.
  Json routes = json(get("/openapi.json"));
  const auto choice = [&](const char* path, const char* method) {
    return routes["paths"][path][method]["parameters"][0]["schema"]["enum"];
  };
  EXPECT_EQ(choice("/v2/models/{model}/infer", "post"), Json({"sums"}));
  EXPECT_EQ(choice("/predict", "post"), Json({"sums"}));
  EXPECT_EQ(choice("/v2/repository/models/{model}/load", "post"), Json({"sums", "a second one"}));
  EXPECT_TRUE(routes["components"]["schemas"].contains("Row"));
  EXPECT_FALSE(routes["components"]["schemas"].contains("Row2"));
  // The first one too may be the one that is gone.
  EXPECT_EQ(ask(post("/v2/repository/models/a%20second%20one/load", "")).status, 200);
  EXPECT_EQ(ask(post("/v2/repository/models/sums/unload", "")).status, 200);
  EXPECT_EQ(ask(post("/predict", kRow)).status, 503);
  EXPECT_EQ(ask(post("/predict?model=a+second%20one", kRow)).status, 200);
  routes = json(get("/openapi.json"));
  EXPECT_EQ(choice("/predict", "post"), Json({"a second one"}));
  EXPECT_EQ(routes["paths"]["/predict"]["post"]["parameters"][0]["required"], true);
  EXPECT_TRUE(routes["components"]["schemas"].contains("Row"));
  EXPECT_EQ(ask(post("/v2/repository/models/sums/load", "")).status, 200);
  EXPECT_EQ(ask(post("/predict", kRow)).status, 200);
  EXPECT_EQ(ask(post("/v2/repository/models/a%20second%20one/load", "")).status, 200);
  EXPECT_EQ(ask(get("/v2/models/a%20second%20one/ready")).status, 200);
  // Under load, no request fails.
  std::atomic<bool> done = false;
  std::atomic<int> answered = 0, failed = 0;
  std::thread load([&] {
    Client client(port_);
    while (!done) ++(client.ask(post("/predict", kRow)).status == 200 ? answered : failed);
  });
  for (int i = 0; i < 20; ++i) EXPECT_EQ(ask(post("/v2/repository/models/sums/load", "")).status, 200);
  done = true;
  load.join();
  EXPECT_GT(answered, 0);
  EXPECT_EQ(failed, 0);
}

TEST_F(HttpServiceTest, AModelThatDoesNotLoadLeavesTheOldOne) {
  const std::string copy = folder_->file("copy.safetensors");
  std::filesystem::copy_file(model_ + "/model/model.safetensors", copy,
                             std::filesystem::copy_options::overwrite_existing);
  start({.models = {{"copy", copy}}});
  const Json before = json(post("/predict", kRow));
  folder_->write("copy.safetensors", "no model");
  const Reply refused = ask(post("/v2/repository/models/copy/load", ""));
  EXPECT_EQ(refused.status, 422) << refused.body;
  EXPECT_EQ(json(post("/predict", kRow)), before);
  EXPECT_NE(json(post("/v2/repository/index", ""))[0]["reason"], "");
}

TEST_F(HttpServiceTest, FailsWhereTheFirstModelDoesNotLoad) {
  start({.models = {{"none", folder_->file("none")}}});
  thread_.join();
  ASSERT_FALSE(status_);
  EXPECT_EQ(status_.error().kind, ErrorKind::data);
  EXPECT_FALSE(ready_);
}

TEST_F(HttpServiceTest, SignalsSwapAndStop) {
  HttpOptions http;
  http.signals = {SIGTERM, SIGHUP};
  http.farewell_seconds = 2;
  start({}, http);
  ::kill(::getpid(), SIGHUP);
  while (log().find("'a second one' was read again") == std::string::npos)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  Client client(port_);
  EXPECT_EQ(client.ask(post("/predict", kRow)).status, 200);
  const std::string half = post("/predict", kRow);
  client.send(half.substr(0, half.size() - 5));
  EXPECT_EQ(ask(get("/health")).status, 200);
  ::kill(::getpid(), SIGTERM);
  while (true) {  // not ready, but it tells so
    const Reply health = ask(get("/v2/health/ready"));
    if (health.status != 200) {
      EXPECT_EQ(health.status, 503);
      break;
    }
  }
  const Reply late = ask(post("/predict", kRow));
  EXPECT_EQ(late.status, 503);
  EXPECT_TRUE(late.has("Retry-After: "));
  client.send(half.substr(half.size() - 5));
  EXPECT_EQ(client.receive().status, 503);
  client.hang_up();
  thread_.join();
  EXPECT_TRUE(status_);
}

TEST_F(HttpServiceTest, AsksForKeys) {
  const std::string file = folder_->write("keys",
                                          "# ours\nalice 0123456789abcdef\n"
                                          "sha256:" +
                                              std::string(64, '0') + "\n");
  start({.key_file = file});
  const Reply without = ask(post("/predict", kRow));
  EXPECT_EQ(without.status, 401);
  EXPECT_TRUE(without.has("WWW-Authenticate: Bearer"));
  for (const char* wrong :
       {"Bearer 0123456789abcdeX", "Basic 0123456789abcdef", "Bearer", "Bearer ", "0123456789abcdef"})
    EXPECT_EQ(
        ask(post("/predict", kRow, "application/json", fmt::format("Authorization: {}\r\n", wrong))).status,
        401);
  EXPECT_EQ(
      ask(post("/predict", kRow, "application/json", "Authorization: bearer 0123456789abcdef\r\n")).status,
      200);
  EXPECT_EQ(ask(get("/v2/models/sums")).status, 401);
  EXPECT_EQ(ask(get("/metrics")).status, 401);
  EXPECT_EQ(ask(get("/v2/health/live")).status, 200);
  EXPECT_EQ(ask(get("/", "Accept: text/html\r\n")).status, 200);
}

TEST(Keys, AreReadStrictly) {
  const HttpModule& module = **http_module();
  // printf %s correct-horse-battery | sha256sum
  const auto hashed = Keys::parse(
      "bob sha256:62249369389075490555a758353aec61500c6218fa597252d52dc4bd0148f12d\n", "f", module);
  ASSERT_TRUE(hashed) << hashed.error().message();
  const std::string* name = hashed->find("Bearer correct-horse-battery");
  ASSERT_NE(name, nullptr);
  EXPECT_EQ(*name, "bob");
  struct Bad {
    const char *text, *says;
  };
  for (const Bad& bad :
       {Bad{"", "no key"}, Bad{"short\n", "f:1"}, Bad{"\na b c\n", "f:2"}, Bad{"sha256:abc\n", "64"}}) {
    const auto keys = Keys::parse(bad.text, "f", module);
    ASSERT_FALSE(keys) << bad.text;
    EXPECT_EQ(keys.error().kind, ErrorKind::data);
    EXPECT_NE(keys.error().message().find(bad.says), std::string::npos) << keys.error().message();
  }
}

TEST_F(HttpServiceTest, LogsARequestALine) {
  const std::string file = folder_->file("access.jsonl");
  start({.access_log = file});
  const char* trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const Reply reply = ask(post("/predict", kRow, "application/json",
                               fmt::format("X-Request-Id: mine\r\ntraceparent: {}\r\n", trace)));
  EXPECT_TRUE(reply.has("X-Request-Id: mine\r\n"));
  EXPECT_TRUE(reply.has(fmt::format("traceparent: {}\r\n", trace)));
  EXPECT_EQ(ask(get("/a\"b", "X-Request-Id: no word\r\n")).status, 404);
  EXPECT_EQ(ask("\x01\xff\r\n\r\n").status, 400);
  stop();
  std::ifstream lines(file);
  std::vector<Json> all;
  for (std::string line; std::getline(lines, line);) all.push_back(Json::parse(line));
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0]["id"], "mine");
  EXPECT_EQ(all[0]["traceparent"], trace);
  EXPECT_EQ(all[0]["status"], 200);
  EXPECT_EQ(all[0]["model"], "sums");
  EXPECT_EQ(all[0]["rows"], 1);
  EXPECT_EQ(all[0]["peer"], "127.0.0.1");
  EXPECT_EQ(all[1]["target"], "/a\"b");
  EXPECT_NE(all[1]["id"], "no word");
  EXPECT_EQ(all[2]["status"], 400);
}

TEST_F(HttpServiceTest, CountsForPrometheus) {
  start();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(ask(post("/predict", kRow)).status, 200);
  EXPECT_EQ(ask(post("/predict", "{")).status, 400);
  const Reply reply = ask(get("/metrics"));
  EXPECT_TRUE(reply.has("Content-Type: text/plain; version=0.0.4"));
  for (const char* line : {"nv_inference_request_success{model=\"sums\",version=\"1\"} 3\n",
                           "nv_inference_request_failure{model=\"sums\",version=\"1\",reason=\"OTHER\"} 1\n",
                           "nv_inference_count{model=\"sums\",version=\"1\"} 3\n",
                           "vllm:e2e_request_latency_seconds_bucket{model_name=\"sums\",le=\"+Inf\"} 3\n",
                           "vllm:e2e_request_latency_seconds_count{model_name=\"sums\"} 3\n",
                           "nv_inference_pending_request_count{model=\"sums\",version=\"1\"} 0\n",
                           "shoestring_http_requests_total{code=\"200\"} 3\n",
                           "shoestring_http_requests_total{code=\"400\"} 1\n", "shoestring_ready 1\n"})
    EXPECT_NE(reply.body.find(line), std::string::npos) << line;
}

TEST_F(HttpServiceTest, ShowsPeopleAPageAndProgramsItsRoutes) {
  start();
  const Reply page = ask(get("/", "Accept: text/html,*/*\r\n"));
  EXPECT_TRUE(page.has("Content-Type: text/html"));
  EXPECT_TRUE(page.has("Content-Security-Policy: default-src 'none'"));
  EXPECT_NE(page.body.find("<!doctype html>"), std::string::npos);
  EXPECT_EQ(page.body.find("http://"), std::string::npos);  // it needs no network
  EXPECT_EQ(page.body.find("https://"), std::string::npos);
  EXPECT_EQ(json(get("/"))["status"], "ready");
  for (const char* accept : {"text/html;q=0", "*/*", "application/json, text/html;q=0.5", "text/html; q=0.0"})
    EXPECT_EQ(json(get("/", fmt::format("Accept: {}\r\n", accept)))["status"], "ready") << accept;
  for (const char* accept : {"TEXT/HTML", "text/html;q=0.9,*/*;q=0.8", "image/png, text/html; q=0.1"})
    EXPECT_TRUE(ask(get("/", fmt::format("Accept: {}\r\n", accept))).has("Content-Type: text/html"))
        << accept;
  // A target may name its host too.
  EXPECT_EQ(json(get("http://h/health"))["status"], "ready");
  EXPECT_EQ(json(get("HTTP://h"))["status"], "ready");
  EXPECT_EQ(ask(post("http://h:8000/predict?strict=true", kRow)).status, 200);
  EXPECT_EQ(ask(get("http://h/nothing")).status, 404);
  const Json routes = json(get("/openapi.json"));
  EXPECT_EQ(routes["openapi"], "3.1.0");
  EXPECT_EQ(routes["components"]["schemas"]["Row"]["properties"].size(), 3u);
  for (const auto& [path, operations] : routes["paths"].items())
    for (const auto& [method, operation] : operations.items()) {
      EXPECT_TRUE(operation["responses"].contains("200")) << path;
      EXPECT_TRUE(operation.contains("operationId")) << path;
    }
}

}  // namespace
}  // namespace shoestring::serve
