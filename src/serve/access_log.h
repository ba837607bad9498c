// One JSON line a request. Lines are kept back until the service has nothing else to do, or there are many.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace shoestring::serve {

struct AccessLine {
  std::string_view id, peer, method, target;
  int status = 0;
  int64_t bytes = 0;   // of the answer, head included
  double seconds = 0;  // from the request's last byte to the answer's
  std::string_view model = {}, key = {};
  int64_t rows = 0;
  std::string_view traceparent = {};
};

class AccessLog {
 public:
  AccessLog() = default;  // writes nothing
  // "-" is stdout. Fails with ErrorKind::machine.
  static Result<AccessLog> open(const std::string& file);
  AccessLog(AccessLog&& other) noexcept;
  AccessLog& operator=(AccessLog&& other) noexcept;
  ~AccessLog();

  bool on() const { return fd_ >= 0; }
  void add(const AccessLine& line);
  // What is kept back, now. A write that fails loses its lines and is counted.
  void flush();
  // The file anew, where another program has moved it away. On failure it goes on with the old one.
  Status reopen();
  int64_t lost() const { return lost_; }

 private:
  std::string file_, text_;
  int fd_ = -1;
  int64_t lost_ = 0;
};

}  // namespace shoestring::serve
