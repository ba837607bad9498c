#include "serve/http_module/request_parser.h"

#include <boost/beast/http/basic_parser.hpp>
#include <limits>

namespace shoestring::serve {
namespace {

namespace http = boost::beast::http;
using boost::beast::string_view;
using boost::system::error_code;

// Takes down where things lie instead of copying them.
class Parser final : public http::basic_parser<true> {
 public:
  Parser(RequestHead& head, std::optional<Rejection>& rejection) : head_(head), rejection_(rejection) {
    header_limit(std::numeric_limits<uint32_t>::max());  // the connection's buffer has a limit
    body_limit(boost::none);
  }
  const char* base = nullptr;  // of the text that is parsed
  size_t base_size = 0;
  BodyBuffer* body = nullptr;  // where chunks go
  uint64_t most_bytes = 0;

 private:
  bool place(string_view text, Piece& piece) {
    // A field that is folded over lines is put together elsewhere: RFC 9112 lets a server turn it down.
    if (text.size() != 0 && (text.data() < base || text.data() + text.size() > base + base_size))
      return false;
    piece = {text.size() == 0 ? 0 : static_cast<uint32_t>(text.data() - base),
             static_cast<uint32_t>(text.size())};
    return true;
  }
  void refuse(int status, const char* what, error_code& error) {
    rejection_ = Rejection{status, what};
    error = http::error::bad_field;
  }

  void on_request_impl(http::verb, string_view method, string_view target, int version,
                       error_code& error) override {
    needs_host_ = version == 11;
    if (!place(method, head_.method) || !place(target, head_.target))
      refuse(400, "the request line is broken", error);
  }
  void on_field_impl(http::field field, string_view name, string_view value, error_code& error) override {
    if (is_header_done()) return;  // trailers say nothing to us
    if (head_.fields.size() == RequestParser::kMostFields)
      return refuse(431, "too many header fields", error);
    auto& [name_piece, value_piece] = head_.fields.emplace_back();
    if (!place(name, name_piece) || !place(value, value_piece))
      return refuse(400, "a header field is folded over several lines", error);
    switch (field) {
      case http::field::host:
        ++hosts_;
        break;
      case http::field::content_length:
        ++lengths_;
        break;
      case http::field::transfer_encoding:
        ++codings_;
        if (!boost::beast::iequals(value, "chunked"))
          return refuse(501, "of transfer codings only 'chunked' is known", error);
        break;
      case http::field::expect:
        head_.expects_continue = boost::beast::iequals(value, "100-continue");
        break;
      default:
        break;
    }
  }
  void on_body_init_impl(boost::optional<std::uint64_t> const&, error_code&) override {}
  std::size_t on_body_impl(string_view text, error_code&) override { return text.size(); }
  void on_chunk_header_impl(std::uint64_t size, string_view, error_code& error) override {
    if (size > most_bytes || body->size() > most_bytes - size) refuse(413, "the body is too large", error);
  }
  std::size_t on_chunk_body_impl(std::uint64_t, string_view text, error_code& error) override {
    if (body->size() + text.size() > most_bytes)
      refuse(413, "the body is too large", error);
    else
      body->append({text.data(), text.size()});
    return text.size();
  }
  void on_header_impl(error_code& error) override {
    if (codings_ > 1 || (codings_ > 0 && lengths_ > 0))
      return refuse(400, "both a length and a transfer coding", error);
    if (hosts_ > 1 || (needs_host_ && hosts_ == 0))
      return refuse(400, "a request names exactly one host", error);
  }
  void on_response_impl(int, string_view, int, error_code&) override {}
  void on_finish_impl(error_code&) override {}

  RequestHead& head_;
  std::optional<Rejection>& rejection_;
  bool needs_host_ = true;
  int hosts_ = 0, lengths_ = 0, codings_ = 0;
};

Rejection rejection_of(const error_code& error) {
  if (error == http::error::bad_version) return {505, "only HTTP/1.0 and HTTP/1.1 are spoken here"};
  if (error == http::error::header_limit) return {431, "the header is too large"};
  if (error == http::error::bad_content_length || error == http::error::multiple_content_length)
    return {400, "Content-Length is no length"};
  if (error == http::error::bad_chunk || error == http::error::bad_chunk_extension)
    return {400, "the chunked body is broken"};
  return {400, "this is no HTTP request"};
}

}  // namespace

struct RequestParser::State {
  RequestHead head;
  std::optional<Rejection> rejection;
  std::optional<Parser> parser;
};

RequestParser::RequestParser() : state_(std::make_unique<State>()) { begin(); }
RequestParser::~RequestParser() = default;

void RequestParser::begin() {
  RequestHead& head = state_->head;
  head.fields.clear();
  head.size = 0;
  head.length.reset();
  head.chunked = head.keep_alive = head.expects_continue = false;
  head.method = head.target = {};
  state_->rejection.reset();
  state_->parser.emplace(head, state_->rejection);
}

bool RequestParser::read_head(std::string_view text) {
  Parser& parser = *state_->parser;
  RequestHead& head = state_->head;
  parser.base = text.data();
  parser.base_size = text.size();
  error_code error;
  head.size += parser.put({text.data() + head.size, text.size() - head.size}, error);
  if (error == http::error::need_more) return false;
  if (error) {
    if (!state_->rejection) state_->rejection = rejection_of(error);
    return false;
  }
  if (!parser.is_header_done()) return false;
  head.chunked = parser.chunked();
  head.keep_alive = parser.keep_alive();
  if (const auto length = parser.content_length()) head.length = *length;
  return true;
}

size_t RequestParser::read_chunks(std::string_view text, BodyBuffer& body, uint64_t most_bytes) {
  Parser& parser = *state_->parser;
  parser.body = &body;
  parser.most_bytes = most_bytes;
  size_t used = 0;
  while (used < text.size() && !parser.is_done()) {
    error_code error;
    const size_t taken = parser.put({text.data() + used, text.size() - used}, error);
    used += taken;
    if (error == http::error::need_more) break;
    if (error) {
      if (!state_->rejection) state_->rejection = rejection_of(error);
      break;
    }
    if (taken == 0) break;
  }
  return used;
}

const RequestHead& RequestParser::head() const { return state_->head; }
bool RequestParser::body_is_whole() const { return state_->parser->is_done(); }
const std::optional<Rejection>& RequestParser::rejection() const { return state_->rejection; }

}  // namespace shoestring::serve
