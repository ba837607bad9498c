#include "data/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "data/readers.h"
#include "data/sniff.h"

namespace shoestring::data {
namespace {

struct Magic {
  std::string_view bytes, what, fix;
};

// What people hand in by mistake, told by its first bytes.
constexpr std::array kNotTables{
    Magic{"PK\x03\x04", "a zip or Excel file", "unpack it, or save the sheet as CSV"},
    Magic{"\xD0\xCF\x11\xE0", "an Excel file", "save the sheet as CSV"},
    Magic{"PAR1", "a Parquet file", "write it as CSV; Parquet is not read yet"},
    Magic{"SQLite format 3", "an SQLite database",
          "export the table: sqlite3 -csv -header FILE 'select * from T'"},
    Magic{"\x89HDF", "an HDF5 file", "write the table as CSV"},
    Magic{"BZh", "a bzip2 file", "bunzip2 it"},
    Magic{"\xFD"
          "7zXZ",
          "an xz file", "unxz it"},
    Magic{"\x28\xB5\x2F\xFD", "a zstd file", "unzstd it"},
    Magic{"%PDF", "a PDF file", "give the table as CSV"},
    Magic{"\xFF\xFE", "text in UTF-16", "convert it: iconv -f utf-16 -t utf-8 FILE > NEW"},
    Magic{"\xFE\xFF", "text in UTF-16", "convert it: iconv -f utf-16 -t utf-8 FILE > NEW"},
};

Result<OpenFile> open_file(const std::string& path, const ReadOptions& options) {
  auto bytes = ByteSource::open(path);
  if (!bytes) return fail(std::move(bytes.error()));
  OpenFile file{.path = path, .bytes = std::move(*bytes), .head = {}};
  const auto read_up_to = [&](int64_t size) -> Status {
    const auto have = static_cast<int64_t>(file.head.size());
    file.head.resize(static_cast<size_t>(size));
    const auto n = file.bytes->read(file.head.data() + have, size - have);
    file.head.resize(static_cast<size_t>(have + n.value_or(0)));
    if (!n) return fail(n.error());
    file.whole = have + *n < size;
    return {};
  };
  if (Status s = read_up_to(std::min(kSampleBytes, options.block_bytes)); !s)
    return fail(std::move(s.error()));
  // A very wide table: its first rows need more.
  if (!file.whole && count_newlines(file.head) < 2) {
    if (Status s = read_up_to(options.block_bytes); !s) return fail(std::move(s.error()));
  }
  if (file.head.starts_with("\xEF\xBB\xBF")) {
    file.bom = true;
    file.head.erase(0, 3);
  }
  return file;
}

Status check_head(const OpenFile& file) {
  const std::string name = file.name();
  if (file.whole && file.head.find_first_not_of(" \t\r\n") == std::string::npos) {
    return fail(ErrorKind::data, "the file is empty", name, "give a file with a header and at least one row");
  }
  for (const Magic& magic : kNotTables) {
    if (file.head.starts_with(magic.bytes)) {
      return fail(ErrorKind::data, fmt::format("this is {}, not a table as text", magic.what), name,
                  std::string(magic.fix));
    }
  }
  // The last bytes of the head may be a part of a character.
  const size_t bad = first_bad_byte(file.head);
  if (bad != std::string_view::npos && (file.whole || bad + 4 < file.head.size())) {
    return fail_not_text(file.head, bad, name,
                         1 + count_newlines(std::string_view(file.head).substr(0, bad)));
  }
  return {};
}

TableKind kind_of(std::string_view head) {
  const size_t at = head.find_first_not_of(" \t\r\n");
  return at != std::string_view::npos && head[at] == '{' ? TableKind::jsonl : TableKind::csv;
}

}  // namespace

Failure fail_at(const std::string& name, int64_t line, std::string what, std::string fix) {
  return fail(ErrorKind::data, std::move(what), fmt::format("{}:{}", name, line), std::move(fix));
}

Failure fail_not_text(std::string_view text, size_t bad, const std::string& name, int64_t line) {
  if (text[bad] == 0) {
    return fail_at(name, line, "this is not text: it holds a zero byte",
                   "give a table as text (CSV, TSV or JSON lines), or repair the line");
  }
  return fail_at(name, line,
                 fmt::format("this is not UTF-8: byte 0x{:02x}", static_cast<unsigned char>(text[bad])),
                 "convert the file: iconv -f latin1 -t utf-8 FILE > NEW (with the encoding it has)");
}

Status Window::advance(int64_t used, ByteSource& bytes) {
  text_.erase(0, static_cast<size_t>(used));
  const auto have = static_cast<int64_t>(text_.size());
  if (at_end_ || have >= block_bytes_) return {};
  text_.resize(static_cast<size_t>(block_bytes_));
  const auto n = bytes.read(text_.data() + have, block_bytes_ - have);
  text_.resize(static_cast<size_t>(have + n.value_or(0)));
  if (!n) return fail(n.error());
  at_end_ = have + *n < block_bytes_;
  return {};
}

Status set_data_format(std::string_view word, ReadOptions& options) {
  static const std::array<std::string, 4> kWords{"auto", "csv", "tsv", "jsonl"};
  if (word.empty() || word == "auto") return {};
  if (word == "csv") {
    options.kind = TableKind::csv;
  } else if (word == "tsv") {
    options.kind = TableKind::csv;
    options.delimiter = '\t';
  } else if (word == "jsonl") {
    options.kind = TableKind::jsonl;
  } else {
    const std::string near = nearest(word, kWords);
    return fail(ErrorKind::usage, fmt::format("unknown data format '{}'", word), "--data_format",
                near.empty() ? "use csv, tsv, jsonl or auto" : fmt::format("did you mean '{}'?", near));
  }
  return {};
}

std::string RaggedRows::message() const {
  if (count == 0) return {};
  return fmt::format("{} row{} left out: line {} has {} cell{} where {} were expected", count,
                     count == 1 ? "" : "s", first_line, first_cells, first_cells == 1 ? "" : "s",
                     expected_cells);
}

int TableReader::index_of(std::string_view name) const {
  const auto at = std::find(names_.begin(), names_.end(), name);
  return at == names_.end() ? -1 : static_cast<int>(at - names_.begin());
}

Result<std::unique_ptr<TableReader>> open_table(const std::string& path, ReadOptions options) {
  options.block_bytes = std::clamp<int64_t>(options.block_bytes, 1 << 10, 1 << 30);
  auto file = open_file(path, options);
  if (!file) return fail(std::move(file.error()));
  if (Status s = check_head(*file); !s) return fail(std::move(s.error()));
  const TableKind kind = options.kind.value_or(kind_of(file->head));
  if (kind == TableKind::csv && !options.kind && file->head.starts_with('[')) {
    return fail(ErrorKind::data, "this looks like one JSON array, not a table", file->name(),
                "write one object a line: jq -c '.[]' FILE; for a CSV that begins so, say --data_format csv");
  }
  return kind == TableKind::jsonl ? open_jsonl(std::move(*file), options)
                                  : open_csv(std::move(*file), options);
}

}  // namespace shoestring::data
