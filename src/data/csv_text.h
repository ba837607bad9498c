// The grammar of CSV, in the same reading as Arrow's parser, for what is looked at before that parser
// runs (the sample that tells the format, the header) and for finding a row's line afterwards.
//   A quote counts at the start of a cell only; inside quotes it is doubled; what follows the closing
//   quote belongs to the cell. Lines end in LF, CR or CRLF. Blank lines are no records.
#pragma once

#include <cstdint>
#include <string_view>

namespace shoestring::data {

struct CsvRecord {
  int cells = 0;
  int64_t line = 0;  // where it begins, from 1
  int64_t end = 0;   // offset behind its line end (before the LF of a CRLF) in all that was fed
};

// Takes text in pieces of any size and tells a sink of
//   character(char)          each character of a cell's value
//   cell_end(bool quoted)    each cell
//   record_end(CsvRecord)    each record
class CsvScanner {
 public:
  CsvScanner(char delimiter, char quote, int64_t first_line = 1)
      : delimiter_(delimiter), quote_(quote), line_(first_line), record_line_(first_line) {}

  template <class Sink>
  void feed(std::string_view text, Sink&& sink) {
    for (const char c : text) {
      ++offset_;
      const bool second_of_crlf = c == '\n' && previous_ == '\r';
      const bool line_end = c == '\n' || c == '\r';
      previous_ = c;
      if (line_end && !second_of_crlf) ++line_;
      if (state_ == State::quoted) {
        if (c == quote_)
          state_ = State::quote_seen;
        else
          sink.character(c);
      } else if (line_end) {
        if (state_ != State::record_start) end_record(sink);
        record_line_ = line_;
      } else if (c == delimiter_) {
        end_cell(sink);
        state_ = State::cell_start;
      } else if (c == quote_ && quote_ != 0 && state_ != State::plain) {
        if (state_ == State::quote_seen)
          sink.character(c);  // doubled
        else
          quote_line_ = line_;
        cell_is_quoted_ = true;
        state_ = State::quoted;
      } else {
        sink.character(c);
        state_ = State::plain;
      }
    }
  }

  // The end of the text: a last record without a line end, if there is one.
  template <class Sink>
  void finish(Sink&& sink) {
    if (state_ != State::record_start) end_record(sink);
  }

  int64_t record_line() const { return record_line_; }  // of the record that has not ended
  // The line on which a quote was opened that is not closed yet; 0 if there is none.
  int64_t open_quote_line() const { return state_ == State::quoted ? quote_line_ : 0; }

 private:
  enum class State { record_start, cell_start, plain, quoted, quote_seen };

  template <class Sink>
  void end_cell(Sink& sink) {
    sink.cell_end(cell_is_quoted_);
    cell_is_quoted_ = false;
    ++cells_;
  }
  template <class Sink>
  void end_record(Sink& sink) {
    end_cell(sink);
    sink.record_end(CsvRecord{cells_, record_line_, offset_});
    cells_ = 0;
    state_ = State::record_start;
  }

  char delimiter_, quote_, previous_ = 0;
  State state_ = State::record_start;
  bool cell_is_quoted_ = false;
  int cells_ = 0;
  int64_t line_, record_line_, quote_line_ = 0, offset_ = 0;
};

}  // namespace shoestring::data
