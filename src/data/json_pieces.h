// Cuts JSON text into the objects that are a table's rows, without reading what is in them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace shoestring::data {

struct JsonPiece {
  // part: it goes on behind the text. wrong: what stands at `begin` is no object where one belongs.
  enum What { object, end, part, wrong } what;
  size_t begin, size;  // of the object
  size_t next;         // where to look on; after `part`, with more text behind
};

// One object a line, or an array of objects. Takes text in windows: each call continues at the place that
// the last one named.
class JsonPieces {
 public:
  explicit JsonPieces(bool lines) : lines_(lines) {}

  // `whole`: nothing comes behind the text.
  JsonPiece next(std::string_view text, size_t at, bool whole) {
    return lines_ ? next_line(text, at, whole) : next_element(text, at, whole);
  }

 private:
  static JsonPiece next_line(std::string_view text, size_t at, bool whole);
  JsonPiece next_element(std::string_view text, size_t at, bool whole);

  bool lines_;
  bool inside_ = false;     // behind the array's opening bracket
  bool after_one_ = false;  // behind an element
};

// The first place from `at` on that is no white space; the text's size if there is none.
size_t skip_json_space(std::string_view text, size_t at);

// Behind the value (a string, list, object or word) that begins at `at`; npos if the text ends within it.
size_t end_of_json_value(std::string_view text, size_t at);

// How deep lists and objects stand in one another, at most, and the members of the outermost.
struct JsonExtent {
  int nesting = 0;
  int64_t members = 0;
};
JsonExtent json_extent(std::string_view text);
inline constexpr int kDeepestJson = 100;  // writing deeper ones again would take a stack as deep

}  // namespace shoestring::data
