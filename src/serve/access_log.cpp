#include "serve/access_log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>
#include <iterator>
#include <utility>

namespace shoestring::serve {
namespace {

constexpr size_t kKeptBack = 32 << 10;

Result<int> open_file(const std::string& file) {
  const int fd = file == "-" ? ::dup(STDOUT_FILENO)
                             : ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  if (fd < 0)
    return fail(ErrorKind::machine, fmt::format("cannot write the access log: {}", std::strerror(errno)),
                file, "give another --access_log, or '-' for stdout");
  return fd;
}

void append_time(std::string& out) {
  struct timespec now;
  ::clock_gettime(CLOCK_REALTIME, &now);
  struct tm parts;
  ::gmtime_r(&now.tv_sec, &parts);
  fmt::format_to(std::back_inserter(out), "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", parts.tm_year + 1900,
                 parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                 now.tv_nsec / 1000);
}

// The bytes of a request line need be no UTF-8: what is not ASCII is written as if it were Latin-1.
void append_json(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      (out += '\\') += c;
    else if (byte < 0x20 || byte >= 0x7f)
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(byte));
    else
      out += c;
  }
  out += '"';
}

}  // namespace

Result<AccessLog> AccessLog::open(const std::string& file) {
  auto fd = open_file(file);
  if (!fd) return fail(fd.error());
  AccessLog log;
  log.file_ = file;
  log.fd_ = *fd;
  return log;
}

AccessLog::AccessLog(AccessLog&& other) noexcept { *this = std::move(other); }

AccessLog& AccessLog::operator=(AccessLog&& other) noexcept {
  std::swap(file_, other.file_);
  std::swap(text_, other.text_);
  std::swap(fd_, other.fd_);
  std::swap(lost_, other.lost_);
  return *this;
}

AccessLog::~AccessLog() {
  if (fd_ < 0) return;
  flush();
  ::close(fd_);
}

void AccessLog::add(const AccessLine& line) {
  if (!on()) return;
  text_ += "{\"time\":\"";
  append_time(text_);
  text_ += "\",\"id\":";
  append_json(text_, line.id);
  text_ += ",\"peer\":";
  append_json(text_, line.peer);
  text_ += ",\"method\":";
  append_json(text_, line.method);
  text_ += ",\"target\":";
  append_json(text_, line.target.substr(0, 512));
  fmt::format_to(std::back_inserter(text_), ",\"status\":{},\"bytes\":{},\"seconds\":{:.6f}", line.status,
                 line.bytes, line.seconds);
  if (!line.model.empty()) {
    text_ += ",\"model\":";
    append_json(text_, line.model);
    fmt::format_to(std::back_inserter(text_), ",\"rows\":{}", line.rows);
  }
  if (!line.key.empty()) {
    text_ += ",\"key\":";
    append_json(text_, line.key);
  }
  if (!line.traceparent.empty()) {
    text_ += ",\"traceparent\":";
    append_json(text_, line.traceparent);
  }
  text_ += "}\n";
  if (text_.size() > kKeptBack) flush();
}

void AccessLog::flush() {
  for (std::string_view rest = text_; !rest.empty();) {
    const ssize_t written = ::write(fd_, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      ++lost_;
      break;
    }
    rest.remove_prefix(static_cast<size_t>(written));
  }
  text_.clear();
}

Status AccessLog::reopen() {
  if (!on()) return {};
  flush();
  auto fd = open_file(file_);
  if (!fd) return fail(fd.error());
  ::close(std::exchange(fd_, *fd));
  return {};
}

}  // namespace shoestring::serve
