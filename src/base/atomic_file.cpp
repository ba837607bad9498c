#include "base/atomic_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <vector>

namespace shoestring {
namespace {

Status write_all(int fd, const char* data, size_t size, const std::string& path) {
  while (size > 0) {
    const ssize_t n = ::write(fd, data, size);
    if (n < 0) {
      if (errno == EINTR) continue;
      return fail(system_error("write", path, errno));
    }
    data += n;
    size -= static_cast<size_t>(n);
  }
  return {};
}

bool is_at(int fd, const std::string& path) {
  struct stat open {
  }, named{};
  return ::fstat(fd, &open) == 0 && ::stat(path.c_str(), &named) == 0 && open.st_dev == named.st_dev &&
         open.st_ino == named.st_ino;
}

// A file of that name that nobody else writes, empty; -1 where somebody does, errno EWOULDBLOCK, or on a
// fault. Whoever holds the lock may empty, rename or remove the file; it goes with its holder, so what a
// killed process leaves is taken over. A file system without locks gives the file without one.
int open_locked(const std::string& name) {
  for (;;) {
    const int fd = ::open(name.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0) return -1;
    int e = ::flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK ? 0 : EWOULDBLOCK;
    if (e == 0 && !is_at(fd, name)) {  // its holder has just given it its name, or removed it
      ::close(fd);
      continue;
    }
    struct stat info {};
    if (e == 0 && ::fstat(fd, &info) == 0 && info.st_size > 0 && ::ftruncate(fd, 0) != 0) e = errno;
    if (e == 0) return fd;
    ::close(fd);
    errno = e;
    return -1;
  }
}

}  // namespace

void sync_parent(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path();
  const int fd = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  ::fsync(fd);
  ::close(fd);
}

Error system_error(std::string_view action, const std::string& path, int e) {
  Error error{ErrorKind::machine, fmt::format("cannot {}: {}", action, std::strerror(e)), path, {}};
  switch (e) {
    case ENOSPC:
    case EDQUOT:
      error.fix = "free some space or choose another folder with --output_directory";
      break;
    case EFBIG:
      error.fix = "raise the limit on file sizes (ulimit -f), or the disk's own";
      break;
    case EACCES:
    case EPERM:
    case EROFS:
      error.fix = "choose a folder that you may write to";
      break;
    case ENOTDIR:
    case EEXIST:
      error.fix = "a file stands where a folder is needed: move it or choose another name";
      break;
    case EPIPE:
      error.fix = "the program that reads the output has ended";
      break;
    default:
      error.fix = "check the path and the disk";
      break;
  }
  return error;
}

AtomicFile::AtomicFile(std::string path, std::string temporary, int fd)
    : path_(std::move(path)), temporary_(std::move(temporary)), fd_(fd) {}

AtomicFile::AtomicFile(AtomicFile&& other) noexcept
    : path_(std::move(other.path_)),
      temporary_(std::move(other.temporary_)),
      fd_(std::exchange(other.fd_, -1)) {}

AtomicFile::~AtomicFile() {
  if (fd_ < 0) return;
  ::unlink(temporary_.c_str());  // while it is ours: closing gives the lock back
  ::close(fd_);
}

Result<AtomicFile> AtomicFile::create(std::string path) {
  constexpr int kMostLinks = 40;  // as the kernel: a circle of links ends there
  std::error_code ec;
  for (int links = 0; links < kMostLinks && std::filesystem::is_symlink(path, ec); ++links) {
    const std::filesystem::path target = std::filesystem::read_symlink(path, ec);
    if (ec) break;
    path = std::filesystem::path(path).parent_path() / target;
  }
  std::string temporary = path + ".tmp";
  int fd = open_locked(temporary);
  for (int other = 1; fd < 0 && errno == EWOULDBLOCK; ++other) {
    temporary = fmt::format("{}.{}.tmp", path, other);
    fd = open_locked(temporary);
  }
  if (fd < 0) return fail(system_error("create", path, errno));
  return AtomicFile(std::move(path), std::move(temporary), fd);
}

Status AtomicFile::write(std::span<const std::byte> bytes) {
  return write_all(fd_, reinterpret_cast<const char*>(bytes.data()), bytes.size(), path_);
}
Status AtomicFile::write(std::string_view text) { return write_all(fd_, text.data(), text.size(), path_); }

Status AtomicFile::commit(bool durable) {
  if (durable && ::fsync(fd_) != 0) return fail(system_error("sync", path_, errno));
  // Network file systems tell of a lost write when a descriptor is closed; the lock stays with the other.
  if (::close(::dup(fd_)) != 0) return fail(system_error("write", path_, errno));
  if (::rename(temporary_.c_str(), path_.c_str()) != 0)
    return fail(system_error("rename into place", path_, errno));
  ::close(std::exchange(fd_, -1));
  if (durable) sync_parent(path_);
  return {};
}

Status write_file(const std::string& path, std::string_view text, bool durable) {
  return AtomicFile::create(path).and_then([&](AtomicFile file) -> Status {
    if (auto s = file.write(text); !s) return s;
    return file.commit(durable);
  });
}

bool is_stream(const std::string& path) {
  const bool shared_memory = path.starts_with("/dev/shm/");
  if ((path.starts_with("/dev/") && !shared_memory) || path.starts_with("/proc/")) return true;
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode);
}

Status write_output(const std::string& path, std::string_view text) {
  if (!is_stream(path)) return write_file(path, text);
  const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return fail(system_error("write", path, errno));
  Status done = write_all(fd, text.data(), text.size(), path);
  ::close(fd);
  return done;
}

Error read_error(const std::string& path, int e) {
  const bool refused = e == EACCES || e == EPERM;
  return {refused ? ErrorKind::machine : ErrorKind::data, fmt::format("cannot read: {}", std::strerror(e)),
          path,
          refused ? "ask for the right to read it (chmod +r), or choose another file" : "check the path"};
}

Result<std::string> read_file(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat info {};
  if (fd < 0 || ::fstat(fd, &info) != 0 || S_ISDIR(info.st_mode)) {
    const int e = fd < 0 ? errno : EISDIR;
    if (fd >= 0) ::close(fd);
    return fail(read_error(path, e));
  }
  std::string text(static_cast<size_t>(info.st_size), '\0');
  size_t done = 0;
  for (;;) {
    if (done == text.size()) text.resize(done + 4096);  // pipes, and files that grew
    const ssize_t n = ::read(fd, text.data() + done, text.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      const int e = errno;
      ::close(fd);
      return fail(read_error(path, e));
    }
    if (n == 0) break;
    done += static_cast<size_t>(n);
  }
  ::close(fd);
  text.resize(done);
  return text;
}

bool file_exists(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0;
}

Status make_folders(const std::string& path) {
  std::error_code ec;
  std::vector<std::string> made;
  for (std::filesystem::path at = path; !at.empty() && !file_exists(at); at = at.parent_path())
    made.push_back(at);
  std::filesystem::create_directories(path, ec);
  if (ec) return fail(system_error("make the folder", path, ec.value()));
  if (!std::filesystem::is_directory(path, ec)) return fail(system_error("make the folder", path, ENOTDIR));
  for (const std::string& folder : made) sync_parent(folder);
  return {};
}

}  // namespace shoestring
