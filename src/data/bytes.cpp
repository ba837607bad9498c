#include "data/bytes.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

#include "base/atomic_file.h"

namespace shoestring::data {
namespace {

constexpr int64_t kCompressedBytes = 64 << 10;  // of a gzip file held at a time

// A descriptor, closed at the end unless it is stdin.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ > STDIN_FILENO) ::close(fd_);
  }

  // Fills `out` unless the end comes first; -1 and errno on a fault.
  int64_t fill(char* out, int64_t capacity) const {
    int64_t got = 0;
    while (got < capacity) {
      const ssize_t n = ::read(fd_, out + got, static_cast<size_t>(capacity - got));
      if (n == 0) break;
      if (n > 0) {
        got += n;
      } else if (errno != EINTR) {
        return -1;
      }
    }
    return got;
  }

 private:
  int fd_;
};

// The bytes as they are. The few that were read to tell the format come first.
class PlainSource final : public ByteSource {
 public:
  PlainSource(std::unique_ptr<Descriptor> file, std::string path, std::string head)
      : file_(std::move(file)), path_(std::move(path)), head_(std::move(head)) {}

  Result<int64_t> read(char* out, int64_t capacity) override {
    const int64_t from_head = std::min(capacity, static_cast<int64_t>(head_.size()));
    std::memcpy(out, head_.data(), static_cast<size_t>(from_head));
    head_.erase(0, static_cast<size_t>(from_head));
    const int64_t n = file_->fill(out + from_head, capacity - from_head);
    if (n < 0) return fail(system_error("read", path_, errno));
    return from_head + n;
  }
  bool gzip() const override { return false; }

 private:
  std::unique_ptr<Descriptor> file_;
  std::string path_, head_;
};

// Any number of gzip members, one after the other, as `cat a.gz b.gz` makes them.
class GzipSource final : public ByteSource {
 public:
  GzipSource(std::unique_ptr<Descriptor> file, std::string path, std::string_view head)
      : file_(std::move(file)), path_(std::move(path)), input_(kCompressedBytes) {
    std::memcpy(input_.data(), head.data(), head.size());
    stream_.next_in = input_.data();
    stream_.avail_in = static_cast<uInt>(head.size());
    ready_ = inflateInit2(&stream_, 16 + MAX_WBITS) == Z_OK;
  }
  ~GzipSource() override { inflateEnd(&stream_); }

  Result<int64_t> read(char* out, int64_t capacity) override {
    if (!ready_)
      return fail(ErrorKind::machine, "cannot decompress: out of memory", path_, "free some memory");
    int64_t produced = 0;
    while (produced < capacity && !ended_) {
      if (stream_.avail_in == 0) {
        const int64_t n = file_->fill(reinterpret_cast<char*>(input_.data()), kCompressedBytes);
        if (n < 0) return fail(system_error("read", path_, errno));
        stream_.next_in = input_.data();
        stream_.avail_in = static_cast<uInt>(n);
        if (n == 0 && between_members_) break;
        if (n == 0) {
          return fail(ErrorKind::data, "the gzip file ends too early: a part of it is missing", path_,
                      "copy or download it again; gzip -t checks it");
        }
      }
      if (between_members_ && !begin_member()) break;
      const auto room = static_cast<uInt>(std::min<int64_t>(capacity - produced, 1 << 30));
      stream_.next_out = reinterpret_cast<Bytef*>(out + produced);
      stream_.avail_out = room;
      const int code = inflate(&stream_, Z_NO_FLUSH);
      produced += room - stream_.avail_out;
      if (code == Z_STREAM_END) {
        between_members_ = true;
      } else if (code != Z_OK && code != Z_BUF_ERROR) {
        return fail(ErrorKind::data, "the gzip file is damaged", path_,
                    "copy or download it again; gzip -t checks it");
      }
    }
    if (produced < capacity) ended_ = true;
    return produced;
  }
  bool gzip() const override { return true; }

 private:
  // After a member comes another, or the end, or padding that gzip ignores too.
  bool begin_member() {
    if (*stream_.next_in != 0x1F) return false;
    between_members_ = false;
    return inflateReset(&stream_) == Z_OK;
  }

  std::unique_ptr<Descriptor> file_;
  std::string path_;
  std::vector<Bytef> input_;
  z_stream stream_{};
  bool ready_ = false, ended_ = false, between_members_ = false;
};

// How many bytes the UTF-8 sequence at p takes, or 0 if it is none (overlong, surrogate, too large).
int utf8_length(const unsigned char* p, const unsigned char* end) {
  const auto continues = [&](int i) { return p + i < end && (p[i] & 0xC0) == 0x80; };
  if (p[0] < 0x80) return 1;
  if (p[0] >= 0xC2 && p[0] <= 0xDF) return continues(1) ? 2 : 0;
  if ((p[0] & 0xF0) == 0xE0) {
    if (!continues(1) || !continues(2)) return 0;
    if (p[0] == 0xE0 && p[1] < 0xA0) return 0;
    if (p[0] == 0xED && p[1] > 0x9F) return 0;
    return 3;
  }
  if (p[0] >= 0xF0 && p[0] <= 0xF4) {
    if (!continues(1) || !continues(2) || !continues(3)) return 0;
    if (p[0] == 0xF0 && p[1] < 0x90) return 0;
    if (p[0] == 0xF4 && p[1] > 0x8F) return 0;
    return 4;
  }
  return 0;
}

}  // namespace

Result<std::unique_ptr<ByteSource>> ByteSource::open(const std::string& path) {
  const std::string name = path == "-" ? "stdin" : path;
  const int fd = path == "-" ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    const int e = errno;
    if (e == ENOENT || e == ENOTDIR) {
      return fail(ErrorKind::data, "no such file", name,
                  "check the path; it is taken from the current folder");
    }
    if (e == EACCES) return fail(ErrorKind::machine, "no permission to read the file", name, "chmod +r it");
    return fail(system_error("open", name, e));
  }
  auto file = std::make_unique<Descriptor>(fd);
  struct stat info;
  if (::fstat(fd, &info) == 0 && S_ISDIR(info.st_mode)) {
    return fail(ErrorKind::data, "this is a folder, not a file", name, "name the file in it");
  }
  std::array<char, 2> head;
  const int64_t n = file->fill(head.data(), 2);
  if (n < 0) return fail(system_error("read", name, errno));
  const std::string_view magic(head.data(), static_cast<size_t>(n));
  if (magic == "\x1F\x8B") return std::make_unique<GzipSource>(std::move(file), name, magic);
  return std::make_unique<PlainSource>(std::move(file), name, std::string(magic));
}

size_t first_bad_byte(std::string_view text) {
  constexpr uint64_t kHigh = 0x8080808080808080, kLow = 0x0101010101010101;
  const auto* const begin = reinterpret_cast<const unsigned char*>(text.data());
  const unsigned char* const end = begin + text.size();
  const unsigned char* p = begin;
  while (p < end) {
    uint64_t word;
    if (end - p >= 8) {
      std::memcpy(&word, p, 8);
      // Eight bytes of ASCII, none of them zero.
      if (((word | (word - kLow)) & kHigh) == 0) {
        p += 8;
        continue;
      }
    }
    const int length = utf8_length(p, end);
    if (length == 0 || *p == 0) return static_cast<size_t>(p - begin);
    p += length;
  }
  return std::string_view::npos;
}

int64_t count_newlines(std::string_view text) {
  int64_t lines = 0;
  const char* p = text.data();
  const char* const end = p + text.size();
  while (p < end &&
         (p = static_cast<const char*>(std::memchr(p, '\n', static_cast<size_t>(end - p)))) != nullptr) {
    ++lines;
    ++p;
  }
  return lines;
}

}  // namespace shoestring::data
