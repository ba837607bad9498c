#include "data/archive.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "data/picture_files.h"
#include "data/text.h"

namespace shoestring::data {
namespace {

constexpr int64_t kPieceBytes = 256 << 10;
constexpr int64_t kZipHeaderBytes = 30;

// "a/b" of "./a//b"; nothing where it leads out of the archive.
std::optional<std::string> cleaned(std::string_view name) {
  std::string out;
  while (!name.empty()) {
    const size_t slash = std::min(name.find('/'), name.size());
    const std::string_view part = name.substr(0, slash);
    name.remove_prefix(std::min(slash + 1, name.size()));
    if (part == "..") return {};
    if (part.empty() || part == ".") continue;
    if (!out.empty()) out += '/';
    out += part;
  }
  return out;
}

class TextInMemory final : public ByteSource {
 public:
  explicit TextInMemory(std::string text) : text_(std::move(text)) {}
  Result<int64_t> read(char* out, int64_t capacity) override {
    const auto n = std::min(static_cast<size_t>(capacity), text_.size() - at_);
    std::memcpy(out, text_.data() + at_, n);
    at_ += n;
    return static_cast<int64_t>(n);
  }
  Compression compression() const override { return Compression::none; }

 private:
  std::string text_;
  size_t at_ = 0;
};

// Names in the encoding of another system, as UTF-8: one a line, as all are in the same. False: they cannot
// be.
bool to_utf8(std::vector<std::string*>& names) {
  std::string lines;
  for (const std::string* name : names) lines += *name + '\n';
  const size_t bytes = lines.size();
  TextSource source(std::make_unique<TextInMemory>(std::move(lines)), {}, "names");
  std::string text(4 * bytes, '\0');
  const auto n = source.read(text.data(), static_cast<int64_t>(text.size()));
  if (!n || source.encoding() == Encoding::utf8) return false;
  text.resize(static_cast<size_t>(*n));
  if (count_newlines(text) != static_cast<int64_t>(names.size())) return false;
  size_t at = 0;
  for (std::string* name : names) {
    const size_t end = text.find('\n', at);
    *name = text.substr(at, end - at);
    at = end + 1;
  }
  return true;
}

// A deflated member, piece by piece.
class Inflating {
 public:
  Inflating(const RandomFile& file, int64_t at, int64_t packed) : file_(file), at_(at), left_(packed) {
    ready_ = inflateInit2(&stream_, -MAX_WBITS) == Z_OK;
  }
  Inflating(const Inflating&) = delete;
  Inflating& operator=(const Inflating&) = delete;
  ~Inflating() { inflateEnd(&stream_); }

  // Fills `out`, less only at the end of the stream.
  Result<int64_t> read(std::span<std::byte> out, const std::string& where) {
    if (!ready_)
      return fail(ErrorKind::machine, "cannot decompress: out of memory", where, "free some memory");
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = static_cast<uInt>(out.size());
    while (stream_.avail_out > 0 && !ended_) {
      if (stream_.avail_in == 0) {
        input_.resize(static_cast<size_t>(std::min(left_, kPieceBytes)));
        if (input_.empty()) return damaged(where);
        if (auto ok = file_.read(at_, input_); !ok) return fail(ok.error());
        at_ += static_cast<int64_t>(input_.size());
        left_ -= static_cast<int64_t>(input_.size());
        stream_.next_in = reinterpret_cast<Bytef*>(input_.data());
        stream_.avail_in = static_cast<uInt>(input_.size());
      }
      const int code = inflate(&stream_, Z_NO_FLUSH);
      ended_ = code == Z_STREAM_END;
      if (code != Z_OK && !ended_) return damaged(where);
    }
    return static_cast<int64_t>(out.size() - stream_.avail_out);
  }

  static Failure damaged(const std::string& where) {
    return fail(ErrorKind::data, "this member of the archive is damaged", where,
                "copy or download the archive again; unzip -t checks it");
  }

 private:
  const RandomFile& file_;
  int64_t at_, left_;
  std::vector<std::byte> input_;
  z_stream stream_{};
  bool ready_ = false, ended_ = false;
};

class Unpacked final : public FileTree::Opened {
 public:
  explicit Unpacked(ScratchFile file) : file_(std::move(file)) { path_ = file_.path(); }

 private:
  ScratchFile file_;
};

class Archive final : public FileTree {
 public:
  Archive(const std::string& path, RandomFile file,
          std::vector<std::pair<std::string, ArchiveMember>> members, std::vector<std::string> notes)
      : file_(std::move(file)) {
    path_ = path;
    notes_ = std::move(notes);
    members_.reserve(members.size());
    for (const auto& [name, member] : members) {
      names_.add(name);
      members_.push_back(member);
    }
  }

  Status read(int64_t file, int64_t most_bytes, std::vector<std::byte>& room) const override {
    const ArchiveMember& member = members_[static_cast<size_t>(file)];
    const int64_t bytes = std::min(member.bytes, most_bytes);
    if (bytes > kMostEncodedBytes)
      return fail(ErrorKind::data, "the file is too large for a picture: " + human_bytes(bytes), where(file),
                  "leave it out, or save the picture smaller");
    const auto at = begin_of(file);
    if (!at) return fail(at.error());
    room.resize(static_cast<size_t>(bytes));
    if (!member.deflated) {
      if (auto ok = file_.read(*at, room); !ok) return ok;
    } else {
      Inflating stream(file_, *at, member.packed);
      const auto n = stream.read(room, where(file));
      if (!n) return fail(n.error());
      if (*n < bytes) return Inflating::damaged(where(file));
    }
    if (bytes == member.bytes && !right_sum(member, crc_of(0, room))) return Inflating::damaged(where(file));
    return {};
  }

  Result<std::unique_ptr<Opened>> open(int64_t file) const override {
    const ArchiveMember& member = members_[static_cast<size_t>(file)];
    const auto begin = begin_of(file);
    if (!begin) return fail(begin.error());
    auto out = temporary_file(member.bytes);
    if (!out) return fail(out.error());
    Inflating stream(file_, *begin, member.packed);
    std::vector<std::byte> piece;
    uint32_t crc = 0;
    for (int64_t at = 0; at < member.bytes;) {
      piece.resize(static_cast<size_t>(std::min(kPieceBytes, member.bytes - at)));
      if (member.deflated) {
        const auto n = stream.read(piece, where(file));
        if (!n) return fail(n.error());
        if (*n < static_cast<int64_t>(piece.size())) return Inflating::damaged(where(file));
      } else if (auto ok = file_.read(*begin + at, piece); !ok) {
        return fail(ok.error());
      }
      crc = crc_of(crc, piece);
      if (auto ok = out->write(at, piece); !ok) return fail(ok.error());
      at += static_cast<int64_t>(piece.size());
    }
    if (!right_sum(member, crc)) return Inflating::damaged(where(file));
    return std::make_unique<Unpacked>(std::move(*out));
  }

 private:
  static uint32_t crc_of(uint32_t before, std::span<const std::byte> bytes) {
    return static_cast<uint32_t>(
        ::crc32_z(before, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
  }
  static bool right_sum(const ArchiveMember& member, uint32_t crc) {
    return !member.has_header || crc == member.crc;
  }

  // In a zip a member's own header, of a length that only it says, stands before its bytes.
  Result<int64_t> begin_of(int64_t file) const {
    const ArchiveMember& member = members_[static_cast<size_t>(file)];
    if (!member.has_header) return member.at;
    std::array<std::byte, kZipHeaderBytes> header;
    if (auto ok = file_.read(member.at, header); !ok) return fail(ok.error());
    const auto u16 = [&](size_t at) {
      return static_cast<int64_t>(header[at]) | static_cast<int64_t>(header[at + 1]) << 8;
    };
    if (std::memcmp(header.data(), "PK\3\4", 4) != 0) return Inflating::damaged(where(file));
    return member.at + kZipHeaderBytes + u16(26) + u16(28);
  }

  RandomFile file_;
  std::vector<ArchiveMember> members_;  // of each name
};

}  // namespace

void ArchiveBuilder::add(std::string name, const ArchiveMember& member) {
  auto clean = cleaned(name);
  if (!clean || clean->empty()) return leave_out(name, "a name that leads out of the archive");
  if (!is_hidden(*clean)) members_.emplace_back(std::move(*clean), member);
}

void ArchiveBuilder::leave_out(const std::string& name, const std::string& why) {
  auto known =
      std::find_if(left_out_.begin(), left_out_.end(), [&](const LeftOut& l) { return l.why == why; });
  if (known == left_out_.end()) known = left_out_.insert(known, {why, name, 0});
  ++known->count;
}

std::shared_ptr<const FileTree> ArchiveBuilder::finish(const std::string& path, RandomFile file) {
  std::vector<std::string*> foreign;
  for (auto& [name, member] : members_)
    if (first_bad_byte(name) != std::string_view::npos) foreign.push_back(&name);
  if (!foreign.empty() && !to_utf8(foreign)) {
    std::erase_if(members_, [&](const auto& member) {
      const bool bad = first_bad_byte(member.first) != std::string_view::npos;
      if (bad) leave_out("", "a name that is no UTF-8");
      return bad;
    });
  }
  std::stable_sort(members_.begin(), members_.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  // The last of each name.
  const auto last = std::unique(members_.rbegin(), members_.rend(),
                                [](const auto& a, const auto& b) { return a.first == b.first; });
  members_.erase(members_.begin(), last.base());
  std::vector<std::string> notes;
  for (const LeftOut& left : left_out_) {
    const std::string first =
        left.first.empty() ? std::string() : fmt::format(": {}", picture_name(left.first));
    notes.push_back(fmt::format("{} of the archive {} {} and {} left out{}", count_of(left.count, "member"),
                                left.count == 1 ? "has" : "have", left.why, left.count == 1 ? "is" : "are",
                                first));
  }
  return std::make_shared<Archive>(path, std::move(file), std::move(members_), std::move(notes));
}

}  // namespace shoestring::data
