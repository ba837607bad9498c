#include "serve/http_module/connection.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace shoestring::serve {
namespace {

constexpr size_t kFirstBuffer = 8 << 10, kChunkRoom = 4 << 10, kFirstBody = 32 << 10;
constexpr double kLingerSeconds = 2;  // for what a client still sends after the last answer
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

std::string_view reason_phrase(int status) {
  switch (status) {
    case 100:
      return "Continue";
    case 200:
      return "OK";
    case 204:
      return "No Content";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 411:
      return "Length Required";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return {};
  }
}

// "http://host/path" is "/path" (RFC 9112, 3.2.2).
std::string_view behind_host(std::string_view target) {
  const size_t colon = target.find("://");
  if (target.starts_with('/') || colon == std::string_view::npos) return target;
  const size_t end = target.find_first_of("/?", colon + 3);
  return end == std::string_view::npos ? "/" : target.substr(end);
}

}  // namespace

Connection::Connection(Connections& server, std::unique_ptr<Transport> transport, std::string peer_address)
    : server_(server), transport_(std::move(transport)), peer_(std::move(peer_address)) {
  peer = peer_;
  in_.resize(kFirstBuffer + kBodyPadding);
}

Connection::~Connection() { server_.give_memory(held_); }

void Connection::start() { frame_ = run().handle; }

Detached Connection::run() {
  try {
    Transport& transport = *transport_;
    bool open = true;
    if (transport.needs_handshake()) {
      enter(Phase::handshake, server_.limits().head_seconds);
      open = (co_await Waiting([&](Transport::Operation& o) { transport.handshake(o); })).ok;
    }
    for (keep_alive_ = true; open && keep_alive_;) {
      begin_request();
      while (open && !request_is_whole()) {
        if (owes_continue_ && std::exchange(owes_continue_, false))
          co_await Waiting([&](Transport::Operation& o) { transport.write(kContinue, {}, o); });
        const std::span<char> room = room_for_more();
        if (refused_) break;
        open = came(co_await Waiting([&](Transport::Operation& o) { transport.read(room, o); }));
      }
      if (!open) break;

      hand_over();
      co_await Answered(*this);

      compose_head();
      while (open && written_ < head_.size() + answer_body().size()) {
        const size_t from_head = std::min(written_, head_.size());
        const std::string_view head = std::string_view(head_).substr(from_head);
        const std::string_view rest = answer_body().substr(written_ - from_head);
        Ended put = transport.write_now(head, rest);
        if (put.ok && put.bytes == 0)
          put = co_await Waiting([&](Transport::Operation& o) { transport.write(head, rest, o); });
        written_ += put.bytes;
        open = put.ok;
      }
      finish_request();
    }
    if (open) {
      // Closing at once would make the system drop the answer where the client is still sending.
      enter(Phase::closing, kLingerSeconds);
      transport.end_writing();
      while (open)
        open = (co_await Waiting([&](Transport::Operation& o) { transport.read(std::span(in_), o); })).ok;
    }
  } catch (const std::exception&) {  // no memory for a buffer: this connection ends, the others go on
  }
  server_.ended(*this);
}

void Connection::forget() {
  frame_.destroy();
  server_.ended(*this);
}

void Connection::resume() {
  answered_ = true;
  if (waiting_) std::exchange(waiting_, {}).resume();
}

bool Connection::answered_in_place() { return handling_ && (answered_ = true); }

void Connection::enter(Phase phase, double seconds) {
  phase_ = phase;
  late_ = false;
  deadline_ = seconds > 0 ? server_.now() + 1 + static_cast<int64_t>(seconds * kTicks) : 0;
}

void Connection::look_at_the_clock(int64_t now) {
  if (deadline_ == 0 || now < deadline_) return;
  deadline_ = 0;
  late_ = true;
  transport_->cancel();
}

void Connection::end_if_idle(double seconds) {
  if (phase_ == Phase::idle) enter(Phase::idle, seconds);
}

void Connection::abort() {
  if (phase_ == Phase::answering) return;  // it waits for nothing that could be cancelled
  deadline_ = 0;
  late_ = false;
  transport_->cancel();
}

void Connection::begin_request() {
  parser_.begin();
  body_kind_ = Body::none;
  body_size_ = used_ = written_ = 0;
  body_.clear();
  refused_ = answered_ = owes_continue_ = close = false;
  method = target = body = {};
  headers = {};
  status = 200;
  content_type = "application/json";
  answer.clear();
  added_.clear();
  if (in_size_ > 0)
    enter(Phase::head, server_.limits().head_seconds);
  else
    enter(Phase::idle, server_.draining() ? server_.farewell_seconds()
                       : is_first_        ? server_.limits().head_seconds
                                          : server_.limits().idle_seconds);
  is_first_ = false;
}

// Goes from the head to the body as they come.
bool Connection::request_is_whole() {
  if (refused_) return true;
  if (phase_ != Phase::body) {
    if (in_size_ == 0) return false;
    if (phase_ == Phase::idle) enter(Phase::head, server_.limits().head_seconds);
    const bool whole = parser_.read_head({in_.data(), in_size_});
    if (parser_.rejection())
      refuse(parser_.rejection()->status, parser_.rejection()->what);
    else if (static_cast<int64_t>(whole ? parser_.head().size : in_size_) > server_.limits().head_bytes)
      refuse(431, "the header is too large");
    else if (!whole)
      return false;
    else
      begin_body();
  }
  return refused_ || body_is_whole();
}

std::span<char> Connection::room_for_more() {
  if (body_kind_ == Body::apart) {
    if (!make_room(1)) return {};
    const size_t room = body_.capacity() - kBodyPadding - body_.size();
    return {body_.data() + body_.size(), std::min(room, body_size_ - body_.size())};
  }
  if (in_size_ + kBodyPadding == in_.size()) {
    if (phase_ == Phase::body)
      refuse(400, "the chunked body is broken");  // a chunk's header that never ends
    else if (!hold(kFirstBuffer))
      refuse_for_now();
    else
      in_.resize(in_.size() + kFirstBuffer);
    if (refused_) return {};
  }
  return {in_.data() + in_size_, in_.size() - kBodyPadding - in_size_};
}

// What the last read brought; false: the client has gone.
bool Connection::came(Ended got) {
  if (!got.ok && late_ && phase_ == Phase::head)
    refuse(408, "the request's header did not come in time");
  else if (!got.ok && late_ && phase_ == Phase::body)
    refuse(408, "the request's body did not come in time");
  else if (body_kind_ == Body::apart)
    body_.grow(got.bytes);
  else
    in_size_ += got.bytes;
  return got.ok || refused_;
}

bool Connection::hold(int64_t bytes) {
  if (!server_.take_memory(bytes)) return false;
  held_ += bytes;
  return true;
}

// For so many bytes more of the body: it takes what has come, and as much again, not what is said to come.
bool Connection::make_room(size_t bytes) {
  const size_t needed = body_.size() + bytes + kBodyPadding;
  if (needed <= body_.capacity()) return true;
  const size_t said = body_size_ > 0 ? body_size_ : static_cast<size_t>(server_.limits().body_bytes);
  const size_t capacity =
      std::max(needed, std::min(said + kBodyPadding, std::max(kFirstBody, 2 * body_.capacity())));
  const auto more = static_cast<int64_t>(capacity - body_.capacity());
  if (more > server_.left_for_bodies() || !hold(more)) {
    refuse_for_now();
    return false;
  }
  body_.reserve(capacity);
  return true;
}

void Connection::begin_body() {
  const RequestHead& head = parser_.head();
  const auto most = static_cast<uint64_t>(server_.limits().body_bytes);
  used_ = head.size;
  if (head.length.value_or(0) > most) return refuse(413, "the body is too large");
  if (head.chunked) {
    body_kind_ = Body::chunks;
    const size_t wanted = head.size + kChunkRoom + kBodyPadding;
    if (in_.size() < wanted && !hold(static_cast<int64_t>(wanted - in_.size()))) return refuse_for_now();
    if (in_.size() < wanted) in_.resize(wanted);
  } else if (head.length.value_or(0) > 0) {
    body_size_ = static_cast<size_t>(*head.length);
    if (head.size + body_size_ + kBodyPadding <= in_.size()) {
      body_kind_ = Body::in_place;
      used_ += body_size_;
    } else {
      // It takes nothing yet, but who begins what cannot end now would keep others from ending.
      if (static_cast<int64_t>(body_size_) > server_.left_for_bodies()) return refuse_for_now();
      const size_t came = std::min(in_size_ - head.size, body_size_);
      if (!make_room(came)) return;
      body_kind_ = Body::apart;
      body_.append({in_.data() + head.size, came});
      used_ += came;
    }
  }
  enter(Phase::body, server_.limits().body_seconds);
  owes_continue_ = head.expects_continue;
}

bool Connection::body_is_whole() {
  if (body_kind_ == Body::none) return true;
  if (body_kind_ == Body::in_place) return in_size_ >= used_;
  if (body_kind_ == Body::apart) return body_.size() == body_size_;
  const size_t head = parser_.head().size;
  if (!make_room(in_size_ - head)) return true;
  const size_t used = parser_.read_chunks({in_.data() + head, in_size_ - head}, body_,
                                          static_cast<uint64_t>(server_.limits().body_bytes));
  std::memmove(in_.data() + head, in_.data() + head + used, in_size_ - head - used);
  in_size_ -= used;
  if (parser_.rejection()) refuse(parser_.rejection()->status, parser_.rejection()->what);
  return refused_ || parser_.body_is_whole();
}

void Connection::refuse_for_now() {
  add_header("Retry-After", "1");
  refuse(503, "too much is being sent at once");
}

void Connection::refuse(int code, std::string_view what) {
  refused_ = true;
  status = code;
  answer = what;
}

void Connection::hand_over() {
  enter(Phase::answering, 0);
  arrived = std::chrono::steady_clock::now();
  const RequestHead& head = parser_.head();
  const char* at = in_.data();
  method = head.method.in(at);
  target = behind_host(head.target.in(at));
  fields_.clear();
  for (const auto& [name, value] : head.fields) fields_.push_back({name.in(at), value.in(at)});
  headers = fields_;
  keep_alive_ = !refused_ && head.keep_alive;
  if (refused_) {
    const std::string what = std::exchange(answer, {});
    server_.handler().refuse(*this, what);
    answered_ = true;
    return;
  }
  if (body_kind_ == Body::in_place)
    body = {at + head.size, body_size_};
  else if (body_kind_ == Body::apart || body_kind_ == Body::chunks)
    body = {body_.data(), body_.size()};
  handling_ = true;
  server_.handler().handle(*this);
  handling_ = false;
}

std::string_view Connection::answer_body() const {
  return method == "HEAD" || status == 204 || status == 304 ? std::string_view() : std::string_view(answer);
}

void Connection::compose_head() {
  keep_alive_ = keep_alive_ && !close && !server_.draining();
  head_.clear();
  const auto into = std::back_inserter(head_);
  fmt::format_to(into, "HTTP/1.1 {} {}\r\n", status, reason_phrase(status));
  head_ += server_.date();
  if (status != 204 && status != 304)
    fmt::format_to(into, "Content-Type: {}\r\nContent-Length: {}\r\n", content_type, answer.size());
  head_ += added_;
  head_ += keep_alive_ ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n";
  enter(Phase::writing, server_.limits().answer_seconds);
}

void Connection::finish_request() {
  server_.handler().sent(*this, static_cast<int64_t>(written_));
  // What is left is the beginning of the next request.
  std::memmove(in_.data(), in_.data() + used_, in_size_ - std::min(used_, in_size_));
  in_size_ -= std::min(used_, in_size_);
  body_.clear();
  if (answer.capacity() > static_cast<size_t>(kKeptBufferBytes)) std::string().swap(answer);
  server_.give_memory(std::exchange(held_, 0));
  if (in_.size() > kFirstBuffer + kBodyPadding && in_size_ <= kFirstBuffer) {
    in_.resize(kFirstBuffer + kBodyPadding);
    in_.shrink_to_fit();
  }
}

}  // namespace shoestring::serve
