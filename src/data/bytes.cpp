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
#include "data/arrow_module.h"

namespace shoestring::data {
namespace {

constexpr int64_t kCompressedBytes = 64 << 10;  // of a compressed file held at a time

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
  Compression compression() const override { return Compression::none; }

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
  Compression compression() const override { return Compression::gzip; }

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

// Any number of zstd frames, one after the other, through the codec that the Arrow module links anyway.
class ZstdSource final : public ByteSource {
 public:
  ZstdSource(std::unique_ptr<Descriptor> file, std::string path, std::string_view head,
             const ArrowModule* arrow)
      : file_(std::move(file)),
        path_(std::move(path)),
        arrow_(arrow),
        input_(kCompressedBytes),
        have_(static_cast<int64_t>(head.size())),
        stream_(arrow->zstd_open()) {
    std::memcpy(input_.data(), head.data(), head.size());
  }
  ZstdSource(const ZstdSource&) = delete;
  ZstdSource& operator=(const ZstdSource&) = delete;
  ~ZstdSource() override { arrow_->zstd_close(stream_); }

  Result<int64_t> read(char* out, int64_t capacity) override {
    if (stream_ == nullptr)
      return fail(ErrorKind::machine, "cannot decompress: out of memory", path_, "free some memory");
    int64_t produced = 0;
    while (produced < capacity && !ended_) {
      if (at_ == have_ && !pending_) {
        have_ = file_->fill(input_.data(), kCompressedBytes);
        if (have_ < 0) return fail(system_error("read", path_, errno));
        at_ = 0;
        if (have_ == 0 && between_frames_) break;
        if (have_ == 0) {
          return fail(ErrorKind::data, "the zstd file ends too early: a part of it is missing", path_,
                      "copy or download it again; zstd -t checks it");
        }
      }
      ZstdStep step{input_.data() + at_, have_ - at_, out + produced, capacity - produced};
      if (!arrow_->zstd_step(stream_, step)) {
        return fail(ErrorKind::data, "the zstd file is damaged", path_,
                    "copy or download it again; zstd -t checks it");
      }
      at_ += step.used;
      produced += step.produced;
      between_frames_ = step.frame_ended;
      pending_ = step.more_output;
    }
    if (produced < capacity) ended_ = true;
    return produced;
  }
  Compression compression() const override { return Compression::zstd; }

 private:
  std::unique_ptr<Descriptor> file_;
  std::string path_;
  const ArrowModule* arrow_;
  std::vector<char> input_;
  int64_t at_ = 0, have_;  // what is not used of input_
  void* stream_;
  bool ended_ = false, between_frames_ = false;
  bool pending_ = false;  // the codec holds bytes that had no room
};

}  // namespace

std::string_view to_string(Compression compression) {
  constexpr std::array<std::string_view, 3> kNames{"none", "gzip", "zstd"};
  return kNames[static_cast<size_t>(compression)];
}

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
  std::array<char, 4> head;
  const int64_t n = file->fill(head.data(), head.size());
  if (n < 0) return fail(system_error("read", name, errno));
  const std::string_view magic(head.data(), static_cast<size_t>(n));
  if (magic == "\x28\xB5\x2F\xFD") {
    const auto arrow = arrow_module();
    if (!arrow) return fail(arrow.error());
    return std::make_unique<ZstdSource>(std::move(file), name, magic, *arrow);
  }
  if (magic.starts_with("\x1F\x8B")) return std::make_unique<GzipSource>(std::move(file), name, magic);
  return std::make_unique<PlainSource>(std::move(file), name, std::string(magic));
}

}  // namespace shoestring::data
