#include "data/output.h"

#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>

#include <cerrno>
#include <csignal>
#include <ctime>
#include <optional>
#include <vector>

#include "base/atomic_file.h"

namespace shoestring::data {
namespace {

Status write_all(int fd, std::string_view text, const std::string& name) {
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0) {
      if (errno == EINTR) continue;
      return fail(system_error("write", name, errno));
    }
    text.remove_prefix(static_cast<size_t>(n));
  }
  return {};
}

// A closed pipe is an error to report, not a signal to die of: it is held back while writing.
Status write_stream(int fd, std::string_view text, const std::string& name) {
  sigset_t pipe, before;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe, &before);
  const Status done = write_all(fd, text, name);
  if (!done && !sigismember(&before, SIGPIPE)) {
    const timespec now{};
    while (sigtimedwait(&pipe, nullptr, &now) < 0 && errno == EINTR) {
    }
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return done;
}

// One gzip stream. Hands on what is compressed, a buffer at a time.
class Gzip {
 public:
  Gzip() : buffer_(64 << 10) {
    constexpr int kWithGzipHeader = 15 + 16, kMemory = 8;
    deflateInit2(&stream_, Z_BEST_SPEED, Z_DEFLATED, kWithGzipHeader, kMemory, Z_DEFAULT_STRATEGY);
  }
  Gzip(const Gzip&) = delete;
  Gzip& operator=(const Gzip&) = delete;
  ~Gzip() { deflateEnd(&stream_); }

  template <class Sink>
  void add(std::string_view text, bool last, Sink&& sink) {
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream_.avail_in = static_cast<uInt>(text.size());
    do {
      stream_.next_out = buffer_.data();
      stream_.avail_out = static_cast<uInt>(buffer_.size());
      deflate(&stream_, last ? Z_FINISH : Z_NO_FLUSH);
      sink(std::string_view(reinterpret_cast<const char*>(buffer_.data()),
                            buffer_.size() - stream_.avail_out));
    } while (stream_.avail_out == 0);
  }

 private:
  z_stream stream_{};
  std::vector<Bytef> buffer_;
};

}  // namespace

struct Output::State {
  std::string name;
  std::optional<AtomicFile> file;  // or
  int fd = -1;                     // a stream; ours to close above stderr
  std::optional<Gzip> gzip;
  Status status;

  ~State() {
    if (fd > STDERR_FILENO) ::close(fd);
  }

  void put(std::string_view bytes) {
    if (status && !bytes.empty()) status = file ? file->write(bytes) : write_stream(fd, bytes, name);
  }
};

Output::Output(std::unique_ptr<State> state) : state_(std::move(state)) {}
Output::Output(Output&&) noexcept = default;
Output& Output::operator=(Output&&) noexcept = default;
Output::~Output() = default;

Result<Output> Output::open(const std::string& path) {
  auto state = std::make_unique<State>();
  state->name = path == "-" ? "stdout" : path;
  if (path == "-") {
    state->fd = STDOUT_FILENO;
  } else if (!is_stream(path)) {
    auto file = AtomicFile::create(path);
    if (!file) return fail(std::move(file.error()));
    state->file.emplace(std::move(*file));
  } else {
    state->fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (state->fd < 0) return fail(system_error("write", path, errno));
  }
  if (path.ends_with(".gz")) state->gzip.emplace();
  return Output(std::move(state));
}

void Output::write(std::string_view text) {
  if (!state_->status || text.empty()) return;
  if (!state_->gzip) return state_->put(text);
  state_->gzip->add(text, false, [this](std::string_view bytes) { state_->put(bytes); });
}

const Status& Output::status() const { return state_->status; }

Status Output::finish(bool durable) {
  if (state_->gzip) state_->gzip->add({}, true, [this](std::string_view bytes) { state_->put(bytes); });
  if (state_->status && state_->file) state_->status = state_->file->commit(durable);
  return state_->status;
}

}  // namespace shoestring::data
