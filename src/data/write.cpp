#include "data/write.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cassert>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <csignal>
#include <ctime>
#include <optional>

#include "base/atomic_file.h"

namespace shoestring::data {
namespace {

constexpr size_t kBufferBytes = 64 << 10;

// A byte that stands for itself in a JSON string.
bool is_plain(char c) { return static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\'; }

void append_json(std::string& out, std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    if (is_plain(c)) {
      out += c;
    } else if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c == '\r') {
      out += "\\r";
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += "\\u00";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    }
  }
  out += '"';
}

// Quoted where the text would otherwise read back as something else.
void append_csv(std::string& out, std::string_view text) {
  const bool spaced = !text.empty() && (text.front() == ' ' || text.back() == ' ');
  if (!spaced && text.find_first_of(",\"\r\n") == std::string_view::npos) {
    out += text;
    return;
  }
  out += '"';
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

template <class T>
void append_number(std::string& out, T value) {
  std::array<char, 32> digits;
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  out.append(digits.data(), end);
}

Error stream_error(const std::string& name, int e) {
  Error error = system_error("write", name, e);
  if (e == EPIPE) error.fix = "the program that reads the output has ended";
  return error;
}

}  // namespace

struct RowWriter::State {
  std::string name;
  WriteKind kind;
  std::vector<std::string> names;  // as written: CSV-quoted, or JSON with its colon
  std::optional<AtomicFile> file;  // or
  int fd = -1;                     // a stream; ours to close above stderr
  std::string buffer;
  size_t column = 0;
  Status status;

  ~State() {
    if (fd > STDERR_FILENO) ::close(fd);
  }

  void begin_cell() {
    assert(column < names.size());
    if (kind == WriteKind::csv) {
      if (column > 0) buffer += ',';
    } else {
      buffer += column == 0 ? "{" : ", ";
      buffer += names[column];
    }
    ++column;
  }

  void flush() {
    if (status && !buffer.empty()) status = file ? file->write(buffer) : write_stream();
    buffer.clear();
  }

  Status write_stream() {
    // A closed pipe is an error to report, not a signal to die of: it is held back while writing.
    sigset_t pipe, before;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, &before);
    const Status done = write_all();
    if (!done && !sigismember(&before, SIGPIPE)) {
      const timespec now{};
      while (sigtimedwait(&pipe, nullptr, &now) < 0 && errno == EINTR) {
      }
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return done;
  }

  Status write_all() const {
    const char* p = buffer.data();
    size_t left = buffer.size();
    while (left > 0) {
      const ssize_t n = ::write(fd, p, left);
      if (n < 0) {
        if (errno == EINTR) continue;
        return fail(stream_error(name, errno));
      }
      p += n;
      left -= static_cast<size_t>(n);
    }
    return {};
  }
};

RowWriter::RowWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
RowWriter::RowWriter(RowWriter&&) noexcept = default;
RowWriter& RowWriter::operator=(RowWriter&&) noexcept = default;
RowWriter::~RowWriter() = default;

Result<RowWriter> RowWriter::open(const std::string& path, WriteKind kind, std::vector<std::string> names) {
  auto state = std::make_unique<State>();
  state->name = path == "-" ? "stdout" : path;
  state->kind = kind;
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
  state->buffer.reserve(kBufferBytes + 4096);
  for (std::string& name : names) {
    std::string written;
    if (kind == WriteKind::csv) {
      append_csv(written, name);
      if (!state->names.empty()) state->buffer += ',';
      state->buffer += written;
    } else {
      append_json(written, name);
      written += ": ";
    }
    state->names.push_back(std::move(written));
  }
  if (kind == WriteKind::csv) state->buffer += '\n';
  return RowWriter(std::move(state));
}

void RowWriter::text(std::string_view value) {
  state_->begin_cell();
  if (state_->kind == WriteKind::jsonl)
    append_json(state_->buffer, value);
  else if (value.empty() && state_->names.size() == 1)
    state_->buffer += "\"\"";
  else
    append_csv(state_->buffer, value);
}

void RowWriter::number(float value) {
  if (!std::isfinite(value)) return null();
  state_->begin_cell();
  append_number(state_->buffer, value);
}

void RowWriter::number(double value) {
  if (!std::isfinite(value)) return null();
  state_->begin_cell();
  append_number(state_->buffer, value);
}

void RowWriter::integer(int64_t value) {
  state_->begin_cell();
  append_number(state_->buffer, value);
}

void RowWriter::null() {
  state_->begin_cell();
  if (state_->kind == WriteKind::jsonl)
    state_->buffer += "null";
  else if (state_->names.size() == 1)
    state_->buffer += "\"\"";  // a blank line would be no row
}

void RowWriter::numbers(const float* values, int count) {
  state_->begin_cell();
  std::string list = "[";
  for (int i = 0; i < count; ++i) {
    if (i > 0) list += ", ";
    if (std::isfinite(values[i]))
      append_number(list, values[i]);
    else
      list += "null";
  }
  list += ']';
  if (state_->kind == WriteKind::csv)
    append_csv(state_->buffer, list);
  else
    state_->buffer += list;
}

void RowWriter::end_row() {
  assert(state_->column == state_->names.size());
  if (state_->kind == WriteKind::jsonl) state_->buffer += state_->names.empty() ? "{}" : "}";
  state_->buffer += '\n';
  state_->column = 0;
  if (state_->buffer.size() >= kBufferBytes) state_->flush();
}

Status RowWriter::flush() {
  state_->flush();
  return state_->status;
}

Status RowWriter::status() const { return state_->status; }

Status RowWriter::finish(bool durable) {
  state_->flush();
  if (state_->status && state_->file) state_->status = state_->file->commit(durable);
  return state_->status;
}

}  // namespace shoestring::data
