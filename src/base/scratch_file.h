// A file without a name: room on disk that only this process sees, and that is gone when it ends, however it
// ends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "base/error.h"

namespace shoestring {

class ScratchFile {
 public:
  ScratchFile() = default;
  // Takes room for so many bytes in the file system of `folder`, which is made. ErrorKind::machine where
  // there is not that much left, or the folder cannot be written to.
  static Result<ScratchFile> create(const std::string& folder, int64_t bytes);
  ScratchFile(ScratchFile&& other) noexcept;
  ScratchFile& operator=(ScratchFile&& other) noexcept;
  ~ScratchFile();

  // All of the bytes, or ErrorKind::machine.
  Status write(int64_t at, std::span<const std::byte> bytes);
  Status read(int64_t at, std::span<std::byte> bytes) const;
  // These bytes will be read soon: the system may begin to fetch them.
  void expect(int64_t at, int64_t bytes) const;
  // A path that opens it, for readers that take one; as long as this lives.
  std::string path() const;
  // Gives back what lies behind so many bytes.
  void shorten(int64_t bytes);

 private:
  std::string folder_;
  int fd_ = -1;
};

}  // namespace shoestring
