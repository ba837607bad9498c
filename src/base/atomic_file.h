// Files that are whole or absent: written to a temporary name beside the target, synced, renamed,
// and the folder synced. A crash or a power cut at any moment leaves the old file or the new one. Of several
// that write one file at a time each has a temporary name of its own, and the last to commit stays; what a
// killed process left under a temporary name is written over by the next.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"

namespace shoestring {

class AtomicFile {
 public:
  // Where `path` is a link, what it leads to is replaced and the link stays.
  static Result<AtomicFile> create(std::string path);
  AtomicFile(AtomicFile&& other) noexcept;
  AtomicFile& operator=(AtomicFile&&) = delete;
  ~AtomicFile();  // removes the temporary file if commit() was not reached

  Status write(std::span<const std::byte> bytes);
  Status write(std::string_view text);
  // Makes the file appear under its name. `durable` false skips the syncs: for files that can be
  // made again.
  Status commit(bool durable = true);

 private:
  AtomicFile(std::string path, std::string temporary, int fd);
  std::string path_, temporary_;
  int fd_ = -1;
};

Status write_file(const std::string& path, std::string_view text, bool durable = true);

// Whether output to this path is a stream, to be written as it comes: a device, a pipe, anything in /dev or
// /proc (/dev/stdout may lead to a file, which must not be replaced; /dev/shm is a folder like any other).
bool is_stream(const std::string& path);
// Writes to a stream, or a whole file by write_file.
Status write_output(const std::string& path, std::string_view text);

// Why a file cannot be read, for errors: ErrorKind::machine where permission is missing, else
// ErrorKind::data.
Error read_error(const std::string& path, int errno_value);

// The whole file as text; missing, unreadable or failing on the way: read_error().
Result<std::string> read_file(const std::string& path);

// Whether there is something of that name; false too where that cannot be told.
bool file_exists(const std::string& path);

// Makes the folder and its parents, and syncs those that hold a new one. Fails with ErrorKind::machine.
Status make_folders(const std::string& path);

// Syncs the folder that holds `path`, so that a new name in it stays. Best effort: some file systems
// refuse to sync a folder.
void sync_parent(const std::string& path);

// What the operating system said, for errors: "No space left on device" and the fix that goes with it.
Error system_error(std::string_view action, const std::string& path, int errno_value);

}  // namespace shoestring
