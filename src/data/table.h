// Tables as streams of record batches. Memory is bounded whatever the file's size: one block of text
// and the batch made of it.
//
//   auto reader = open_table("adult.csv");
//   while (true) {
//     auto batch = (*reader)->next();         // Result<std::optional<RecordBatch>>
//     if (!batch) return fail(batch.error());
//     if (!*batch) break;                     // the end
//     ... (*batch)->column(3)[0] ...
//   }
//
// What a file is (delimiter, header, quotes, compression) is found by looking at its first 64 KiB; each
// finding can be set. Rows with too few or too many cells are counted, named and left out.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "data/batch.h"

namespace shoestring::data {

enum class TableKind { csv, jsonl };

struct TableFormat {
  TableKind kind = TableKind::csv;
  char delimiter = ',';
  char quote = '"';  // 0: no quoting
  bool header = true;
  bool gzip = false;
  bool bom = false;
};

struct ReadOptions {
  // Set by the caller; what is left out is found by looking.
  std::optional<TableKind> kind;
  std::optional<char> delimiter;
  std::optional<bool> header;
  // Names that the recipe or the model asks for: a first row that holds one of them is a header, one
  // that holds none of them never is if these are all "column_N".
  std::vector<std::string> expected_names;
  // Text read at a time. A row must fit in it.
  int64_t block_bytes = 1 << 20;
  // The share of ragged rows (and, for the parse layer, of bad cells) above which it is an error.
  double tolerance = 0.05;
};

// "csv", "tsv" or "jsonl" as --data_format has it ("auto" and "" set nothing). An unknown word is a
// usage error that names the nearest.
Status set_data_format(std::string_view word, ReadOptions& options);

// Rows with another number of cells than the table has columns. They are left out.
struct RaggedRows {
  int64_t count = 0;
  int64_t first_line = 0;  // in the file, from 1
  int expected_cells = 0, first_cells = 0;
  // "3 rows left out: line 17 has 4 cells where 5 were expected", "" if there are none.
  std::string message() const;
};

class TableReader {
 public:
  virtual ~TableReader() = default;

  // The next rows, or nothing at the end. At the end, too many ragged rows are an error. After an
  // error or the end the answer stays the same kind: do not call again.
  virtual Result<std::optional<RecordBatch>> next() = 0;

  // The line in the file, from 1, where a row begins. Reads the file again up to there (for stdin it
  // is remembered), so it is meant for errors.
  virtual int64_t line_of(int64_t row) = 0;

  // "data.csv:17", for Error::where.
  std::string place(int64_t row) { return path_ + ":" + std::to_string(line_of(row)); }

  const std::string& path() const { return path_; }  // "stdin" for "-"
  const TableFormat& format() const { return format_; }
  const std::vector<std::string>& names() const { return names_; }
  // -1 where the table has no such column.
  int index_of(std::string_view name) const;
  const RaggedRows& ragged() const { return ragged_; }
  // What was decided for the user: "no header row: columns are named column_1 to column_15", a name
  // that occurred twice and what it is now, …
  const std::vector<std::string>& notes() const { return notes_; }
  // Rows handed out so far.
  int64_t rows() const { return rows_; }

 protected:
  std::string path_;
  TableFormat format_;
  std::vector<std::string> names_, notes_;
  RaggedRows ragged_;
  int64_t rows_ = 0;
};

// Opens a file, or stdin for "-". CSV of any delimiter, TSV, JSON lines; plain or .gz (told by its
// first bytes, not by its name). ErrorKind::data with place and fix for: no such file, a folder, empty,
// a header only, not text (and what it is instead), UTF-16 or not UTF-8, a damaged .gz.
Result<std::unique_ptr<TableReader>> open_table(const std::string& path, ReadOptions options = {});

}  // namespace shoestring::data
