// A file whose bytes are read at any place, from any thread. What is compressed (gzip, zstd) is unpacked once
// into a file without a name.
#pragma once

#include <memory>
#include <string>

#include "base/error.h"
#include "base/scratch_file.h"

namespace shoestring::data {

class RandomFile {
 public:
  // ErrorKind::data: no such file, a folder, damaged; ErrorKind::machine: no permission, no room to unpack it
  // in.
  static Result<RandomFile> open(const std::string& path);
  RandomFile(RandomFile&& other) noexcept;
  RandomFile& operator=(RandomFile&& other) noexcept;
  ~RandomFile();

  int64_t bytes() const { return bytes_; }  // unpacked
  // All of [at, at + room.size()), or ErrorKind::data with the file as its place.
  Status read(int64_t at, std::span<std::byte> room) const;

 private:
  RandomFile() = default;

  std::string path_;
  int fd_ = -1;           // of a plain file,
  ScratchFile unpacked_;  // else this
  int64_t bytes_ = 0;
};

// A file without a name in TMPDIR, or in /tmp.
Result<ScratchFile> temporary_file(int64_t bytes);

}  // namespace shoestring::data
