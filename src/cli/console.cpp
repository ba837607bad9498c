#include "cli/console.h"

#include <fmt/core.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdint>
#include <cstdio>

#include "base/atomic_file.h"
#include "base/screen.h"

namespace shoestring::cli {
namespace {

bool is_numeric(std::string_view text) {
  return !text.empty() &&
         (std::isdigit(static_cast<unsigned char>(text[0])) ||
          (text.size() > 1 && text[0] == '-' && std::isdigit(static_cast<unsigned char>(text[1]))));
}

constexpr size_t kUnbounded = SIZE_MAX / 2;

int stdout_fault = 0;  // errno of the first write to it that failed

void check(bool written, std::FILE* stream) {
  if (!written && stream == stdout && stdout_fault == 0) stdout_fault = errno;
}

void write(std::FILE* stream, std::string_view text) {
  check(std::fwrite(text.data(), 1, text.size(), stream) == text.size(), stream);
}

void flush(std::FILE* stream) { check(std::fflush(stream) == 0, stream); }

}  // namespace

void print(std::string_view text) { write(stdout, text); }

Status flush_output() {
  flush(stdout);
  if (stdout_fault == 0) return {};
  return fail(system_error("write", "stdout", stdout_fault));
}

int report(const Error& error) {
  flush(stdout);
  write(stderr, fmt::format("shoestring: {}\n", error.message()));
  return error.exit_code();
}

std::string wrapped(std::string_view text, size_t width, size_t indent) {
  std::string out;
  size_t used = 0;
  for (bool first = true; !text.empty(); first = false) {
    const size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    if (used > indent && used + 1 + screen_width(word) > width) {
      out += "\n" + std::string(indent, ' ');
      used = indent;
    } else if (!first) {
      out += ' ';
      ++used;
    }
    out += word;
    used += screen_width(word);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

size_t terminal_columns(std::FILE* stream) {
  winsize size{};
  const bool known = ::isatty(::fileno(stream)) && ::ioctl(::fileno(stream), TIOCGWINSZ, &size) == 0;
  return known && size.ws_col > 0 ? size.ws_col : kUnbounded;
}

size_t reading_columns() {
  const size_t columns = terminal_columns(stdout);
  return columns == kUnbounded ? 80 : std::min<size_t>(columns, 100);
}

std::string table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths;
  std::vector<bool> right;
  for (size_t r = 0; r < rows.size(); ++r) {
    widths.resize(std::max(widths.size(), rows[r].size()));
    right.resize(widths.size(), true);
    for (size_t c = 0; c < rows[r].size(); ++c) {
      widths[c] = std::max(widths[c], screen_width(rows[r][c]));
      if (r > 0 && !rows[r][c].empty() && !is_numeric(rows[r][c])) right[c] = false;
    }
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line = " ";
    for (size_t c = 0; c < row.size(); ++c) {
      const std::string padding(widths[c] - screen_width(row[c]), ' ');
      line += " " + (right[c] ? padding + row[c] : row[c] + padding) + " ";
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto u = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      out += '\\', out += c;
    else if (u < 0x20)
      out += fmt::format("\\u{:04x}", u);
    else
      out += c;
  }
  return out + '"';
}

Console::Console(bool quiet, bool json, bool to_stderr)
    : mode_(json    ? Mode::json
            : quiet ? Mode::quiet
                    : Mode::people),
      stream_(to_stderr && !json ? stderr : stdout),
      terminal_(mode_ == Mode::people && ::isatty(::fileno(stream_))) {}

void Console::clear() {
  if (progress_shown_) write(stream_, "\r\033[K");
  progress_shown_ = false;
}

void Console::wrap(std::string_view text, size_t width, size_t indent) {
  line(wrapped(text, std::min(width, terminal_columns(stream_)), indent));
}

void Console::paragraph(std::string_view text, size_t indent) { wrap(text, 100, indent); }
void Console::sentence(std::string_view text, size_t indent) { wrap(text, kUnbounded, indent); }

void Console::line(std::string_view text) {
  if (mode_ != Mode::people) return;
  clear();
  write(stream_, fmt::format("{}\n", text));
  flush(stream_);
}

void Console::event(std::string_view json) {
  if (mode_ != Mode::json) return;
  write(stream_, fmt::format("{}\n", json));
  flush(stream_);
}

void Console::progress(std::vector<std::string> fields) {
  if (!terminal_) return;
  const size_t columns = terminal_columns(stream_) - 1;  // a full line would move the cursor to the next
  const auto join = [&] {
    std::string text;
    for (const std::string& field : fields) text += (text.empty() ? "" : "  ") + field;
    return text;
  };
  while (fields.size() > 2 && screen_width(join()) > columns) fields.erase(fields.end() - 2);
  write(stream_, fmt::format("\r{}\033[K", join()));
  flush(stream_);
  progress_shown_ = true;
}

LogSink Console::sink() {
  return [this](LogLevel level, std::string_view message) {
    if (level == LogLevel::debug) return;
    const char* word = level == LogLevel::warning ? "warning" : level == LogLevel::note ? "note" : "info";
    event(fmt::format("{{\"event\":\"{}\",\"text\":{}}}", word, quoted(message)));
    sentence(level == LogLevel::info ? std::string(message) : fmt::format("{}: {}", word, message));
  };
}

}  // namespace shoestring::cli
