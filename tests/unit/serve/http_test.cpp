// The server over real sockets: what it answers, what it turns down, whom it cuts off, and how it stops.
#include "serve/http.h"

#include <atomic>
#include <csignal>
#include <map>
#include <thread>

#include "unit/serve/client.h"
#include "unit/train/tables.h"

namespace shoestring::serve {
namespace {

// Answers with what it was asked. /later is answered in idle(), /thread by another thread, /hold when told.
struct Echo : HttpHandler {
  void handle(HttpExchange& exchange) override {
    exchange.answer.append(exchange.method)
        .append(" ")
        .append(exchange.target)
        .append(" ")
        .append(exchange.body);
    if (exchange.header("x-extra") == "yes") exchange.add_header("X-Made", "a\r\nInjected: b");
    if (exchange.path() == "/close") exchange.close = true;
    if (exchange.path() == "/big") exchange.answer.assign(20 << 20, 'x');
    if (exchange.path() == "/empty") {
      exchange.status = 204;
      exchange.answer.clear();
    }
    ++handled;
    if (exchange.path() == "/later")
      waiting.push_back(&exchange);
    else if (exchange.path() == "/thread")
      threads.emplace_back([&exchange] {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
        exchange.send();
      });
    else if (exchange.path() == "/hold")
      held = &exchange;
    else
      exchange.send();
  }
  void refuse(HttpExchange& exchange, std::string_view what) override {
    exchange.answer.append("no: ").append(what);
  }
  void sent(const HttpExchange& exchange, int64_t) override { ++statuses[exchange.status]; }
  bool idle() override {
    largest = std::max(largest, waiting.size());
    const auto now = std::exchange(waiting, {});
    for (HttpExchange* exchange : now) exchange->send();
    return !now.empty();
  }
  void signal(int number) override { signalled = number; }

  std::vector<HttpExchange*> waiting;
  std::vector<std::thread> threads;
  std::map<int, int> statuses;
  size_t largest = 0;
  int handled = 0;
  std::atomic<int> signalled = 0;
  std::atomic<HttpExchange*> held = nullptr;
};

// A server on a thread of its own.
class HttpTest : public ::testing::Test {
 protected:
  void start(HttpOptions options = {}) {
    const auto module = http_module();
    ASSERT_TRUE(module) << module.error().message();
    auto opened = (*module)->open(options, echo_);
    ASSERT_TRUE(opened) << opened.error().message();
    server_ = std::move(*opened);
    port_ = server_->port();
    thread_ = std::thread([this] { server_->run(); });
  }
  void stop() {
    if (!thread_.joinable()) return;
    server_->stop();
    thread_.join();
    for (std::thread& thread : echo_.threads) thread.join();
  }
  void TearDown() override { stop(); }
  Reply ask(std::string_view text) { return Client(port_).ask(text); }

  Echo echo_;
  std::unique_ptr<HttpServer> server_;
  std::thread thread_;
  int port_ = 0;
};

constexpr std::string_view kGet = "GET /a?b=c HTTP/1.1\r\nHost: h\r\n\r\n";

TEST_F(HttpTest, AnswersManyRequestsOnOneConnection) {
  start();
  Client client(port_);
  for (int i = 0; i < 3; ++i) {
    const Reply reply = client.ask(kGet);
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.body, "GET /a?b=c ");
    EXPECT_TRUE(reply.has("Connection: keep-alive\r\n"));
    EXPECT_TRUE(reply.has("\r\nDate: "));
  }
  const Reply posted = client.ask("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello");
  EXPECT_EQ(posted.body, "POST /x hello");
}

TEST_F(HttpTest, TakesARequestInSinglePiecesAndSeveralInOne) {
  start();
  Client client(port_);
  for (const char c : std::string("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi"))
    ASSERT_TRUE(client.send({&c, 1}));
  EXPECT_EQ(client.receive().body, "POST /x hi");
  client.send(
      "POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhiGET /later HTTP/1.1\r\nHost: h\r\n\r\n"
      "GET /3 HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(client.receive().body, "POST /1 hi");
  EXPECT_EQ(client.receive().body, "GET /later ");
  EXPECT_EQ(client.receive().body, "GET /3 ");
}

TEST_F(HttpTest, BodiesLargerThanItsBufferAndInChunks) {
  start();
  Client client(port_);
  const std::string body(300'000, 'y');
  client.send("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 300000\r\n\r\n" + body);
  EXPECT_EQ(client.receive().body, "POST /x " + body);
  client.send("POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
  client.send("5;ext=1\r\ndefgh\r\n0\r\nX-Trailer: 1\r\n\r\n");
  EXPECT_EQ(client.receive().body, "POST /x abcdefgh");
  std::string chunks = "POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n", all;
  for (int i = 0; i < 50; ++i) {
    const std::string piece(4096, static_cast<char>('a' + i % 26));
    chunks += "1000\r\n" + piece + "\r\n";
    all += piece;
  }
  client.send(chunks + "0\r\n\r\n");
  EXPECT_EQ(client.receive().body, "POST /x " + all);
  EXPECT_EQ(client.ask(kGet).status, 200);
}

TEST_F(HttpTest, ClosesWhenAskedAndSpeaksHttp10) {
  start();
  Client closing(port_);
  EXPECT_TRUE(closing.ask("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").has("Connection: close"));
  EXPECT_TRUE(closing.ended());
  Client by_handler(port_);
  EXPECT_EQ(by_handler.ask("GET /close HTTP/1.1\r\nHost: h\r\n\r\n").status, 200);
  EXPECT_TRUE(by_handler.ended());
  Client old(port_);
  EXPECT_EQ(old.ask("GET / HTTP/1.0\r\n\r\n").status, 200);
  EXPECT_TRUE(old.ended());
}

TEST_F(HttpTest, AnswersToHeadAndAnswersWithoutBody) {
  start();
  Client client(port_);
  client.send("HEAD /x HTTP/1.1\r\nHost: h\r\n\r\n");
  const Reply head = client.receive(true);
  EXPECT_EQ(head.status, 200);
  EXPECT_TRUE(head.has("Content-Length: 8\r\n"));
  const Reply empty = client.ask("GET /empty HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(empty.status, 204);
  EXPECT_FALSE(empty.has("Content-Length"));
  EXPECT_EQ(client.ask(kGet).status, 200);
}

TEST_F(HttpTest, AddedHeadersCannotSplitAnAnswer) {
  start();
  const Reply reply = ask("GET / HTTP/1.1\r\nHost: h\r\nX-EXTRA: yes\r\n\r\n");
  EXPECT_TRUE(reply.has("X-Made: a\r\n"));
  EXPECT_FALSE(reply.has("Injected"));
}

TEST_F(HttpTest, AnswersLargerThanWhatTheSystemTakesAtOnce) {
  start();
  const Reply reply = ask("GET /big HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(reply.body.size(), size_t{20} << 20);
}

TEST_F(HttpTest, AnswersMadeLaterAndByOtherThreads) {
  start();
  constexpr int kClients = 20;
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < kClients; ++i) clients.push_back(std::make_unique<Client>(port_));
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < kClients; ++i)
      clients[i]->send(i % 2 ? "GET /later HTTP/1.1\r\nHost: h\r\n\r\n"
                             : "GET /thread HTTP/1.1\r\nHost: h\r\n\r\n");
    for (int i = 0; i < kClients; ++i)
      EXPECT_EQ(clients[i]->receive().body, i % 2 ? "GET /later " : "GET /thread ");
  }
  stop();
  EXPECT_EQ(echo_.statuses[200], 3 * kClients);
}

TEST_F(HttpTest, AClientThatLeavesBeforeItsAnswerHarmsNobody) {
  start();
  {
    Client leaving(port_);
    leaving.send("GET /thread HTTP/1.1\r\nHost: h\r\n\r\n");
  }
  {
    Client leaving(port_);
    leaving.send("GET /big HTTP/1.1\r\nHost: h\r\n\r\n");
  }
  {
    Client half(port_);
    half.send("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 500\r\n\r\nabc");
  }
  EXPECT_EQ(ask(kGet).status, 200);
}

struct Refused {
  const char* request;
  int status;
};

TEST_F(HttpTest, TurnsDownWhatIsNoRequest) {
  HttpOptions options;
  options.limits.body_bytes = 1000;
  options.limits.head_bytes = 2000;
  start(options);
  const std::string long_header = "GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(3000, 'x') + "\r\n\r\n";
  const std::string never_ending = "GET /" + std::string(20'000, 'x');
  std::string many = "GET / HTTP/1.1\r\nHost: h\r\n";
  for (int i = 0; i < 120; ++i) many += "a: b\r\n";
  many += "\r\n";
  const std::string big_chunk =
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n500\r\n" + std::string(0x500, 'x');
  const std::string endless_extension =
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5;" + std::string(30'000, 'x');
  const Refused cases[] = {
      {"\r\n\r\n", 400},
      {"hello\r\n\r\n", 400},
      {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400},  // somebody speaks TLS
      {"GET / HTTP/2.0\r\nHost: h\r\n\r\n", 505},
      {"GET / HTTP/1.1\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n  folded\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: abc\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n", 501},
      {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1001\r\n\r\n", 413},
      {big_chunk.c_str(), 413},
      {endless_extension.c_str(), 400},
      {long_header.c_str(), 431},
      {never_ending.c_str(), 431},
      {many.c_str(), 431},
  };
  for (const Refused& c : cases) {
    Client client(port_);
    const Reply reply = client.ask(c.request);
    EXPECT_EQ(reply.status, c.status) << std::string(c.request).substr(0, 100);
    EXPECT_TRUE(reply.body.starts_with("no: ")) << reply.body;
    client.end_writing();
    EXPECT_TRUE(client.ended());
  }
  EXPECT_EQ(ask(kGet).status, 200);
  stop();
  EXPECT_EQ(echo_.handled, 1);
}

TEST_F(HttpTest, AnswersARefusedBodyThoughItIsStillBeingSent) {
  start();
  Client client(port_);
  client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 20000000\r\n\r\n");
  const std::string much(1 << 20, 'x');
  for (int i = 0; i < 4; ++i) client.send(much);
  EXPECT_EQ(client.receive().status, 413);
}

TEST_F(HttpTest, ClientsThatAskFirstAreToldToGoOn) {
  start();
  Client client(port_);
  client.send("POST /x HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
  EXPECT_EQ(client.receive().status, 100);
  EXPECT_EQ(client.ask("abc").body, "POST /x abc");
  const Reply refused =
      client.ask("POST /x HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 99999999\r\n\r\n");
  EXPECT_EQ(refused.status, 413);
}

// What a client says that it will send takes nothing; what it sends does.
TEST_F(HttpTest, BodiesTakeWhatHasComeOfThem) {
  HttpOptions options;
  options.limits.shared_bytes = 32 << 20;
  start(options);
  std::vector<std::unique_ptr<Client>> slow;
  for (int i = 0; i < 64; ++i) {
    slow.push_back(std::make_unique<Client>(port_));
    slow.back()->send("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 8000000\r\n\r\n" +
                      std::string(20'000, 'x'));
  }
  EXPECT_EQ(ask(kGet).status, 200);
  const std::string body(3 << 20, 'x');
  EXPECT_EQ(ask(fmt::format("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n{}", body.size(), body))
                .status,
            200);
  slow.clear();
}

TEST_F(HttpTest, BodiesTogetherHaveALimit) {
  HttpOptions options;
  options.limits.shared_bytes = 200'000;
  start(options);
  Client first(port_), second(port_);
  first.send("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 80000\r\n\r\n");
  first.send(std::string(79'999, 'x'));
  // The first's bytes have been read once a later request of another client is answered.
  EXPECT_EQ(ask(kGet).status, 200);
  const Reply refused =
      second.ask("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 80000\r\n\r\n" + std::string(30'000, 'x'));
  EXPECT_EQ(refused.status, 503);
  EXPECT_TRUE(refused.has("Retry-After: "));
  EXPECT_EQ(first.ask("x").status, 200);
  EXPECT_EQ(
      ask("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 80000\r\n\r\n" + std::string(80'000, 'x')).status,
      200);
}

TEST_F(HttpTest, SlowClientsAreCutOff) {
  HttpOptions options;
  options.limits.head_seconds = options.limits.body_seconds = options.limits.idle_seconds = 0.2;
  start(options);
  Client slow_head(port_), slow_body(port_), silent(port_), idle(port_);
  slow_head.send("GET / HT");
  slow_body.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc");
  EXPECT_EQ(idle.ask(kGet).status, 200);
  EXPECT_EQ(slow_head.receive().status, 408);
  EXPECT_TRUE(slow_head.ended());
  EXPECT_EQ(slow_body.receive().status, 408);
  EXPECT_TRUE(slow_body.ended());
  EXPECT_TRUE(silent.ended());
  EXPECT_TRUE(idle.ended());
}

TEST_F(HttpTest, AReaderThatDoesNotReadIsCutOff) {
  HttpOptions options;
  options.limits.answer_seconds = 0.2;
  start(options);
  Client client(port_);
  client.send("GET /big HTTP/1.1\r\nHost: h\r\n\r\n");
  std::this_thread::sleep_for(std::chrono::milliseconds(1500));
  const Reply reply = client.receive();
  EXPECT_LT(reply.body.size(), size_t{20} << 20);
}

TEST_F(HttpTest, ConnectionsHaveALimit) {
  HttpOptions options;
  options.limits.connections = 2;
  start(options);
  Client first(port_), second(port_);
  EXPECT_EQ(first.ask(kGet).status, 200);
  EXPECT_EQ(second.ask(kGet).status, 200);
  {
    Client third(port_);
    EXPECT_EQ(third.receive().status, 503);
    EXPECT_TRUE(third.ended());
  }
  EXPECT_EQ(first.ask(kGet).status, 200);
}

TEST_F(HttpTest, DrainingFinishesWhatHasBegunAndThenEnds) {
  start();
  Client held(port_), idle(port_), half(port_);
  EXPECT_EQ(idle.ask(kGet).status, 200);
  EXPECT_EQ(half.ask(kGet).status, 200);
  held.send("GET /hold HTTP/1.1\r\nHost: h\r\n\r\n");
  while (echo_.held == nullptr) std::this_thread::yield();
  half.send("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\na");
  EXPECT_EQ(ask(kGet).status, 200);  // so all that is above has been read
  server_->post([this] { server_->drain(20); });
  EXPECT_TRUE(idle.ended());
  half.send("b");
  const Reply last = half.receive();
  EXPECT_EQ(last.body, "POST /x ab");
  EXPECT_TRUE(last.has("Connection: close"));
  // Who knocks while something is being finished gets an answer, and no more than one.
  EXPECT_TRUE(ask(kGet).has("Connection: close"));
  echo_.held.load()->send();  // by a thread that is not the server's
  EXPECT_EQ(held.receive().body, "GET /hold ");
  held.hang_up();
  half.hang_up();
  thread_.join();
}

TEST_F(HttpTest, WhatIsNotDoneInTheGraceTimeIsCutOff) {
  start();
  Client half(port_);
  half.send("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\na");
  EXPECT_EQ(ask(kGet).status, 200);
  server_->post([this] { server_->drain(0.3); });
  thread_.join();
  server_.reset();
  EXPECT_TRUE(half.ended());
}

TEST_F(HttpTest, AnExchangeThatIsNeverAnsweredDoesNotKeepTheServer) {
  start();
  Client held(port_);
  held.send("GET /hold HTTP/1.1\r\nHost: h\r\n\r\n");
  while (echo_.held == nullptr) std::this_thread::yield();
  stop();
  server_.reset();
  EXPECT_TRUE(held.ended());
}

std::string output_of(const std::string& command) {
  std::string text;
  FILE* pipe = ::popen(command.c_str(), "r");
  char bytes[4096];
  while (const size_t n = ::fread(bytes, 1, sizeof bytes, pipe)) text.append(bytes, n);
  ::pclose(pipe);
  return text;
}

TEST_F(HttpTest, SpeaksTls) {
  const train::Folder folder;
  const auto make = [&](const char* name) {
    return ::system(
        fmt::format("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "
                    "/CN=localhost -keyout {0}.key -out {0}.pem 2>/dev/null",
                    folder.file(name))
            .c_str());
  };
  if (make("ours") != 0 || make("other") != 0) GTEST_SKIP() << "openssl is missing";
  const auto options = [&](const char* certificate, const char* key) {
    HttpOptions all;
    all.certificate = folder.file(certificate);
    all.private_key = folder.file(key);
    return all;
  };
  for (const auto& [certificate, key] :
       {std::pair{"ours.pem", "other.key"}, {"ours.key", "ours.key"}, {"no", "ours.key"}}) {
    const auto refused = (*http_module())->open(options(certificate, key), echo_);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::data);
  }
  start(options("ours.pem", "ours.key"));
  const std::string body(200'000, 'z');
  folder.write("request",
               "GET /a HTTP/1.1\r\nHost: h\r\n\r\nPOST /later HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
               "Content-Length: 200000\r\n\r\n" +
                   body);
  const auto asked = [&](std::string_view more) {
    return output_of(fmt::format(
        "openssl s_client -connect 127.0.0.1:{} -quiet -verify_return_error -CAfile {} {} <{} 2>/dev/null",
        port_, folder.file("ours.pem"), more, folder.file("request")));
  };
  const std::string answers = asked("");
  EXPECT_NE(answers.find("\r\n\r\nGET /a "), std::string::npos);
  EXPECT_NE(answers.find("POST /later " + body), std::string::npos);
  EXPECT_EQ(asked("-tls1_1"), "");
  Client plain(port_);
  plain.send(kGet);
  EXPECT_EQ(plain.receive().status, 0);
}

TEST_F(HttpTest, TellsOfSignals) {
  HttpOptions options;
  options.signals = {SIGUSR1};
  start(options);
  EXPECT_EQ(ask(kGet).status, 200);
  ::kill(::getpid(), SIGUSR1);
  while (echo_.signalled == 0) std::this_thread::yield();
  EXPECT_EQ(echo_.signalled, SIGUSR1);
  stop();
  server_.reset();
}

TEST_F(HttpTest, APortInUseAndAHostThatIsNone) {
  start();
  const auto taken = (*http_module())->open({.port = port_}, echo_);
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().kind, ErrorKind::machine);
  EXPECT_NE(taken.error().message().find("in use"), std::string::npos) << taken.error().message();
  const auto nowhere = (*http_module())->open({.host = "no.such"}, echo_);
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error().kind, ErrorKind::usage);
}

TEST(HttpModule, HashesAndCompares) {
  const HttpModule& module = **http_module();
  std::string hex;
  for (const uint8_t byte : module.sha256("abc"))
    hex += fmt::format("{:02x}", byte);  // FIPS 180-2, appendix B.1
  EXPECT_EQ(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_TRUE(module.equal("abc", "abc", 3));
  EXPECT_FALSE(module.equal("abc", "abd", 3));
}

}  // namespace
}  // namespace shoestring::serve
