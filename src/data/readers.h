// The readers behind open_table, and the head of the file that tells which one to take.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "data/table.h"
#include "data/text.h"

namespace shoestring::data {

// A text file that was opened and looked into: `head` is its beginning, behind a byte order mark.
struct OpenFile {
  std::string path;  // as given; "-" is stdin
  std::unique_ptr<TextSource> text;
  std::string head;
  bool whole = false;  // the head is all there is

  std::string name() const { return path == "-" ? "stdin" : path; }
};

Result<std::unique_ptr<TableReader>> open_csv(OpenFile file, const ReadOptions& options);
// One object a line; or, for TableKind::json, an array of objects.
Result<std::unique_ptr<TableReader>> open_jsonl(OpenFile file, TableKind kind, const ReadOptions& options);
// One JSON object, as data/json_layout.h reads it: held in memory as text.
Result<std::unique_ptr<TableReader>> open_json_columns(OpenFile file, const ReadOptions& options);
// Parquet or Feather.
Result<std::unique_ptr<TableReader>> open_columnar(const std::string& path, TableKind kind);
// `source`: "FILE", "FILE?table=NAME" or "FILE?query=SQL".
Result<std::unique_ptr<TableReader>> open_sqlite(const std::string& source);
// Two files or more; each is opened by open_table when its turn comes.
Result<std::unique_ptr<TableReader>> open_several(std::vector<std::string> paths, const ReadOptions& options);

// Text read ahead of what was used of it: one block.
class Window {
 public:
  Window(std::string head, bool whole, int64_t block_bytes)
      : text_(std::move(head)), block_bytes_(block_bytes), at_end_(whole) {}

  // Drops the `used` bytes at the front and fills up to a block.
  Status advance(int64_t used, TextSource& source);
  std::string_view text() const { return text_; }
  bool at_end() const { return at_end_; }  // nothing comes behind text()
  // Gives the text away, and begins anew with what is not used of it.
  std::string take(int64_t used);

 private:
  std::string text_;
  int64_t block_bytes_;
  bool at_end_;
};

// An error whose place is a line.
Failure fail_at(const std::string& name, int64_t line, std::string what, std::string fix);
// For text that is none: bytes that are zero or no UTF-8, at `line`.
Failure fail_not_text(std::string_view text, size_t bad, const std::string& name, int64_t line);

}  // namespace shoestring::data
