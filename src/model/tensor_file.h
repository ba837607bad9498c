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
#include "ir/layout.h"
#include "ir/type.h"

namespace shoestring::model {

// Bytes that something else owns.
struct TensorView {
  std::string name;
  Type type;
  std::span<const std::byte> bytes;  // type.bytes() of them
  Layout layout = {};                // how they lie; in files they are row-major
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
// A safetensors file that another program wrote: no checksum and no format of ours, all else as strict. Only
// its header is held: tensors are read one by one, in pieces of any size.
class ForeignTensors {
 public:
  // ErrorKind::data: no such file, empty, cut short, no safetensors file.
  static Result<ForeignTensors> open(const std::string& path);
  ForeignTensors(ForeignTensors&& other) noexcept;
  ForeignTensors& operator=(ForeignTensors&& other) noexcept;
  ~ForeignTensors();

  const std::string& path() const { return path_; }
  const Type* find(std::string_view name) const;  // null: there is no such tensor
  std::map<std::string, Type> types() const;      // of all
  // Its bytes from `at` on, row-major. ErrorKind::data where the file has become shorter.
  Status read(std::string_view name, int64_t at, std::span<std::byte> room) const;

  struct Place {
    Type type;
    int64_t at = 0;  // of its first byte in the file
  };

 private:
  ForeignTensors() = default;
  Status read_at(int64_t at, std::span<std::byte> room) const;

  std::string path_;
  std::map<std::string, Place, std::less<>> places_;
  int fd_ = -1;
};

}  // namespace shoestring::model
