#include "data/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "base/text.h"
#include "data/file_tree.h"
#include "data/format_words.h"
#include "data/json_pieces.h"
#include "data/picture_arrays.h"
#include "data/picture_source.h"
#include "data/readers.h"
#include "data/sniff.h"
#include "data/sources.h"

namespace shoestring::data {
namespace {

// What files begin with.
struct Magic {
  std::string_view bytes;
  std::optional<TableKind> kind;         // of tables that are no text
  std::string_view what = {}, fix = {};  // of what people hand in by mistake
};

constexpr std::array kMagics{
    Magic{"PAR1", TableKind::parquet, "a Parquet file"},
    Magic{"ARROW1", TableKind::feather, "a Feather file"},
    Magic{"\xFF\xFF\xFF\xFF", TableKind::feather, "an Arrow stream"},
    Magic{"SQLite format 3", TableKind::sqlite, "an SQLite database"},
    Magic{"FEA1",
          {},
          "a Feather file of version 1",
          "write it as version 2 (any writer since 2020), or as Parquet"},
    Magic{"\xD0\xCF\x11\xE0", {}, "an Excel file", "save the sheet as CSV"},
    Magic{"\x89HDF", {}, "an HDF5 file", "write the table as Parquet or CSV"},
    Magic{"ORC", {}, "an ORC file", "write it as Parquet"},
    Magic{"Obj\x01", {}, "an Avro file", "write it as Parquet"},
    Magic{"BZh", {}, "a bzip2 file", "bunzip2 it"},
    Magic{"\xFD"
          "7zXZ",
          {},
          "an xz file",
          "unxz it"},
    Magic{"%PDF", {}, "a PDF file", "give the table as CSV"},
};

const Magic* magic_of(std::string_view head) {
  for (const Magic& magic : kMagics)
    if (head.starts_with(magic.bytes)) return &magic;
  return nullptr;
}

// What opens an archive that begins so; null for what is none.
using OpenArchive = Result<std::shared_ptr<const FileTree>> (*)(const std::string&);
OpenArchive archive_of(std::string_view head) {
  if (head.starts_with("PK\x03\x04") || head.starts_with("PK\x05\x06")) return open_zip;
  return is_tar(head) ? open_tar : nullptr;
}

// Reads up to `size` bytes behind what `head` holds; whether that was all.
template <class Source>
Result<bool> fill(Source& source, std::string& head, int64_t size) {
  const auto have = static_cast<int64_t>(head.size());
  head.resize(static_cast<size_t>(size));
  const auto n = source.read(head.data() + have, size - have);
  head.resize(static_cast<size_t>(have + n.value_or(0)));
  if (!n) return fail(n.error());
  return have + *n < size;
}

Result<OpenFile> open_text_file(const std::string& path, std::unique_ptr<ByteSource> bytes, std::string raw,
                                const ReadOptions& options) {
  OpenFile file{.path = path, .text = {}, .head = {}};
  file.text = std::make_unique<TextSource>(std::move(bytes), std::move(raw), file.name());
  auto whole = fill(*file.text, file.head, std::min(kSampleBytes, options.block_bytes));
  // A very wide table: its first rows need more.
  if (whole && !*whole && count_newlines(file.head) < 2)
    whole = fill(*file.text, file.head, options.block_bytes);
  if (!whole) return fail(std::move(whole.error()));
  file.whole = *whole;
  return file;
}

Status check_head(const OpenFile& file) {
  const std::string name = file.name();
  if (file.whole && file.head.find_first_not_of(" \t\r\n") == std::string::npos) {
    return fail(ErrorKind::data, "the file is empty", name, "give a file with a header and at least one row");
  }
  // The last bytes of the head may be a part of a character.
  const size_t bad = first_bad_byte(file.head);
  if (bad != std::string_view::npos && (file.whole || bad + 4 < file.head.size())) {
    return fail_not_text(file.head, bad, name,
                         1 + count_newlines(std::string_view(file.head).substr(0, bad)));
  }
  return {};
}

// Whether the text is one object of columns: no object that ends with its line and is followed by another,
// and its first member holds a list or an object, unless it is a line on its own in a file of JSON lines.
bool is_object_of_columns(const OpenFile& file) {
  const std::string_view head = file.head;
  const size_t begin = skip_json_space(head, 0);
  const size_t end = end_of_json_value(head, begin);
  if (end != std::string_view::npos && skip_json_space(head, end) < head.size()) return false;
  if (end == std::string_view::npos && head.find('\n', begin) == std::string_view::npos && file.whole)
    return false;
  const size_t key = skip_json_space(head, begin + 1);
  const size_t colon = end_of_json_value(head, key);
  if (colon == std::string_view::npos || colon >= head.size()) return false;
  const size_t value = skip_json_space(head, skip_json_space(head, colon) + 1);
  if (value >= head.size() || (head[value] != '[' && head[value] != '{')) return false;
  const auto named = [&](std::string_view ending) { return file.path.find(ending) != std::string::npos; };
  if (named(".jsonl") || named(".ndjson")) return false;
  // A row of one's own, as an answer is asked for from a pipe, is not a table.
  return file.path != "-" || end == std::string_view::npos;
}

TableKind kind_of(const OpenFile& file) {
  const size_t at = skip_json_space(file.head, 0);
  if (at == file.head.size()) return TableKind::csv;
  if (file.head[at] == '{') return is_object_of_columns(file) ? TableKind::json : TableKind::jsonl;
  if (file.head[at] != '[') return TableKind::csv;
  const size_t element = skip_json_space(file.head, at + 1);
  return element < file.head.size() && (file.head[element] == '{' || file.head[element] == ']')
             ? TableKind::json
             : TableKind::csv;
}

Result<std::unique_ptr<TableReader>> open_text_table(OpenFile file, const ReadOptions& options) {
  if (Status s = check_head(file); !s) return fail(std::move(s.error()));
  const TableKind kind = options.kind.value_or(kind_of(file));
  if (kind == TableKind::csv && !options.kind && file.head.starts_with("[[")) {
    return fail(
        ErrorKind::data, "this looks like a JSON array of arrays, which have no column names", file.name(),
        "write one object a line: {\"column\": value, ...}; for a CSV that begins so, say --data_format csv");
  }
  if (kind == TableKind::csv) return open_csv(std::move(file), options);
  const size_t at = skip_json_space(file.head, 0);
  if (kind == TableKind::json && file.head[at] == '{') return open_json_columns(std::move(file), options);
  if (kind == TableKind::json && file.head[at] != '[')
    return fail_at(file.name(), 1 + count_newlines(std::string_view(file.head).substr(0, at)),
                   "this JSON is no table: it begins with neither [ nor {",
                   "write [{\"column\": value, ...}, ...], or one object a line (JSON lines)");
  return open_jsonl(std::move(file), kind, options);
}

Result<std::unique_ptr<TableReader>> open_one(const std::string& path, const ReadOptions& options) {
  if (path.starts_with(kSqlitePrefix)) return open_sqlite(path.substr(kSqlitePrefix.size()));
  if (std::error_code ec; std::filesystem::is_directory(path, ec)) {
    auto folder = open_folder(path);
    if (!folder) return fail(std::move(folder.error()));
    return open_picture_source(std::move(*folder), options);
  }
  const std::string name = path == "-" ? "stdin" : path;
  auto bytes = ByteSource::open(path);
  if (!bytes) return fail(std::move(bytes.error()));
  std::string head;
  const auto whole = fill(**bytes, head, std::min(kSampleBytes, options.block_bytes));
  if (!whole) return fail(whole.error());
  if (!options.kind && (is_idx(head) || is_npy(head)))
    return path == "-" ? fail(ErrorKind::data, "pictures are read at several places at once, not from a pipe",
                              name, "save them as a file first")
                       : open_picture_array(path);
  if (const auto open_archive = archive_of(head)) {
    if (path == "-")
      return fail(ErrorKind::data, "an archive is read at several places at once, not from a pipe", name,
                  "save it as a file first");
    auto tree = open_archive(path);
    if (!tree) return fail(std::move(tree.error()));
    return open_picture_source(std::move(*tree), options);
  }
  const Magic* magic = magic_of(head);
  const bool is_text = magic == nullptr || !magic->kind;
  const bool wants_text = !options.kind || *options.kind < TableKind::parquet;
  if (is_text != wants_text && options.kind && !head.empty())
    return fail(ErrorKind::data,
                is_text ? fmt::format("this is no {} file", word_of(*options.kind))
                        : fmt::format("this is {}, not {}", magic->what, word_of(*options.kind)),
                name, "leave --data_format out: what a file is is found by looking");
  if (magic == nullptr || head.empty()) {
    auto file = open_text_file(path, std::move(*bytes), std::move(head), options);
    if (!file) return fail(std::move(file.error()));
    return open_text_table(std::move(*file), options);
  }
  if (!magic->kind)
    return fail(ErrorKind::data, fmt::format("this is {}, not a table as text", magic->what), name,
                std::string(magic->fix));
  if (options.kind && *options.kind != *magic->kind)
    return fail(ErrorKind::data, fmt::format("this is {}, not {}", magic->what, word_of(*options.kind)), name,
                "leave --data_format out: what a file is is found by looking");
  if (path == "-" || (*bytes)->compression() != Compression::none)
    return fail(ErrorKind::data,
                fmt::format("this is {} {}, which is read at several places at once", magic->what,
                            path == "-" ? "from a pipe" : "in a compressed file"),
                name, path == "-" ? "save it as a file first" : "decompress it: it is compressed by itself");
  if (*magic->kind == TableKind::sqlite) return open_sqlite(path);
  return open_columnar(path, *magic->kind);
}

}  // namespace

Failure fail_at(const std::string& name, int64_t line, std::string what, std::string fix) {
  return fail(ErrorKind::data, std::move(what), fmt::format("{}:{}", name, line), std::move(fix));
}

Failure fail_not_text(std::string_view text, size_t bad, const std::string& name, int64_t line) {
  if (text[bad] == 0) {
    return fail_at(name, line, "this is not text: it holds a zero byte",
                   "give a table (CSV, JSON, Parquet, Feather or SQLite), or repair the line");
  }
  return fail_at(name, line,
                 fmt::format("this is not UTF-8: byte 0x{:02x}", static_cast<unsigned char>(text[bad])),
                 "convert the file: iconv -f ENCODING -t utf-8 FILE > NEW (with the encoding it has)");
}

Status Window::advance(int64_t used, TextSource& source) {
  text_.erase(0, static_cast<size_t>(used));
  const auto have = static_cast<int64_t>(text_.size());
  if (at_end_ || have >= block_bytes_) return {};
  text_.resize(static_cast<size_t>(block_bytes_));
  const auto n = source.read(text_.data() + have, block_bytes_ - have);
  text_.resize(static_cast<size_t>(have + n.value_or(0)));
  if (!n) return fail(n.error());
  at_end_ = have + *n < block_bytes_;
  return {};
}

std::string Window::take(int64_t used) {
  std::string rest = text_.substr(static_cast<size_t>(used));
  return std::exchange(text_, std::move(rest));
}

std::string RaggedRows::message() const {
  if (count == 0) return {};
  return fmt::format("{} left out: line {} has {} where {} were expected", count_of(count, "row"), first_line,
                     count_of(first_cells, "cell"), expected_cells);
}

int TableReader::index_of(std::string_view name) const {
  const auto at = std::find(names_.begin(), names_.end(), name);
  return at == names_.end() ? -1 : static_cast<int>(at - names_.begin());
}

Result<std::unique_ptr<TableReader>> open_table(const std::string& source, ReadOptions options) {
  options.block_bytes = std::clamp<int64_t>(options.block_bytes, 1 << 10, 1 << 30);
  auto files = files_of(source);
  if (!files) return fail(std::move(files.error()));
  if (files->size() > 1) return open_several(std::move(*files), options);
  return open_one(files->front(), options);
}

}  // namespace shoestring::data
