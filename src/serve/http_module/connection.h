// One connection: a coroutine that reads a request, has it answered, writes the answer, and begins again.
#pragma once

#include <cstdint>
#include <vector>

#include "serve/http.h"
#include "serve/http_module/request_parser.h"
#include "serve/http_module/transport.h"

namespace shoestring::serve {

class Connection;

// What all connections share: the server, as a connection sees it.
class Connections {
 public:
  virtual HttpHandler& handler() = 0;
  virtual const HttpLimits& limits() const = 0;
  virtual bool draining() const = 0;
  virtual double farewell_seconds() const = 0;
  virtual int64_t now() const = 0;              // in ticks
  virtual std::string_view date() = 0;          // "Date: …\r\n"
  virtual bool take_memory(int64_t bytes) = 0;  // of shared_bytes; false: there is no more
  virtual void give_memory(int64_t bytes) = 0;
  virtual int64_t memory_left() const = 0;
  int64_t left_for_bodies() const { return memory_left() - limits().shared_bytes / 2; }
  virtual void answered(Connection&) = 0;  // from any thread
  virtual void ended(Connection&) = 0;     // deletes it

 protected:
  ~Connections() = default;
};

inline constexpr int64_t kTicks = 20;  // a second

class Connection final : public HttpExchange {
 public:
  Connection(Connections& server, std::unique_ptr<Transport> transport, std::string peer_address);
  ~Connection() override;

  void start();
  void send() override { server_.answered(*this); }
  bool hold(int64_t bytes) override;
  Room room() const override { return {server_.memory_left(), server_.limits().shared_bytes - held_}; }
  // The answer is whole, and this is the server's thread.
  void resume();
  // Ends what takes too long. Called once a tick.
  void look_at_the_clock(int64_t now);
  // Cuts it off, unless its answer is being made.
  void abort();
  // Deletes it, though it waits for an answer; none may come later.
  void forget();
  // Between two requests: it ends after `seconds`, unless one comes.
  void end_if_idle(double seconds);
  // Whether send() was called within handle(), so that nobody has to be woken.
  bool answered_in_place();

  bool is_first_ = true;       // no request has come yet
  bool early = true;           // it was there before the server was to stop
  size_t place = 0;            // in the server's list
  Connection* next = nullptr;  // in its list of answered ones

 private:
  enum class Phase { handshake, idle, head, body, answering, writing, closing };
  void enter(Phase phase, double seconds);
  Detached run();
  void begin_request();
  bool request_is_whole();
  void begin_body();
  bool body_is_whole();
  std::span<char> room_for_more();
  bool came(Ended);
  bool make_room(size_t bytes);
  void refuse_for_now();
  void refuse(int status, std::string_view what);
  void hand_over();
  void compose_head();
  void finish_request();
  std::string_view answer_body() const;

  Connections& server_;
  std::unique_ptr<Transport> transport_;
  const std::string peer_;
  RequestParser parser_;
  std::vector<HttpHeader> fields_;

  // What was read lies in in_: the head, then the body, where it fits; else that goes to body_. Both are
  // followed by kBodyPadding bytes. What comes of the next request stays behind used_.
  std::string in_;
  BodyBuffer body_;
  size_t in_size_ = 0, used_ = 0;
  size_t body_size_ = 0;  // as it is said
  int64_t held_ = 0;      // of the memory that all share
  enum class Body { none, in_place, apart, chunks } body_kind_ = Body::none;

  std::string head_;  // of the answer
  size_t written_ = 0;

  Phase phase_ = Phase::idle;
  int64_t deadline_ = 0;  // in ticks; 0: none
  bool late_ = false, refused_ = false, keep_alive_ = false, owes_continue_ = false;
  bool handling_ = false, answered_ = false;
  std::coroutine_handle<> frame_, waiting_;  // waiting_: for the answer

  struct Answered {
    Connection& self;
    explicit Answered(Connection& connection) : self(connection) {}
    bool await_ready() const noexcept { return self.answered_; }
    void await_suspend(std::coroutine_handle<> handle) noexcept { self.waiting_ = handle; }
    void await_resume() const noexcept {}
  };
};

}  // namespace shoestring::serve
