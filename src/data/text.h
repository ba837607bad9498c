// A table's bytes as UTF-8 text, whatever encoding they are in, in a stream.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "data/bytes.h"

namespace shoestring::data {

enum class Encoding { utf8, utf16le, utf16be, windows1252, gb18030 };
std::string_view to_string(Encoding encoding);  // "UTF-16LE", as iconv has it

// What the bytes are, found by looking: the sample may end within a character.
//   UTF-16       every second byte of many is zero and no other is
//   UTF-8        they are valid, or what is valid outweighs what is not (the text is damaged)
//   GB18030      they are valid, and most characters are among the 3,755 usual ones
//   Windows-1252 (Latin-1) no control characters, and accents are the exception among letters
// Nothing where none fits.
std::optional<Encoding> find_encoding(std::string_view sample);

// Takes a source whose first bytes were looked at: `head` comes before what it still holds. As long as all
// is ASCII nothing is decided; the first other byte decides, by what follows it.
class TextSource {
 public:
  // `known`: what an earlier reading of the same bytes found.
  TextSource(std::unique_ptr<ByteSource> bytes, std::string head, std::string name,
             std::optional<Encoding> known = {});
  ~TextSource();

  // As ByteSource::read, of UTF-8 without a byte order mark. What is no UTF-8 and nothing else either is
  // handed out as it is. ErrorKind::data with the line for what is not in the encoding found.
  Result<int64_t> read(char* out, int64_t capacity);

  Compression compression() const { return bytes_->compression(); }
  Encoding encoding() const { return encoding_.value_or(Encoding::utf8); }
  bool bom() const { return bom_; }  // of UTF-8
  // What a user should know of the encoding, once.
  std::optional<std::string> take_note();

 private:
  class Converter;

  Result<int64_t> read_raw(char* out, int64_t capacity);
  Result<int64_t> read_converted(char* out, int64_t capacity);
  Result<int64_t> decide(char* out, int64_t ascii, int64_t filled, int64_t capacity);

  std::unique_ptr<ByteSource> bytes_;
  std::string raw_;  // read and not handed out yet
  std::string name_;
  std::optional<Encoding> encoding_;  // decided
  std::unique_ptr<Converter> converter_;
  int64_t lines_ = 0;  // before what is converted
  bool bom_ = false, noted_ = false;
};

// Opens a file and decodes it as an earlier reading did.
Result<std::unique_ptr<TextSource>> open_text(const std::string& path, Encoding known);

// The place of the first byte that cannot be text (a zero, or no UTF-8), or npos.
size_t first_bad_byte(std::string_view text);

int64_t count_newlines(std::string_view text);

}  // namespace shoestring::data
