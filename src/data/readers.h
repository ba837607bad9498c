// The two readers behind open_table, and the head of the file that tells which one to take.
#pragma once

#include <memory>
#include <string>

#include "data/bytes.h"
#include "data/table.h"

namespace shoestring::data {

// A file that was opened and looked into: `head` is its beginning, behind a byte order mark.
struct OpenFile {
  std::string path;  // as given; "-" is stdin
  std::unique_ptr<ByteSource> bytes;
  std::string head;
  bool whole = false;  // the head is all there is
  bool bom = false;

  std::string name() const { return path == "-" ? "stdin" : path; }
};

Result<std::unique_ptr<TableReader>> open_csv(OpenFile file, const ReadOptions& options);
Result<std::unique_ptr<TableReader>> open_jsonl(OpenFile file, const ReadOptions& options);

// Text read ahead of what was used of it: one block.
class Window {
 public:
  Window(std::string head, bool whole, int64_t block_bytes)
      : text_(std::move(head)), block_bytes_(block_bytes), at_end_(whole) {}

  // Drops the `used` bytes at the front and fills up to a block.
  Status advance(int64_t used, ByteSource& bytes);
  std::string_view text() const { return text_; }
  bool at_end() const { return at_end_; }  // nothing comes behind text()

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
