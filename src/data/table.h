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
// What a file is (kind, delimiter, header, quotes, compression, encoding) is found by looking at its first
// 64 KiB. Rows with too few or too many cells are counted, named and left out.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "data/batch.h"
#include "data/text.h"

namespace shoestring::data {

class PictureFiles;

// json: an array of objects, or an object of columns. feather: Arrow's IPC format, as a file or a stream.
// pictures: a folder, an archive or a file of pictures (data/picture_source.h).
enum class TableKind { csv, jsonl, json, parquet, feather, sqlite, pictures };

struct TableFormat {
  TableKind kind = TableKind::csv;
  char delimiter = ',';
  char quote = '"';  // 0: no quoting
  bool header = true;
  Compression compression = Compression::none;
  Encoding encoding = Encoding::utf8;
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
  // Columns that rows of JSON may lack, as keys do where there is no value: they are read as missing values.
  std::vector<std::string> may_lack;
  // Text read at a time. A row must fit in it.
  int64_t block_bytes = 1 << 20;
  // The share of ragged rows (and, for the parse layer, of bad cells) above which it is an error.
  double tolerance = 0.05;
};

// "csv", "tsv", "json", "jsonl", "parquet", "feather" or "sqlite" as --data_format has it ("auto" and "" set
// nothing). A format that Ludwig reads and this program does not is a usage error with the way out; an
// unknown word is one that names the nearest.
Status set_data_format(std::string_view word, ReadOptions& options);

// Rows with another number of cells than the table has columns. They are left out.
struct RaggedRows {
  int64_t count = 0;
  int64_t first_line = 0;  // in the file, from 1
  int expected_cells = 0, first_cells = 0;
  // "3 rows left out: line 17 has 4 cells where 5 were expected", "" if there are none.
  std::string message() const;
};

// A file that rows came from.
struct TableFile {
  std::string path;  // "-" for stdin
  int64_t rows = 0;  // handed out so far
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

  // Where a row stands, for Error::where: "data.csv:17", or "data.parquet, row 17" where there are no lines.
  virtual std::string place(int64_t row) { return path_ + ":" + std::to_string(line_of(row)); }

  // Tells before the first next() which columns will be looked at: cells of the others may come as absent,
  // where that saves work.
  virtual void only(std::span<const int> columns) { (void)columns; }

  // One but for several files that are read as one table.
  virtual std::vector<TableFile> files() const { return {{path_ == "stdin" ? "-" : path_, rows_}}; }

  // Where the pictures lie that its cells name: below the table's own folder, unless it is a source of
  // pictures.
  virtual Result<std::shared_ptr<const PictureFiles>> pictures() const;

  const std::string& path() const { return path_; }  // "stdin" for "-", "a.csv and 2 more"
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

// Opens what --dataset names:
//   FILE                     CSV of any delimiter, TSV, JSON lines, JSON, Parquet, Feather (Arrow IPC),
//   SQLite;
//                            text plain, .gz or .zst, in UTF-8, UTF-16, Latin-1 or GB18030. What a file is is
//                            told by its content, not by its name
//   -                        stdin, for text
//   sqlite:FILE?table=NAME   a table or view of an SQLite database; or sqlite:FILE?query=SELECT ...
//   a.csv,b.csv  part-*.csv  several as one table (data/sources.h)
//   FOLDER, .tar[.gz], .zip  pictures, or a table beside its pictures; IDX and NPY files
//   (data/picture_source.h)
// ErrorKind::data with place and fix for: no such file, a folder without pictures, empty, a header only, not
// text (and what it is instead), damaged files, a file of several that lacks a column, no such table in the
// database.
Result<std::unique_ptr<TableReader>> open_table(const std::string& source, ReadOptions options = {});

}  // namespace shoestring::data
