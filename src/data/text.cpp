#include "data/text.h"

#include <fmt/format.h>
#include <iconv.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace shoestring::data {
namespace {

constexpr size_t kLookBytes = 64 << 10;     // that an encoding is found by,
constexpr int64_t kContextBytes = 4 << 10;  // and what stands before them
constexpr std::string_view kMark = "\xEF\xBB\xBF";

// Bytes before the first that is not ASCII.
int64_t ascii_prefix(std::string_view text) {
  size_t at = 0;
  for (uint64_t word; at + sizeof word <= text.size(); at += sizeof word) {
    std::memcpy(&word, text.data() + at, sizeof word);
    if ((word & 0x8080808080808080) != 0) break;
  }
  while (at < text.size() && static_cast<unsigned char>(text[at]) < 0x80) ++at;
  return static_cast<int64_t>(at);
}

}  // namespace

// The C library's iconv, to UTF-8. What it made and had no room for waits in `ready`.
class TextSource::Converter {
 public:
  explicit Converter(Encoding from) : handle_(::iconv_open("UTF-8", std::string(to_string(from)).c_str())) {}
  Converter(const Converter&) = delete;
  Converter& operator=(const Converter&) = delete;
  ~Converter() {
    if (works()) ::iconv_close(handle_);
  }
  bool works() const { return handle_ != reinterpret_cast<iconv_t>(-1); }

  // Converts what it can of `raw` behind `ready`; false where raw begins with what cannot be converted. A
  // part of a character stays in `raw`.
  bool convert(std::string& raw) {
    char* in = raw.data();
    size_t left = raw.size();
    while (left > 0) {
      const size_t have = ready.size(), room = 4 * left + 16;
      ready.resize(have + room);
      char* out = ready.data() + have;
      size_t free = room;
      const size_t result = ::iconv(handle_, &in, &left, &out, &free);
      ready.resize(have + room - free);
      if (result != static_cast<size_t>(-1)) break;
      if (errno == EINVAL) break;  // cut
      if (errno != E2BIG || free == room) {
        raw.erase(0, raw.size() - left);
        return false;
      }
    }
    raw.erase(0, raw.size() - left);
    return true;
  }

  std::string ready;
  size_t ready_at = 0;  // what is before it was handed out
  bool begun = false;

 private:
  iconv_t handle_;
};

TextSource::TextSource(std::unique_ptr<ByteSource> bytes, std::string head, std::string name,
                       std::optional<Encoding> known)
    : bytes_(std::move(bytes)), raw_(std::move(head)), name_(std::move(name)), encoding_(known) {
  if (raw_.starts_with(kMark)) {
    bom_ = true;
    raw_.erase(0, kMark.size());
    encoding_ = Encoding::utf8;
  }
  if (encoding_) return;
  const auto found = find_encoding(std::string_view(raw_).substr(0, kLookBytes));
  if (found == Encoding::utf16le || found == Encoding::utf16be) encoding_ = found;
}

TextSource::~TextSource() = default;

Result<int64_t> TextSource::read_raw(char* out, int64_t capacity) {
  const int64_t held = std::min(capacity, static_cast<int64_t>(raw_.size()));
  std::memcpy(out, raw_.data(), static_cast<size_t>(held));
  raw_.erase(0, static_cast<size_t>(held));
  if (held == capacity) return held;
  const auto more = bytes_->read(out + held, capacity - held);
  if (!more) return more;
  return held + *more;
}

// The bytes of `out` from `ascii` on are not ASCII: what are they? They go back, and come again as text.
Result<int64_t> TextSource::decide(char* out, int64_t ascii, int64_t filled, int64_t capacity) {
  raw_.insert(0, out + ascii, static_cast<size_t>(filled - ascii));
  if (filled == capacity && raw_.size() < kLookBytes) {
    const size_t have = raw_.size();
    raw_.resize(kLookBytes);
    const auto more = bytes_->read(raw_.data() + have, static_cast<int64_t>(kLookBytes - have));
    raw_.resize(have + static_cast<size_t>(more.value_or(0)));
    if (!more) return more;
  }
  const int64_t before = std::min(ascii, kContextBytes);
  std::string sample(out + ascii - before, static_cast<size_t>(before));
  sample += std::string_view(raw_).substr(0, kLookBytes);
  encoding_ = find_encoding(sample).value_or(Encoding::utf8);
  const auto rest = encoding_ == Encoding::utf8 ? read_raw(out + ascii, capacity - ascii)
                                                : read_converted(out + ascii, capacity - ascii);
  if (!rest) return rest;
  return ascii + *rest;
}

Result<int64_t> TextSource::read_converted(char* out, int64_t capacity) {
  if (!converter_) converter_ = std::make_unique<Converter>(*encoding_);
  Converter& c = *converter_;
  const auto where = [&] { return fmt::format("{}:{}", name_, 1 + lines_ + count_newlines(c.ready)); };
  if (!c.works())
    return fail(ErrorKind::machine, fmt::format("this system cannot convert {}", to_string(*encoding_)),
                name_, "convert the file to UTF-8 elsewhere");
  int64_t produced = 0;
  while (produced < capacity) {
    if (c.ready_at < c.ready.size()) {
      const int64_t n = std::min(capacity - produced, static_cast<int64_t>(c.ready.size() - c.ready_at));
      std::memcpy(out + produced, c.ready.data() + c.ready_at, static_cast<size_t>(n));
      c.ready_at += static_cast<size_t>(n);
      produced += n;
      continue;
    }
    lines_ += count_newlines(c.ready);
    c.ready.clear();
    c.ready_at = 0;
    if (!c.convert(raw_))
      return fail(ErrorKind::data,
                  fmt::format("the text seems to be {}, but byte 0x{:02x} is not", to_string(*encoding_),
                              static_cast<unsigned char>(raw_.front())),
                  where(), "convert the file to UTF-8: iconv -f ENCODING -t utf-8 FILE > NEW");
    if (!c.begun && c.ready.starts_with(kMark)) c.ready_at = kMark.size();
    c.begun = c.begun || !c.ready.empty();
    if (!c.ready.empty()) continue;
    const size_t have = raw_.size();
    raw_.resize(have + kLookBytes);
    const auto more = bytes_->read(raw_.data() + have, kLookBytes);
    raw_.resize(have + static_cast<size_t>(more.value_or(0)));
    if (!more) return more;
    if (*more > 0) continue;
    if (raw_.empty()) break;
    return fail(
        ErrorKind::data,
        fmt::format("the {} text ends within a character: a part of it is missing", to_string(*encoding_)),
        where(), "copy or download it again");
  }
  return produced;
}

Result<int64_t> TextSource::read(char* out, int64_t capacity) {
  if (encoding_)
    return *encoding_ == Encoding::utf8 ? read_raw(out, capacity) : read_converted(out, capacity);
  const auto filled = read_raw(out, capacity);
  if (!filled) return filled;
  const int64_t ascii = ascii_prefix({out, static_cast<size_t>(*filled)});
  lines_ += count_newlines({out, static_cast<size_t>(ascii)});
  if (ascii == *filled) return filled;
  return decide(out, ascii, *filled, capacity);
}

std::optional<std::string> TextSource::take_note() {
  if (noted_ || encoding() == Encoding::utf8) return {};
  noted_ = true;
  return fmt::format("the text is taken for {}; if it is not, convert it to UTF-8 first",
                     encoding() == Encoding::windows1252 ? "Windows-1252 (Latin-1)" : to_string(encoding()));
}

Result<std::unique_ptr<TextSource>> open_text(const std::string& path, Encoding known) {
  auto bytes = ByteSource::open(path);
  if (!bytes) return fail(std::move(bytes.error()));
  std::string head(kMark.size(), '\0');
  const auto n = (*bytes)->read(head.data(), static_cast<int64_t>(head.size()));
  if (!n) return fail(n.error());
  head.resize(static_cast<size_t>(*n));
  return std::make_unique<TextSource>(std::move(*bytes), std::move(head), path, known);
}

}  // namespace shoestring::data
