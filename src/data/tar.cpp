// tar archives: ustar, GNU's long names, pax headers.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>

#include "data/archive.h"

namespace shoestring::data {
namespace {

constexpr size_t kBlock = 512;
constexpr int64_t kMostHeaderBytes = 1 << 20;  // of a long name or a pax header

using Header = std::array<char, kBlock>;

std::string_view field(const Header& header, size_t at, size_t length) {
  const std::string_view text(header.data() + at, length);
  return text.substr(0, text.find('\0'));
}

// Octal digits between spaces; or, with the first bit set, a number in base 256. -1: neither.
int64_t number(std::string_view text) {
  if (!text.empty() && (static_cast<unsigned char>(text[0]) & 0x80) != 0) {
    int64_t value = static_cast<unsigned char>(text[0]) & 0x3F;
    for (size_t i = 1; i < text.size(); ++i) {
      if (value > (INT64_MAX >> 9)) return -1;
      value = value << 8 | static_cast<unsigned char>(text[i]);
    }
    return value;
  }
  int64_t value = 0;
  bool digits = false;
  for (const char c : text) {
    if (c >= '0' && c <= '7') {
      value = value << 3 | (c - '0');
      digits = true;
    } else if (c != ' ' && c != '\0') {
      return -1;
    } else if (digits) {
      break;
    }
  }
  return digits ? value : -1;
}

bool right_sum(std::string_view header) {
  constexpr size_t kAt = 148, kLength = 8;
  int64_t sum = 0, signed_sum = 0;
  for (size_t i = 0; i < kBlock; ++i) {
    const char c = i >= kAt && i < kAt + kLength ? ' ' : header[i];
    sum += static_cast<unsigned char>(c);
    signed_sum += static_cast<signed char>(c);
  }
  const int64_t said = number(header.substr(kAt, kLength));
  return said == sum || said == signed_sum;
}

// The records "LENGTH KEY=VALUE\n" of a pax header.
std::map<std::string, std::string> pax_records(std::string_view text) {
  std::map<std::string, std::string> records;
  while (!text.empty()) {
    size_t length = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
    const auto begin = static_cast<size_t>(end - text.data()) + 1;
    if (error != std::errc() || length <= begin || length > text.size()) break;
    const std::string_view record = text.substr(begin, length - begin - 1);
    if (const size_t equals = record.find('='); equals != std::string_view::npos)
      records[std::string(record.substr(0, equals))] = record.substr(equals + 1);
    text.remove_prefix(length);
  }
  return records;
}

class Walk {
 public:
  Walk(const std::string& path, const RandomFile& file) : path_(path), file_(file) {}

  Status all(ArchiveBuilder& out) {
    Header header;
    while (at_ + static_cast<int64_t>(kBlock) <= file_.bytes()) {
      if (auto ok = file_.read(at_, std::as_writable_bytes(std::span(header))); !ok) return ok;
      if (std::all_of(header.begin(), header.end(), [](char c) { return c == '\0'; })) return {};
      if (!right_sum({header.data(), kBlock}))
        return fail(ErrorKind::data, fmt::format("the tar archive is damaged at byte {}", at_), path_,
                    "copy or download it again; tar -t checks it");
      at_ += kBlock;
      if (auto ok = take(header, out); !ok) return ok;
    }
    if (at_ < file_.bytes() || at_ == 0) return ends_early();
    return {};
  }

 private:
  Failure ends_early() const {
    return fail(ErrorKind::data, "the tar archive ends early: a part of it is missing", path_,
                "copy or download it again; tar -t checks it");
  }

  // What stands before a member and is about it.
  Result<std::string> text(int64_t bytes) {
    if (bytes > kMostHeaderBytes) return ends_early();
    std::string text(static_cast<size_t>(bytes), '\0');
    if (auto ok = file_.read(at_, std::as_writable_bytes(std::span(text))); !ok) return fail(ok.error());
    return text;
  }

  Status take(const Header& header, ArchiveBuilder& out) {
    int64_t bytes = number({header.data() + 124, 12});
    const char type = header[156];
    if (type != 'L' && type != 'x')
      if (const auto size = pax_.find("size"); size != pax_.end()) bytes = std::atoll(size->second.c_str());
    if (bytes < 0 || bytes > file_.bytes() - at_) return ends_early();
    if (type == 'L' || type == 'x') {
      const auto words = text(bytes);
      if (!words) return fail(words.error());
      if (type == 'L')
        long_name_ = words->substr(0, words->find('\0'));
      else
        pax_ = pax_records(*words);
    } else if (type != 'g' && type != 'K') {
      const std::string name = name_of(header);
      const bool sparse = type == 'S' || pax_.contains("GNU.sparse.major") || pax_.contains("GNU.sparse.map");
      if (sparse)
        out.leave_out(name, "holes in it");
      else if (type == '1' || type == '2')
        out.leave_out(name, "only a link in it");
      else if ((type == '0' || type == '\0' || type == '7') && !name.ends_with('/'))
        out.add(name, {.at = at_, .packed = bytes, .bytes = bytes});
      long_name_.clear();
      pax_.clear();
    }
    at_ += (bytes + static_cast<int64_t>(kBlock) - 1) / static_cast<int64_t>(kBlock) *
           static_cast<int64_t>(kBlock);
    return {};
  }

  std::string name_of(const Header& header) const {
    if (const auto path = pax_.find("path"); path != pax_.end()) return path->second;
    if (!long_name_.empty()) return long_name_;
    const std::string name(field(header, 0, 100));
    const bool has_prefix = std::string_view(header.data() + 257, 6) == std::string_view("ustar\0", 6);
    const std::string_view prefix = has_prefix ? field(header, 345, 155) : std::string_view();
    return prefix.empty() ? name : fmt::format("{}/{}", prefix, name);
  }

  const std::string& path_;
  const RandomFile& file_;
  int64_t at_ = 0;
  std::string long_name_;                   // for the next member
  std::map<std::string, std::string> pax_;  // likewise
};

}  // namespace

bool is_tar(std::string_view head) {
  return head.size() >= kBlock && head[0] != '\0' && right_sum(head.substr(0, kBlock));
}

Result<std::shared_ptr<const FileTree>> open_tar(const std::string& path) {
  auto file = RandomFile::open(path);
  if (!file) return fail(file.error());
  ArchiveBuilder builder;
  if (auto ok = Walk(path, *file).all(builder); !ok) return fail(ok.error());
  return builder.finish(path, std::move(*file));
}

}  // namespace shoestring::data
