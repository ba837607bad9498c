// The only place that prints. Answers go to stdout, errors to stderr as "shoestring: WHERE: WHAT; FIX".
#pragma once

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/log.h"

namespace shoestring::cli {

// Writes to stdout as it is.
void print(std::string_view text);

// Hands on what stdout holds back. ErrorKind::machine where this write or an earlier one failed: a full disk,
// a reader that has gone. A verb does its work all the same; main asks at the end.
Status flush_output();

// Prints the error; returns the exit code.
int report(const Error& error);

// Text broken at spaces into lines of at most `width` columns; all but the first begin with `indent` blanks.
std::string wrapped(std::string_view text, size_t width, size_t indent);

// Columns of the terminal that the stream leads to; a very large number where it leads elsewhere.
size_t terminal_columns(std::FILE* stream);

// Columns for a text to read on stdout: the terminal's, at most 100, or 80 where there is none.
size_t reading_columns();

// Columns aligned by their widest cell, numbers to the right; the first row is the head.
std::string table(const std::vector<std::vector<std::string>>& rows);

// How a verb talks while it works: to people on a terminal, plain lines elsewhere, JSON lines for
// programs, or not at all.
class Console {
 public:
  enum class Mode { people, json, quiet };
  // Human words go to stderr where stdout carries the answer itself (`to_stderr`).
  Console(bool quiet, bool json, bool to_stderr = false);

  bool json() const { return mode_ == Mode::json; }
  bool quiet() const { return mode_ == Mode::quiet; }
  bool terminal() const { return terminal_; }

  void line(std::string_view text = "");  // people only
  // Prose, broken at spaces into lines of at most 100 columns and never wider than the terminal; all but the
  // first begin with `indent` blanks.
  void paragraph(std::string_view text, size_t indent = 0);
  // The same, but one line elsewhere than on a terminal: for what programs look for.
  void sentence(std::string_view text, size_t indent = 0);
  void event(std::string_view json);  // one JSON line; programs only
  // A line that the next one replaces; on a terminal only. Where it is too narrow for all fields, the later
  // ones are left out first, but never the last.
  void progress(std::vector<std::string> fields);
  // For the library: notes and warnings as lines, or as {"event": "note", "text": …}.
  LogSink sink();

 private:
  void clear();
  void wrap(std::string_view text, size_t width, size_t indent);
  Mode mode_;
  std::FILE* stream_;
  bool terminal_;
  bool progress_shown_ = false;
};

std::string quoted(std::string_view text);  // as a JSON string

}  // namespace shoestring::cli
