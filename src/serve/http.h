// HTTP/1.1 for the service, behind an interface without a network library in it. The server itself is a
// module (http_module/, Boost.Asio and Beast, OpenSSL), opened at first use. One thread runs all connections:
// the one that calls HttpServer::run. Everything here is called on it, but for what says otherwise.
//
//   struct Hello : HttpHandler {
//     void handle(HttpExchange& exchange) override { exchange.answer = "hello"; exchange.send(); }
//   } hello;
//   auto module = http_module();
//   auto server = (*module)->open({.port = 8000}, hello);
//   (*server)->run();                                    // until stop(), or drained after drain()
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace shoestring::serve {

struct HttpHeader {
  std::string_view name, value;
};

// Readable bytes that follow every request body, for parsers that read in strides.
inline constexpr size_t kBodyPadding = 64;

// One request and its answer. It belongs to the connection and is used again for the next one: answering
// takes nothing from the heap once its buffers have grown.
class HttpExchange {
 public:
  // ---- the request: valid until send() ----
  // "POST", "/predict?strict=false"; of a target with scheme and host what stands behind them.
  std::string_view method, target;
  std::string_view body;
  std::string_view peer;  // the client's address, without its port
  std::span<const HttpHeader> headers;
  std::chrono::steady_clock::time_point arrived;  // when its last byte was read
  // Its value, "" where it is absent. Names are compared without case.
  std::string_view header(std::string_view name) const;
  // Never empty.
  std::string_view path() const {
    const std::string_view before = target.substr(0, target.find('?'));
    return before.empty() ? "/" : before;
  }
  std::string_view query() const;  // what stands after '?'

  // ---- the answer ----
  int status = 200;
  std::string_view content_type = "application/json";  // text that outlives the exchange
  std::string answer;                                  // the body, empty when the request comes
  bool close = false;                                  // the connection, after the answer
  // A line break in a value ends it: no answer can be split.
  void add_header(std::string_view name, std::string_view value) {
    added_.append(name).append(": ").append(value.substr(0, value.find_first_of("\r\n"))).append("\r\n");
  }
  std::string_view added_headers() const { return added_; }

  // Of the memory that all connections share, for what is made of this request until its answer is gone.
  // false: there is no more of it.
  virtual bool hold(int64_t bytes) = 0;
  // What hold() would grant now, and what it would if there were no other request.
  struct Room {
    int64_t now = 0, alone = 0;
  };
  virtual Room room() const = 0;

  // The answer is whole. From any thread, once; afterwards the exchange belongs to the server again.
  virtual void send() = 0;

  // What the handler wants to keep with the connection, from one request to the next.
  struct Kept {
    virtual ~Kept() = default;
  };
  std::unique_ptr<Kept> kept;

 protected:
  HttpExchange() = default;
  HttpExchange(const HttpExchange&) = delete;
  HttpExchange& operator=(const HttpExchange&) = delete;
  virtual ~HttpExchange() = default;
  std::string added_;
};

// What answers. No function may throw.
class HttpHandler {
 public:
  virtual ~HttpHandler() = default;
  // Sees to it that send() is called, now or later.
  virtual void handle(HttpExchange& exchange) = 0;
  // A request that the server itself turns down (400, 408, 413, 431, 501, 503, 505): writes the answer's
  // body. `target` and headers may be missing. The connection is closed afterwards.
  virtual void refuse(HttpExchange& exchange, std::string_view what) { exchange.answer = what; }
  // After the last byte of the answer went out, or could not (`bytes` is what did).
  virtual void sent(const HttpExchange&, int64_t /*bytes*/) {}
  // No request is ready to be read: do what was put off. Returns whether anything was done; if not, the
  // server sleeps.
  virtual bool idle() { return false; }
  virtual void signal(int /*number*/) {}
};

// What a client may take. All connections together hold at most `shared_bytes` of bodies, as they come, and
// of what handlers hold for them (HttpExchange::hold); a request that would pass it gets 503. Bodies grow no
// more once half of it is held, so that those that are whole can be read: it is at least twice body_bytes.
struct HttpLimits {
  int connections = 1024;
  int64_t head_bytes = 16 << 10;
  int64_t body_bytes = 8 << 20;
  int64_t shared_bytes = 24 << 20;
  double head_seconds = 10, body_seconds = 60, answer_seconds = 60;  // from first byte to last
  double idle_seconds = 75;                                          // between two requests
};

// The largest that body_bytes and shared_bytes may be set to.
inline constexpr int64_t kLargestBody = int64_t{1} << 32, kMostShared = int64_t{1} << 40;

// Bytes on the heap that a connection holds between requests, at most: what it reads into, an answer of
// kKeptBufferBytes (what is above that is given back), its own state.
inline constexpr int64_t kKeptBufferBytes = 4 << 10;
inline constexpr int64_t kConnectionBytes = 24 << 10;
// What TLS adds to a connection.
inline constexpr int64_t kTlsConnectionBytes = 80 << 10;
// What the module brings into the process, OpenSSL included, and what a certificate adds; what a request
// costs in it and in the kernel; measured (bench/SERVE.md).
inline constexpr int64_t kHttpProcessBytes = 3 << 20, kTlsProcessBytes = 4 << 20;
inline constexpr double kHttpRequestSeconds = 12e-6;

struct HttpOptions {
  std::string host = "127.0.0.1";  // an address of this machine, or localhost
  int port = 0;                    // 0: any that is free
  HttpLimits limits = {};
  std::string certificate = {}, private_key = {};  // PEM files: TLS, where named
  std::vector<int> signals = {};                   // told to the handler
  // After drain(), for as long whoever comes is answered, rather than left at a closed door.
  double farewell_seconds = 0.25;
};

class HttpServer {
 public:
  virtual ~HttpServer() = default;
  virtual int port() const = 0;
  virtual int connections() const = 0;
  // Serves until stop(), or until nothing is left to do after drain().
  virtual void run() = 0;
  // Every answer from now on closes its connection; connections without a request are closed after a moment,
  // in which a request that is on its way still gets an answer. What is left after `grace_seconds` is cut
  // off.
  virtual void drain(double grace_seconds) = 0;
  virtual bool draining() const = 0;
  // The files of certificate and key anew, for connections to come; on failure the old ones stay.
  virtual Status read_certificate() = 0;
  // From any thread: `work` on the server's thread, soon.
  virtual void post(std::function<void()> work) = 0;
  // From any thread: run() returns, whatever is left.
  virtual void stop() = 0;
  // On the server's thread: `work` once, after `seconds`.
  virtual void after(double seconds, std::function<void()> work) = 0;
};

inline constexpr int kHttpModuleVersion = 1;

struct HttpModule {
  int version;
  // Listens, so that clients may connect from now on. Fails with ErrorKind::machine where the port is in use
  // or may not be taken, ErrorKind::usage where the host is no address, ErrorKind::data where certificate and
  // key are none. `handler` must outlive the server.
  Result<std::unique_ptr<HttpServer>> (*open)(const HttpOptions&, HttpHandler& handler);
  std::array<uint8_t, 32> (*sha256)(std::string_view);
  // Takes as long for any two texts of one size.
  bool (*equal)(const void*, const void*, size_t bytes);
};

// The module, opened at the first call. It fails (ErrorKind::machine) where the installation is not whole.
Result<const HttpModule*> http_module();

}  // namespace shoestring::serve

extern "C" const shoestring::serve::HttpModule* shoestring_http_module();
