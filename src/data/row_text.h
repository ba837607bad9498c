// Rows of a table as text: CSV, TSV or JSON lines, cell by cell into a buffer. No file and no fault: what
// becomes of the text is the caller's (data/write.h writes it), so several threads may each make rows of
// their own.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace shoestring::data {

// arrays: a row is a JSON list of its cells.
enum class WriteKind { csv, jsonl, tsv, arrays };

// value / 10^places, with all its places; at most 18.
void append_decimal(std::string& out, int64_t value, int places);

// The text as a JSON string, in quotes.
void append_json(std::string& out, std::string_view text);

// A row is as many cells as there are names, then end_row().
class RowText {
 public:
  RowText(WriteKind kind, const std::vector<std::string>& names);

  void names();  // the first line of CSV and TSV; nothing of JSON

  void text(std::string_view value);
  void number(float value);  // shortest text that reads back to the same f32; NaN and infinity: null
  void number(double value);
  void integer(int64_t value);
  void decimal(int64_t value, int places);               // as append_decimal
  void null();                                           // CSV: an empty cell; JSON: null
  void numbers(const float* values, int count);          // one cell: a list "[0.1, 0.9]"; JSON: an array
  void texts(std::span<const std::string_view> values);  // one cell: a list ["a", "b"], as JSON has it
  void end_row();

  std::string_view view() const { return buffer_; }
  size_t size() const { return buffer_.size(); }
  void clear() { buffer_.clear(); }

 private:
  void begin_cell();
  void append(float value);
  void append_delimited(std::string_view text);
  bool is_json() const { return kind_ == WriteKind::jsonl || kind_ == WriteKind::arrays; }

  WriteKind kind_;
  char delimiter_;
  std::vector<std::string> names_;  // as written: quoted for CSV, or JSON with its colon
  std::string buffer_;
  size_t column_ = 0;

  // Answers say a probability several times in a row: the last few are kept as text.
  struct Written {
    float value = 0;
    uint8_t size = 0;  // 0: none yet
    std::array<char, 19> text;
  };
  std::array<Written, 16> recent_;
};

}  // namespace shoestring::data
