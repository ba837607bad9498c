// Where a table's bytes come from: a file or stdin, plain or gzip, as one stream of decompressed bytes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

namespace shoestring::data {

class ByteSource {
 public:
  // "-" is stdin. gzip is told by its magic number. ErrorKind::data: no such file, a folder;
  // ErrorKind::machine: no permission.
  static Result<std::unique_ptr<ByteSource>> open(const std::string& path);
  virtual ~ByteSource() = default;

  // Fills `out` up to `capacity`; less only at the end, 0 from then on. ErrorKind::data for a gzip
  // stream that ends early or is damaged.
  virtual Result<int64_t> read(char* out, int64_t capacity) = 0;
  virtual bool gzip() const = 0;
};

// The place of the first byte that cannot be text (a zero, or no UTF-8), or npos.
size_t first_bad_byte(std::string_view text);

int64_t count_newlines(std::string_view text);

}  // namespace shoestring::data
