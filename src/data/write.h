// Predictions on their way out: CSV or JSON lines, to a file (whole or absent) or to stdout and other
// streams, through one buffer.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace shoestring::data {

enum class WriteKind { csv, jsonl };

// Writes a table row by row: as many cells as there are names, then end_row(). The first fault (disk
// full, a closed pipe) is kept, writing goes on into nothing, and finish() (or status()) reports it:
// so cells need no check each.
class RowWriter {
 public:
  // "-" is stdout. A regular file appears under its name at finish() only. A pipe or device is written
  // as rows come. CSV begins with the names.
  static Result<RowWriter> open(const std::string& path, WriteKind kind, std::vector<std::string> names);
  RowWriter(RowWriter&&) noexcept;
  RowWriter& operator=(RowWriter&&) noexcept;
  ~RowWriter();  // without finish() a regular file is dropped

  void text(std::string_view value);
  void number(float value);  // shortest text that reads back to the same f32; NaN and infinity: null
  void number(double value);
  void integer(int64_t value);
  void null();                                   // CSV: an empty cell; JSON: null
  void numbers(const float* values, int count);  // one cell: a list "[0.1, 0.9]"; JSON: an array
  void end_row();

  // Hands what is buffered to the system: after each batch when a reader waits at the other end.
  Status flush();
  Status status() const;
  // Flushes, syncs and names the file. `durable` false skips the sync: for what can be made again.
  Status finish(bool durable = true);

 private:
  struct State;
  explicit RowWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace shoestring::data
