// Where a table's bytes come from: a file or stdin, plain, gzip or zstd, as one stream of decompressed bytes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

namespace shoestring::data {

enum class Compression { none, gzip, zstd };
std::string_view to_string(Compression compression);  // "gzip"

class ByteSource {
 public:
  // "-" is stdin. Compression is told by its magic number. ErrorKind::data: no such file, a folder;
  // ErrorKind::machine: no permission.
  static Result<std::unique_ptr<ByteSource>> open(const std::string& path);
  virtual ~ByteSource() = default;

  // Fills `out` up to `capacity`; less only at the end, 0 from then on. ErrorKind::data for a compressed
  // stream that ends early or is damaged.
  virtual Result<int64_t> read(char* out, int64_t capacity) = 0;
  virtual Compression compression() const = 0;
};

}  // namespace shoestring::data
