// A request's head and its chunks, parsed by Beast where the bytes lie.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "serve/http_module/body_buffer.h"

namespace shoestring::serve {

// A piece of the buffer that the head was parsed from; the buffer may move.
struct Piece {
  uint32_t at = 0, size = 0;
  std::string_view in(const char* buffer) const { return {buffer + at, size}; }
};

struct RequestHead {
  Piece method, target;
  std::vector<std::pair<Piece, Piece>> fields;
  size_t size = 0;                 // bytes
  std::optional<uint64_t> length;  // of the body, where it is said
  bool chunked = false, keep_alive = false, expects_continue = false;
};

// Why a request is turned down, and with which status.
struct Rejection {
  int status = 0;
  const char* what = "";
};

class RequestParser {
 public:
  static constexpr size_t kMostFields = 100;

  RequestParser();
  ~RequestParser();

  void begin();  // the next request
  // `text` is all that has come of the request so far. true: the head is whole.
  bool read_head(std::string_view text);
  const RequestHead& head() const;
  // What has come of a chunked body; what is decoded, no more than `text`, is appended within the body's
  // capacity. Returns the bytes that were used.
  size_t read_chunks(std::string_view text, BodyBuffer& body, uint64_t most_bytes);
  bool body_is_whole() const;
  // Set once a request is refused; nothing more is to be parsed then.
  const std::optional<Rejection>& rejection() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace shoestring::serve
