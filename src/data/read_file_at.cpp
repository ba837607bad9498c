#include "data/read_file_at.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/atomic_file.h"
#include "base/text.h"
#include "data/picture_files.h"

namespace shoestring::data {
namespace {

// Closed at the end of its scope.
struct File {
  explicit File(int descriptor) : fd(descriptor) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (fd >= 0) ::close(fd);
  }
  int fd;
};

}  // namespace

Status read_file_at(const std::string& path, int64_t most_bytes, std::vector<std::byte>& room) {
  const File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat info {};
  if (file.fd < 0 || ::fstat(file.fd, &info) != 0) return fail(read_error(path, errno));
  if (S_ISDIR(info.st_mode))
    return fail(ErrorKind::data, "this is a folder, not a file", path, "name a file");
  if (!S_ISREG(info.st_mode))
    return fail(ErrorKind::data, "this is a device or a pipe, not a file", path, "name a file");
  const int64_t bytes = std::min<int64_t>(info.st_size, most_bytes);
  if (bytes > kMostEncodedBytes)
    return fail(ErrorKind::data, "the file is too large for a picture: " + human_bytes(bytes), path,
                "leave it out, or save the picture smaller");
  room.resize(static_cast<size_t>(bytes));
  return read_range(file.fd, 0, room, path);
}

Status read_range(int fd, int64_t at, std::span<std::byte> room, const std::string& where) {
  while (!room.empty()) {
    const ssize_t n = ::pread(fd, room.data(), room.size(), at);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail(system_error("read", where, errno));
    if (n == 0)
      return fail(ErrorKind::data,
                  "the file ends early: it has changed while it was read, or a part is missing", where,
                  "copy or download it again");
    room = room.subspan(static_cast<size_t>(n));
    at += n;
  }
  return {};
}

}  // namespace shoestring::data
