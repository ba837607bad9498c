// A client of raw bytes, so that tests may send what no HTTP library would.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <string_view>

namespace shoestring::serve {

struct Reply {
  int status = 0;  // 0: the connection ended before an answer
  std::string head, body;
  bool has(std::string_view text) const { return head.find(text) != std::string::npos; }
};

class Client {
 public:
  explicit Client(int port) {
    fd_ = ::socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address {};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_, reinterpret_cast<struct sockaddr*>(&address), sizeof address) == 0;
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client() {
    if (fd_ >= 0) ::close(fd_);
  }
  bool connected() const { return connected_; }
  void hang_up() { ::close(std::exchange(fd_, -1)); }
  void end_writing() { ::shutdown(fd_, SHUT_WR); }

  // false: the server does not listen any more.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(n));
    }
    return true;
  }
  // The next answer, however it comes in pieces. `no_body`: it answers a HEAD.
  Reply receive(bool no_body = false) {
    Reply reply;
    size_t end = 0;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos)
      if (!more()) return reply;
    reply.head = buffer_.substr(0, end + 4);
    buffer_.erase(0, end + 4);
    const size_t at = reply.head.find("Content-Length: ");
    const size_t length = no_body || at == std::string::npos ? 0 : std::stoul(reply.head.substr(at + 16, 20));
    while (buffer_.size() < length)
      if (!more()) return reply;
    reply.body = buffer_.substr(0, length);
    buffer_.erase(0, length);
    reply.status = std::stoi(reply.head.substr(9, 3));
    return reply;
  }
  Reply ask(std::string_view bytes) {
    send(bytes);
    return receive();
  }
  // Whether the server has ended the connection, or does so soon.
  bool ended() { return buffer_.empty() && !more(); }

 private:
  bool more() {
    struct pollfd waiting {
      fd_, POLLIN, 0
    };
    if (::poll(&waiting, 1, 20'000) != 1) {
      ADD_FAILURE() << "the server says nothing";
      return false;
    }
    char bytes[65536];
    const ssize_t n = ::recv(fd_, bytes, sizeof bytes, 0);
    if (n > 0) buffer_.append(bytes, static_cast<size_t>(n));
    return n > 0;
  }
  int fd_ = -1;
  bool connected_ = false;
  std::string buffer_;
};

}  // namespace shoestring::serve
