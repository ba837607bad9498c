// The loop, its listener, timers and signals; TLS.
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/sha.h>
#include <sys/resource.h>

#include <array>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <ctime>
#include <mutex>
#include <thread>

#include "serve/http.h"
#include "serve/http_module/connection.h"

namespace shoestring::serve {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using Buffers = std::array<asio::const_buffer, 2>;

Buffers both(std::string_view head, std::string_view body) {
  return {asio::const_buffer(head.data(), head.size()), asio::const_buffer(body.data(), body.size())};
}

auto finishing(Transport::Operation& operation) {
  return [&operation](error_code error, size_t bytes) { operation.finish(!error, bytes); };
}

class Plain final : public Transport {
 public:
  explicit Plain(tcp::socket socket) : socket_(std::move(socket)) {}
  bool needs_handshake() const override { return false; }
  void handshake(Operation& operation) override { operation.finish(true, 0); }
  void read(std::span<char> room, Operation& operation) override {
    socket_.async_read_some(asio::mutable_buffer(room.data(), room.size()), finishing(operation));
  }
  Ended write_now(std::string_view head, std::string_view body) override {
    error_code error;
    const size_t bytes = socket_.write_some(both(head, body), error);
    if (error == asio::error::would_block || error == asio::error::try_again) return {true, 0};
    return {!error, bytes};
  }
  void write(std::string_view head, std::string_view body, Operation& operation) override {
    socket_.async_write_some(both(head, body), finishing(operation));
  }
  void end_writing() override {
    error_code ignored;
    socket_.shutdown(tcp::socket::shutdown_send, ignored);
  }
  void cancel() override {
    error_code ignored;
    socket_.cancel(ignored);
  }

 private:
  tcp::socket socket_;
};

class Encrypted final : public Transport {
 public:
  Encrypted(tcp::socket socket, std::shared_ptr<asio::ssl::context> context)
      : context_(std::move(context)), stream_(std::move(socket), *context_) {}
  bool needs_handshake() const override { return true; }
  void handshake(Operation& operation) override {
    stream_.async_handshake(asio::ssl::stream_base::server,
                            [&operation](error_code error) { operation.finish(!error, 0); });
  }
  void read(std::span<char> room, Operation& operation) override {
    stream_.async_read_some(asio::mutable_buffer(room.data(), room.size()), finishing(operation));
  }
  Ended write_now(std::string_view, std::string_view) override { return {true, 0}; }
  void write(std::string_view head, std::string_view body, Operation& operation) override {
    // A buffer is a record: a short answer goes out as one.
    constexpr size_t kRecord = 16 << 10;
    if (!head.empty() && !body.empty() && head.size() + body.size() <= kRecord) {
      record_.assign(head).append(body);
      head = record_;
    }
    const std::string_view first = head.empty() ? body : head;
    stream_.async_write_some(asio::const_buffer(first.data(), first.size()), finishing(operation));
  }
  void end_writing() override {
    error_code ignored;
    stream_.next_layer().shutdown(tcp::socket::shutdown_send, ignored);
  }
  void cancel() override {
    error_code ignored;
    stream_.next_layer().cancel(ignored);
  }

 private:
  const std::shared_ptr<asio::ssl::context> context_;
  asio::ssl::stream<tcp::socket> stream_;
  std::string record_;
};

Result<std::shared_ptr<asio::ssl::context>> tls_context(const HttpOptions& options) {
  auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
  context->set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_sslv2 |
                       asio::ssl::context::no_sslv3 | asio::ssl::context::no_tlsv1 |
                       asio::ssl::context::no_tlsv1_1 | SSL_OP_NO_RENEGOTIATION);
  error_code error;
  context->use_certificate_chain_file(options.certificate, error);
  if (error)
    return fail(ErrorKind::data, "is no certificate: " + error.message(), options.certificate,
                "give a PEM file with the certificate and its chain");
  context->use_private_key_file(options.private_key, asio::ssl::context::pem, error);
  if (!error && SSL_CTX_check_private_key(context->native_handle()) != 1)
    error = error_code(static_cast<int>(ERR_get_error()), asio::error::get_ssl_category());
  if (error)
    return fail(ErrorKind::data, "is not the certificate's private key: " + error.message(),
                options.private_key, "give the PEM file of the key that the certificate was made with");
  return context;
}

class Server final : public HttpServer, public Connections {
 public:
  Server(const HttpOptions& options, HttpHandler& handler)
      : options_(options), handler_(handler), acceptor_(loop_), timer_(loop_), signals_(loop_) {}

  ~Server() override {
    stop_now_ = true;
    for (Connection* connection : connections_) connection->abort();
    loop_.restart();
    while (!connections_.empty() && (loop_.poll() > 0 || resume_answered())) {
    }
    while (!connections_.empty()) connections_.back()->forget();  // those whose answers never came
  }

  Status open() {
    if (!options_.certificate.empty())
      if (auto ok = read_certificate(); !ok) return ok;
    const std::string name = options_.host == "localhost" ? "127.0.0.1" : options_.host;
    error_code error;
    const auto address = asio::ip::make_address(name, error);
    if (error)
      return fail(ErrorKind::usage, "is no address of this machine", "--host " + options_.host,
                  "give a number such as 127.0.0.1, ::1 or 0.0.0.0");
    const tcp::endpoint endpoint(address, static_cast<uint16_t>(options_.port));
    acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(asio::socket_base::reuse_address(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(1024, error);
    if (!error) acceptor_.non_blocking(true, error);
    if (error)
      return fail(ErrorKind::machine, "cannot listen: " + error.message(),
                  fmt::format("{}:{}", options_.host, options_.port),
                  error == asio::error::address_in_use ? "give another --port, or end who has this one"
                                                       : "give another --port or --host");
    allow_files();
    for (const int number : options_.signals) signals_.add(number, error);
    return {};
  }

  // ---- HttpServer ----
  int port() const override {
    error_code ignored;
    return acceptor_.local_endpoint(ignored).port();
  }
  int connections() const override { return static_cast<int>(connections_.size()); }
  void run() override {
    thread_ = std::this_thread::get_id();
    accept();
    wait_for_signal();
    while (!stop_now_ && !(draining_ && !acceptor_.is_open() && connections_.empty())) {
      loop_.poll();
      stop_listening_when_done();
      if (resume_answered() || stop_now_) continue;
      if (handler_.idle()) continue;
      if (draining_ && !acceptor_.is_open() && connections_.empty()) break;
      loop_.run_one();
    }
  }
  void drain(double grace_seconds) override {
    if (draining_) return;
    draining_ = true;
    const double moment = std::min(options_.farewell_seconds, grace_seconds / 2);
    for (Connection* connection : connections_) connection->end_if_idle(moment);
    after(moment, [this] { said_farewell_ = true; });
    after(grace_seconds, [this] { stop_now_ = true; });
    timer_.cancel();  // for shorter ticks
  }
  bool draining() const override { return draining_; }
  double farewell_seconds() const override { return options_.farewell_seconds; }
  Status read_certificate() override {
    if (options_.certificate.empty()) return {};
    auto context = tls_context(options_);
    if (!context) return fail(context.error());
    tls_ = *context;
    return {};
  }
  void post(std::function<void()> work) override { asio::post(loop_, std::move(work)); }
  void stop() override {
    asio::post(loop_, [this] { stop_now_ = true; });
  }
  void after(double seconds, std::function<void()> work) override {
    auto timer =
        std::make_shared<asio::steady_timer>(loop_, std::chrono::microseconds(int64_t(seconds * 1e6)));
    timer->async_wait([timer, work = std::move(work)](error_code error) {
      if (!error) work();
    });
  }

  // ---- Connections ----
  HttpHandler& handler() override { return handler_; }
  const HttpLimits& limits() const override { return options_.limits; }
  int64_t now() const override { return now_; }
  std::string_view date() override {
    struct timespec time;
    ::clock_gettime(CLOCK_REALTIME_COARSE, &time);
    if (time.tv_sec != date_second_) {
      date_second_ = time.tv_sec;
      struct tm parts;
      ::gmtime_r(&time.tv_sec, &parts);
      char text[64];  // in the C locale: nothing here sets another
      date_.assign(text, std::strftime(text, sizeof text, "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &parts));
    }
    return date_;
  }
  bool take_memory(int64_t bytes) override {
    if (held_bytes_ + bytes > options_.limits.shared_bytes) return false;
    held_bytes_ += bytes;
    return true;
  }
  void give_memory(int64_t bytes) override { held_bytes_ -= bytes; }
  int64_t memory_left() const override { return options_.limits.shared_bytes - held_bytes_; }
  void answered(Connection& connection) override {
    if (std::this_thread::get_id() == thread_) {
      if (connection.answered_in_place()) return;
      connection.next = ready_;
      ready_ = &connection;
      return;
    }
    bool wake = false;
    {
      const std::lock_guard lock(mutex_);
      wake = foreign_ == nullptr;
      connection.next = foreign_;
      foreign_ = &connection;
    }
    if (wake) asio::post(loop_, [this] { resume_answered(); });
  }
  void ended(Connection& connection) override {
    early_ -= connection.early;
    connections_.back()->place = connection.place;
    std::swap(connections_[connection.place], connections_.back());
    connections_.pop_back();
    delete &connection;
  }

 private:
  void allow_files() const {
    struct rlimit limit;
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    const auto wanted = static_cast<rlim_t>(options_.limits.connections) + 64;
    if (limit.rlim_cur >= wanted) return;
    limit.rlim_cur = std::min(limit.rlim_max, wanted);
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }

  void read_clock() {
    const auto since = std::chrono::steady_clock::now().time_since_epoch();
    now_ = std::chrono::duration_cast<std::chrono::milliseconds>(since).count() * kTicks / 1000;
  }

  // Who knocks while what had begun is being finished is told so (503), and not left before a closed door.
  void stop_listening_when_done() {
    if (!said_farewell_ || early_ > 0 || !acceptor_.is_open()) return;
    error_code ignored;
    acceptor_.close(ignored);
  }

  void accept() {
    acceptor_.async_accept([this](error_code error, tcp::socket socket) {
      if (error == asio::error::operation_aborted || !acceptor_.is_open()) return;
      if (error) return after(0.1, [this] { accept(); });  // no files left, say
      begin(std::move(socket));
      accept();
    });
  }
  void begin(tcp::socket socket) {
    error_code error;
    socket.non_blocking(true, error);
    socket.set_option(tcp::no_delay(true), error);
    if (connections() >= options_.limits.connections) return turn_away(std::move(socket));
    const auto remote = socket.remote_endpoint(error);
    if (error) return;  // it has gone
    std::unique_ptr<Transport> transport;
    if (tls_)
      transport = std::make_unique<Encrypted>(std::move(socket), tls_);
    else
      transport = std::make_unique<Plain>(std::move(socket));
    auto* connection = new Connection(*this, std::move(transport), remote.address().to_string());
    connection->place = connections_.size();
    connection->early = !draining_;
    early_ += connection->early;
    connections_.push_back(connection);
    if (connections_.size() == 1) {
      read_clock();
      tick();
    }
    connection->start();
  }
  void turn_away(tcp::socket socket) {
    constexpr std::string_view kFull =
        "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nRetry-After: 1\r\n"
        "Content-Length: 32\r\nConnection: close\r\n\r\n{\"error\":\"too many connections\"}";
    error_code ignored;
    if (!tls_) socket.write_some(asio::const_buffer(kFull.data(), kFull.size()), ignored);
  }

  // Looks at every connection's deadline while there are any: a timer for each would cost every request.
  void tick() {
    if (ticking_ || connections_.empty()) return;
    ticking_ = true;
    timer_.expires_after(std::chrono::milliseconds(draining_ ? 1000 / kTicks : 500));
    timer_.async_wait([this](error_code error) {
      ticking_ = false;
      read_clock();
      for (Connection* connection : connections_)
        if (!error) connection->look_at_the_clock(now_);
      tick();
    });
  }

  void wait_for_signal() {
    signals_.async_wait([this](error_code error, int number) {
      if (error) return;
      handler_.signal(number);
      wait_for_signal();
    });
  }

  bool resume_answered() {
    {
      const std::lock_guard lock(mutex_);
      while (foreign_ != nullptr) {
        Connection* connection = std::exchange(foreign_, foreign_->next);
        connection->next = ready_;
        ready_ = connection;
      }
    }
    Connection* list = nullptr;  // in the order in which they were answered
    while (ready_ != nullptr) {
      Connection* connection = std::exchange(ready_, ready_->next);
      connection->next = list;
      list = connection;
    }
    const bool any = list != nullptr;
    while (list != nullptr) std::exchange(list, list->next)->resume();
    return any;
  }

  const HttpOptions options_;
  HttpHandler& handler_;
  asio::io_context loop_{BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO};
  asio::executor_work_guard<asio::io_context::executor_type> work_{loop_.get_executor()};
  tcp::acceptor acceptor_;
  asio::steady_timer timer_;
  asio::signal_set signals_;
  std::shared_ptr<asio::ssl::context> tls_;
  std::vector<Connection*> connections_;
  std::thread::id thread_;
  int64_t now_ = 0;              // as of the last tick
  Connection* ready_ = nullptr;  // answered on this thread
  std::mutex mutex_;
  Connection* foreign_ = nullptr;  // answered on others
  int64_t held_bytes_ = 0;         // by all connections, of shared_bytes
  int early_ = 0;                  // connections that were there before draining began
  bool draining_ = false, said_farewell_ = false, stop_now_ = false, ticking_ = false;
  std::string date_;
  std::time_t date_second_ = -1;
};

Result<std::unique_ptr<HttpServer>> open_server(const HttpOptions& options, HttpHandler& handler) {
  auto server = std::make_unique<Server>(options, handler);
  if (auto ok = server->open(); !ok) return fail(ok.error());
  return std::unique_ptr<HttpServer>(std::move(server));
}

std::array<uint8_t, 32> sha256(std::string_view text) {
  std::array<uint8_t, 32> digest;
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  return digest;
}

bool equal(const void* a, const void* b, size_t bytes) { return CRYPTO_memcmp(a, b, bytes) == 0; }

}  // namespace
}  // namespace shoestring::serve

extern "C" const shoestring::serve::HttpModule* shoestring_http_module() {
  static constexpr shoestring::serve::HttpModule kModule{
      .version = shoestring::serve::kHttpModuleVersion,
      .open = shoestring::serve::open_server,
      .sha256 = shoestring::serve::sha256,
      .equal = shoestring::serve::equal,
  };
  return &kModule;
}
