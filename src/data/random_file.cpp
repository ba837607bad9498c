#include "data/random_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <utility>
#include <vector>

#include "base/atomic_file.h"
#include "data/bytes.h"
#include "data/read_file_at.h"

namespace shoestring::data {
namespace {

constexpr int64_t kPieceBytes = 1 << 20;

// All that the source still gives, into `file`; how much it was.
Result<int64_t> unpack(ByteSource& source, ScratchFile& file) {
  std::vector<char> piece(kPieceBytes);
  for (int64_t at = 0;;) {
    const auto n = source.read(piece.data(), kPieceBytes);
    if (!n) return n;
    const auto bytes = std::as_bytes(std::span(piece.data(), static_cast<size_t>(*n)));
    if (auto ok = file.write(at, bytes); !ok) return fail(ok.error());
    at += *n;
    if (*n < kPieceBytes) return at;
  }
}

}  // namespace

Result<ScratchFile> temporary_file(int64_t bytes) {
  std::error_code ec;
  const auto folder = std::filesystem::temp_directory_path(ec);
  auto file = ScratchFile::create(ec ? "/tmp" : folder.string(), bytes);
  if (!file && file.error().kind == ErrorKind::machine)
    file.error().fix = "free some space there, or set TMPDIR to a folder that has it";
  return file;
}

Result<RandomFile> RandomFile::open(const std::string& path) {
  auto source = ByteSource::open(path);
  if (!source) return fail(source.error());
  RandomFile file;
  file.path_ = path;
  if ((*source)->compression() != Compression::none) {
    auto room = temporary_file(0);
    if (!room) return fail(room.error());
    file.unpacked_ = std::move(*room);
    const auto bytes = unpack(**source, file.unpacked_);
    if (!bytes) return fail(bytes.error());
    file.bytes_ = *bytes;
    return file;
  }
  file.fd_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat info {};
  if (file.fd_ < 0 || ::fstat(file.fd_, &info) != 0) return fail(read_error(path, errno));
  file.bytes_ = info.st_size;
  return file;
}

RandomFile::RandomFile(RandomFile&& other) noexcept
    : path_(std::move(other.path_)),
      fd_(std::exchange(other.fd_, -1)),
      unpacked_(std::move(other.unpacked_)),
      bytes_(other.bytes_) {}

RandomFile& RandomFile::operator=(RandomFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(fd_, other.fd_);
  std::swap(unpacked_, other.unpacked_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

RandomFile::~RandomFile() {
  if (fd_ >= 0) ::close(fd_);
}

Status RandomFile::read(int64_t at, std::span<std::byte> room) const {
  if (at < 0 || static_cast<int64_t>(room.size()) > bytes_ || at > bytes_ - static_cast<int64_t>(room.size()))
    return fail(ErrorKind::data, "the file ends early: a part of it is missing", path_,
                "copy or download it again");
  return fd_ >= 0 ? read_range(fd_, at, room, path_) : unpacked_.read(at, room);
}

}  // namespace shoestring::data
