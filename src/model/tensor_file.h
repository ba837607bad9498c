// Named tensors and named strings in one file: the format of model files and checkpoints. It is a
// safetensors file (8 bytes of header length, a JSON header with __metadata__, row-major tensors), which
// Python's `safetensors` reads as it is. The first entry of __metadata__ is a CRC-32 over all other
// bytes of the file, so any flipped bit is found. Equal content gives equal bytes.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "ir/type.h"

namespace shoestring::model {

// Bytes that something else owns.
struct TensorView {
  std::string name;
  Type type;
  std::span<const std::byte> bytes;  // row-major, type.bytes() of them
};

struct TensorFile {
  std::map<std::string, std::string> metadata;
  std::vector<TensorView> tensors;           // views into `bytes`
  std::shared_ptr<const std::string> bytes;  // the file

  const TensorView* find(std::string_view name) const;
  // The metadata's value; ErrorKind::data if there is none.
  Result<std::string> text(std::string_view key, const std::string& path) const;
};

inline constexpr int kFormat = 1;  // of what this program writes, and the newest that it reads

// Whole or absent (base/atomic_file.h). Fails with ErrorKind::machine, or internal where a name is
// written twice, is empty or is not UTF-8.
Status write_tensors(const std::string& path, const std::map<std::string, std::string>& metadata,
                     std::span<const TensorView> tensors, bool durable = true);

// Checks everything before anything is believed. Fails with ErrorKind::data: no such file, empty, cut
// short, damaged, newer, or no file of ours.
Result<TensorFile> read_tensors(const std::string& path);
Result<TensorFile> parse_tensors(std::string bytes, const std::string& path);  // `path` names it in errors
// A safetensors file that another program wrote: no checksum and no format of ours, all else as strict.
Result<TensorFile> read_foreign_tensors(const std::string& path);

}  // namespace shoestring::model
