#include "base/scratch_file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/atomic_file.h"
#include "base/text.h"

namespace shoestring {
namespace {

// Some file systems make files without a name, with others it is taken away at once.
int open_nameless(const std::string& folder) {
  const int fd = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (fd >= 0) return fd;
  std::string name = folder + "/.scratch-XXXXXX";
  const int named = ::mkostemp(name.data(), O_CLOEXEC);
  if (named >= 0) ::unlink(name.c_str());
  return named;
}

Failure no_room(const std::string& folder, int64_t wanted, std::string_view why) {
  return fail(ErrorKind::machine,
              fmt::format("a file of {} does not fit on the disk: {}", human_bytes(wanted), why), folder,
              "free some space, or choose another folder with --output_directory");
}

}  // namespace

Result<ScratchFile> ScratchFile::create(const std::string& folder, int64_t bytes) {
  if (auto ok = make_folders(folder); !ok) return fail(ok.error());
  ScratchFile file;
  file.folder_ = folder;
  file.fd_ = open_nameless(folder);
  if (file.fd_ < 0) return fail(system_error("create a file in", folder, errno));
  struct statvfs disk {};
  if (::fstatvfs(file.fd_, &disk) == 0) {
    const auto free = static_cast<int64_t>(disk.f_bavail) * static_cast<int64_t>(disk.f_frsize);
    if (free < bytes) return no_room(folder, bytes, human_bytes(free) + " are free");
  }
  if (bytes > 0 && ::fallocate(file.fd_, 0, 0, bytes) != 0) {
    if (errno == ENOSPC || errno == EDQUOT) return no_room(folder, bytes, "there is no space left");
    if (errno == EFBIG) return fail(system_error("write a file in", folder, errno));
    // Some file systems do not know how: writing will tell.
  }
  return file;
}

ScratchFile::ScratchFile(ScratchFile&& other) noexcept
    : folder_(std::move(other.folder_)), fd_(std::exchange(other.fd_, -1)) {}

ScratchFile& ScratchFile::operator=(ScratchFile&& other) noexcept {
  std::swap(folder_, other.folder_);
  std::swap(fd_, other.fd_);
  return *this;
}

ScratchFile::~ScratchFile() {
  if (fd_ >= 0) ::close(fd_);
}

Status ScratchFile::write(int64_t at, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::pwrite(fd_, bytes.data(), bytes.size(), at);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail(system_error("write a file in", folder_, errno));
    bytes = bytes.subspan(static_cast<size_t>(n));
    at += n;
  }
  return {};
}

Status ScratchFile::read(int64_t at, std::span<std::byte> bytes) const {
  while (!bytes.empty()) {
    const ssize_t n = ::pread(fd_, bytes.data(), bytes.size(), at);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return fail(system_error("read a file in", folder_, n < 0 ? errno : EIO));
    bytes = bytes.subspan(static_cast<size_t>(n));
    at += n;
  }
  return {};
}

void ScratchFile::expect(int64_t at, int64_t bytes) const {
  (void)::posix_fadvise(fd_, at, bytes, POSIX_FADV_WILLNEED);
}

std::string ScratchFile::path() const { return fmt::format("/proc/self/fd/{}", fd_); }

void ScratchFile::shorten(int64_t bytes) { (void)!::ftruncate(fd_, bytes); }

}  // namespace shoestring
