// Bytes in and out of one connection, plain or over TLS, for coroutines.
#pragma once

#include <coroutine>
#include <exception>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace shoestring::serve {

// A coroutine that nobody waits for; it frees itself at its end.
struct Detached {
  std::coroutine_handle<> handle;
  struct promise_type {
    Detached get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
};

// How an operation ended.
struct Ended {
  bool ok = false;
  size_t bytes = 0;
};

class Transport {
 public:
  // What a coroutine waits for.
  struct Operation {
    std::coroutine_handle<> waiting;
    Ended ended;
    void finish(bool ok, size_t bytes) {
      ended = {ok, bytes};
      waiting.resume();
    }
  };

  virtual ~Transport() = default;
  virtual bool needs_handshake() const = 0;
  virtual void handshake(Operation&) = 0;
  // At least one byte; not ok at the end.
  virtual void read(std::span<char>, Operation&) = 0;
  // What can be written without waiting; all of `head`, then `body`.
  virtual Ended write_now(std::string_view head, std::string_view body) = 0;
  virtual void write(std::string_view head, std::string_view body, Operation&) = 0;  // some of it
  virtual void end_writing() = 0;
  virtual void cancel() = 0;  // pending operations end, not ok
};

// co_await Waiting([&](Transport::Operation& o) { transport.read(buffer, o); })
template <class Start>
struct Waiting {
  Start start;
  Transport::Operation operation = {};
  explicit Waiting(Start s) : start(std::move(s)) {}
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> handle) {
    operation.waiting = handle;
    start(operation);
  }
  Ended await_resume() const noexcept { return operation.ended; }
};

}  // namespace shoestring::serve
