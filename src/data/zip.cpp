// zip archives, by their directory, which stands at the end; zip64 too.
#include <fmt/format.h>

#include <algorithm>

#include "data/archive.h"
#include "data/picture_formats.h"

namespace shoestring::data {
namespace {

constexpr int64_t kEndBytes = 22, kMostComment = 65'535;
constexpr uint32_t kElsewhere = 0xFFFFFFFF;  // a number that stands in 64 bits, in another place

struct Directory {
  int64_t entries = 0, bytes = 0, at = 0;
  int64_t shift = 0;  // of all places: what was put before the archive
};

int64_t little64(EncodedPicture b, size_t at) {
  return static_cast<int64_t>(uint64_t{little32(b, at)} | uint64_t{little32(b, at + 4)} << 32);
}

class Reader {
 public:
  Reader(const std::string& path, const RandomFile& file) : path_(path), file_(file) {}

  Status all(ArchiveBuilder& out) {
    const auto directory = find_directory();
    if (!directory) return fail(directory.error());
    std::vector<std::byte> bytes(static_cast<size_t>(directory->bytes));
    if (auto ok = file_.read(directory->at + directory->shift, bytes); !ok) return ok;
    size_t at = 0;
    for (int64_t e = 0; e < directory->entries; ++e) {
      if (!says(bytes, at, "PK\1\2") || bytes.size() - at < 46) return damaged();
      const size_t name = little16(bytes, at + 28), extra = little16(bytes, at + 30),
                   comment = little16(bytes, at + 32);
      if (bytes.size() - at - 46 < name + extra + comment) return damaged();
      if (auto ok = take(EncodedPicture(bytes).subspan(at, 46 + name + extra), *directory, out); !ok)
        return ok;
      at += 46 + name + extra + comment;
    }
    return {};
  }

 private:
  Failure damaged() const {
    return fail(ErrorKind::data, "the directory of the zip archive is damaged, or its end is missing", path_,
                "copy or download it again; unzip -t checks it");
  }

  Result<Directory> find_directory() const {
    const int64_t look = std::min(file_.bytes(), kEndBytes + kMostComment);
    std::vector<std::byte> end(static_cast<size_t>(look));
    if (auto ok = file_.read(file_.bytes() - look, end); !ok) return fail(ok.error());
    for (int64_t at = look - kEndBytes; at >= 0; --at) {
      const auto a = static_cast<size_t>(at);
      if (!says(end, a, "PK\5\6") || at + kEndBytes + little16(end, a + 20) > look) continue;
      Directory directory{
          .entries = little16(end, a + 10), .bytes = little32(end, a + 12), .at = little32(end, a + 16)};
      int64_t end_at = file_.bytes() - look + at;
      if (at >= 20 && says(end, a - 20, "PK\6\7"))
        if (auto ok = read_64(little64(end, a - 20 + 8), directory, end_at); !ok) return fail(ok.error());
      if (!fits(directory.bytes) || !fits(directory.at) || directory.entries < 0) return damaged();
      directory.shift = end_at - directory.bytes - directory.at;
      if (directory.shift < 0) return damaged();
      return directory;
    }
    return damaged();
  }

  // Whether a number may be a place or a length within the file.
  bool fits(int64_t number) const { return number >= 0 && number <= file_.bytes(); }

  Status read_64(int64_t at, Directory& directory, int64_t& end_at) const {
    std::array<std::byte, 56> end;
    if (!fits(at)) return damaged();
    if (auto ok = file_.read(at, end); !ok) return damaged();
    if (!says(end, 0, "PK\6\6")) return damaged();
    directory = {.entries = little64(end, 32), .bytes = little64(end, 40), .at = little64(end, 48)};
    end_at = at;
    return {};
  }

  Status take(EncodedPicture entry, const Directory& directory, ArchiveBuilder& out) const {
    const uint32_t flags = little16(entry, 8), method = little16(entry, 10), attributes = little32(entry, 38);
    const size_t length = little16(entry, 28);
    const std::string name(reinterpret_cast<const char*>(entry.data()) + 46, length);
    ArchiveMember member{.at = little32(entry, 42),
                         .packed = little32(entry, 20),
                         .bytes = little32(entry, 24),
                         .crc = little32(entry, 16),
                         .deflated = method == 8,
                         .has_header = true};
    read_wide_numbers(entry.subspan(46 + length), member);
    const bool link = (attributes >> 16 & 0170000) == 0120000;
    if (!fits(member.at) || !fits(member.packed) || member.bytes < 0) return damaged();
    member.at += directory.shift;
    if (name.ends_with('/')) return {};
    if (link) return out.leave_out(name, "only a link in it"), Status();
    if ((flags & 1) != 0) return out.leave_out(name, "a password"), Status();
    if (method != 0 && method != 8) return out.leave_out(name, "a compression that is not read"), Status();
    if (member.packed > file_.bytes() - member.at || (method == 0 && member.packed != member.bytes) ||
        member.bytes / 1100 > member.packed + 1)
      return damaged();
    out.add(name, member);
    return {};
  }

  // Those of 64 bits, in the order in which the entry lacks them.
  static void read_wide_numbers(EncodedPicture extra, ArchiveMember& member) {
    for (size_t at = 0; at + 4 <= extra.size();) {
      const size_t length = little16(extra, at + 2);
      if (little16(extra, at) == 1) {
        size_t next = at + 4;
        for (int64_t* number : {&member.bytes, &member.packed, &member.at}) {
          if (*number != kElsewhere || next + 8 > at + 4 + length) continue;
          *number = little64(extra, next);
          next += 8;
        }
      }
      at += 4 + length;
    }
  }

  const std::string& path_;
  const RandomFile& file_;
};

}  // namespace

Result<std::shared_ptr<const FileTree>> open_zip(const std::string& path) {
  auto file = RandomFile::open(path);
  if (!file) return fail(file.error());
  ArchiveBuilder builder;
  if (auto ok = Reader(path, *file).all(builder); !ok) return fail(ok.error());
  return builder.finish(path, std::move(*file));
}

}  // namespace shoestring::data
