// Predictions on their way out: rows as text (data/row_text.h), through one buffer, to a file (whole or
// absent) or to stdout and other streams (data/output.h).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "data/output.h"
#include "data/row_text.h"

namespace shoestring::data {

// Writes a table row by row: as many cells as there are names, then end_row(). The first fault (disk
// full, a closed pipe) is kept, writing goes on into nothing, and finish() (or status()) reports it:
// so cells need no check each.
class RowWriter {
 public:
  // "-" is stdout. A regular file appears under its name at finish() only. A pipe or device is written
  // as rows come. CSV and TSV begin with the names.
  static Result<RowWriter> open(const std::string& path, WriteKind kind, std::vector<std::string> names);

  void text(std::string_view value) { rows_.text(value); }
  void number(float value) { rows_.number(value); }
  void number(double value) { rows_.number(value); }
  void integer(int64_t value) { rows_.integer(value); }
  void null() { rows_.null(); }
  void numbers(const float* values, int count) { rows_.numbers(values, count); }
  void end_row() {
    rows_.end_row();
    written();
  }

  // Rows that were made elsewhere, from no_rows() on.
  void add(const RowText& rows);
  RowText no_rows() const;
  // For whole rows: what is put here becomes the next of the table. Call written() after each row or few.
  RowText& rows() { return rows_; }
  void written();

  // Hands what is buffered to the system: after each batch when a reader waits at the other end.
  Status flush();
  Status status() const { return output_.status(); }
  // Flushes, syncs and names the file. `durable` false skips the sync: for what can be made again.
  Status finish(bool durable = true);

 private:
  RowWriter(Output output, RowText rows) : output_(std::move(output)), rows_(std::move(rows)) {}
  Output output_;
  RowText rows_;
};

}  // namespace shoestring::data
