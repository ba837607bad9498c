// The PNM family: PBM, PGM and PPM (P1 to P6, as text and binary) and PAM (P7).
#include <fmt/format.h>

#include <cctype>
#include <charconv>

#include "data/picture_formats.h"

namespace shoestring::data {
namespace {

struct Header {
  char kind = '5';  // of "P5"
  int64_t width = 0, height = 0, depth = 1, most = 1;
  size_t pixels_at = 0;

  bool text() const { return kind <= '3'; }
  bool bits() const { return kind == '1' || kind == '4'; }
};

// Words parted by white space; "#" begins a comment up to the line's end.
class Words {
 public:
  Words(EncodedPicture bytes, size_t at) : bytes_(bytes), at_(at) {}

  std::string_view next() {
    skip();
    const size_t begin = at_;
    while (at_ < bytes_.size() && std::isspace(here()) == 0) ++at_;
    return {reinterpret_cast<const char*>(bytes_.data()) + begin, at_ - begin};
  }
  // A number that begins here; of a text PBM a single digit. -1: none.
  int64_t number(bool digit = false) {
    skip();
    int64_t value = -1;
    for (int digits = 0; at_ < bytes_.size() && std::isdigit(here()) != 0 && digits < 9; ++digits) {
      value = 10 * std::max<int64_t>(value, 0) + (here() - '0');
      ++at_;
      if (digit) break;
    }
    return value;
  }
  size_t at() const { return at_; }

 private:
  int here() const { return static_cast<int>(bytes_[at_]); }
  void skip() {
    for (; at_ < bytes_.size(); ++at_) {
      if (here() == '#')
        while (at_ + 1 < bytes_.size() && here() != '\n') ++at_;
      else if (std::isspace(here()) == 0)
        return;
    }
  }

  EncodedPicture bytes_;
  size_t at_;
};

bool read_pam(Words& words, Header& header) {
  for (std::string_view key = words.next(); key != "ENDHDR"; key = words.next()) {
    if (key.empty()) return false;
    if (key == "TUPLTYPE") {
      words.next();
      continue;
    }
    const int64_t value = words.number();
    if (value < 0) return false;
    (key == "WIDTH"    ? header.width
     : key == "HEIGHT" ? header.height
     : key == "DEPTH"  ? header.depth
                       : header.most) = value;
  }
  return header.depth >= 1 && header.depth <= 4;
}

Result<Header> read_header(EncodedPicture bytes) {
  Header header{.kind = static_cast<char>(byte_at(bytes, 1))};
  Words words(bytes, 2);
  const auto damaged = [] { return broken_picture("the PNM's header is damaged"); };
  if (header.kind == '7') {
    if (!read_pam(words, header)) return damaged();
  } else {
    header.width = words.number();
    header.height = words.number();
    if (!header.bits()) header.most = words.number();
    header.depth = header.kind == '3' || header.kind == '6' ? 3 : 1;
  }
  if (header.width <= 0 || header.height <= 0 || header.most < 1 || header.most > 65535) return damaged();
  header.pixels_at = words.at() + 1;  // one white space
  return header;
}

uint8_t scaled(int64_t value, int64_t most) {
  return static_cast<uint8_t>((std::min(value, most) * 255 + most / 2) / most);
}

Failure ends_early() { return broken_picture("the PNM ends early"); }

Status read_text(EncodedPicture bytes, const Header& header, std::span<uint8_t> out) {
  Words words(bytes, header.pixels_at);
  for (uint8_t& value : out) {
    const int64_t number = words.number(header.bits());
    if (number < 0) return ends_early();
    value = header.bits() ? (number == 0 ? 255 : 0) : scaled(number, header.most);
  }
  return {};
}

Status read_bits(EncodedPicture bytes, const Header& header, std::span<uint8_t> out) {
  const auto stride = static_cast<size_t>(header.width + 7) / 8;
  if (bytes.size() < header.pixels_at ||
      (bytes.size() - header.pixels_at) / stride < static_cast<size_t>(header.height))
    return ends_early();
  size_t at = 0;
  for (int64_t y = 0; y < header.height; ++y) {
    const size_t row = header.pixels_at + static_cast<size_t>(y) * stride;
    for (int64_t x = 0; x < header.width; ++x) {
      const uint32_t eight = byte_at(bytes, row + static_cast<size_t>(x) / 8);
      out[at++] = (eight >> (7 - x % 8) & 1) != 0 ? 0 : 255;
    }
  }
  return {};
}

}  // namespace

Result<PictureInfo> look_at_pnm(EncodedPicture bytes) {
  const auto header = read_header(bytes);
  if (!header) return fail(header.error());
  return PictureInfo{.format = PictureFormat::pnm,
                     .height = header->height,
                     .width = header->width,
                     .channels = static_cast<int>(header->depth),
                     .bits = header->bits()       ? 1
                             : header->most > 255 ? 16
                                                  : 8};
}

Status decode_pnm(EncodedPicture bytes, std::span<uint8_t> out) {
  const auto header = read_header(bytes);
  if (!header) return fail(header.error());
  if (header->text()) return read_text(bytes, *header, out);
  if (header->bits()) return read_bits(bytes, *header, out);
  const size_t wide = header->most > 255 ? 2 : 1;
  if (bytes.size() < header->pixels_at || bytes.size() - header->pixels_at < out.size() * wide)
    return ends_early();
  const auto* from = reinterpret_cast<const uint8_t*>(bytes.data()) + header->pixels_at;
  if (header->most == 255) {
    std::copy_n(from, out.size(), out.begin());
  } else {
    for (size_t i = 0; i < out.size(); ++i)
      out[i] = scaled(wide == 1 ? from[i] : from[2 * i] << 8 | from[2 * i + 1], header->most);
  }
  return {};
}

}  // namespace shoestring::data
