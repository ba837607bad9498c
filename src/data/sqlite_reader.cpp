// A table, a view or a query of an SQLite database, read only. Integers and reals are their decimal text,
// blobs the text that they hold, NULL is absent.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>

#include <charconv>
#include <cmath>

#include "base/module.h"
#include "base/text.h"
#include "data/header.h"
#include "data/readers.h"
#include "data/sources.h"
#include "data/sqlite_module.h"

namespace shoestring::data {

Result<const SqliteModule*> sqlite_module() {
  static const Result<const SqliteModule*> module = []() -> Result<const SqliteModule*> {
    const auto entry = module_entry("shoestring_sqlite.so", "shoestring_sqlite_module");
    if (!entry) return fail(entry.error());
    const SqliteModule* opened = reinterpret_cast<decltype(&shoestring_sqlite_module)>(*entry)();
    if (opened->version != kSqliteModuleVersion)
      return fail(ErrorKind::machine, "the module that reads databases is of another version",
                  "shoestring_sqlite.so", "install Shoestring again");
    return opened;
  }();
  return module;
}

namespace {

constexpr int64_t kBatchRows = 16'384, kBatchBytes = 1 << 20;
constexpr int kLongestCell = 64 << 20;
constexpr const char* kSyntax = "write sqlite:FILE?table=NAME or sqlite:FILE?query=SELECT ...";

// "FILE?table=NAME" taken apart; "%20" is a space.
struct SqliteSource {
  std::string file, table, query;
};

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    unsigned byte = 0;
    const char* const digits = text.data() + i + 1;
    if (text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(digits, digits + 2, byte, 16).ptr == digits + 2) {
      out += static_cast<char>(byte);
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

Result<SqliteSource> parse_source(const std::string& source) {
  SqliteSource out;
  const size_t mark = source.find('?');
  out.file = percent_decoded(std::string_view(source).substr(0, mark));
  if (out.file.empty())
    return fail(ErrorKind::usage, "the database's file is not named", std::string(kSqlitePrefix) + source,
                kSyntax);
  if (mark == std::string::npos) return out;
  const std::string_view rest = std::string_view(source).substr(mark + 1);
  if (rest.starts_with("table="))
    out.table = percent_decoded(rest.substr(6));
  else if (rest.starts_with("query="))
    out.query = percent_decoded(rest.substr(6));
  if (out.table.empty() && out.query.empty())
    return fail(ErrorKind::usage, fmt::format("'{}' names neither a table nor a query", rest),
                std::string(kSqlitePrefix) + source, kSyntax);
  return out;
}

std::string quoted(std::string_view name) {
  std::string out = "\"";
  for (const char c : name) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + '"';
}

// A database and a statement in it.
class Database {
 public:
  explicit Database(const SqliteModule* sqlite) : sqlite_(sqlite) {}
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  ~Database() { close(); }

  // Without locks and without looking for a journal where the folder cannot be written to.
  Status open(const std::string& file) {
    path_ = file;
    struct stat info;
    if (::stat(file.c_str(), &info) != 0)
      return fail(ErrorKind::data, "no such file", file,
                  "check the path; it is taken from the current folder");
    for (const char* mode : {"?mode=ro", "?mode=ro&immutable=1"}) {
      std::string uri = "file:";
      for (const char c : file) {
        if (c == '%' || c == '?' || c == '#')
          uri += fmt::format("%{:02x}", static_cast<unsigned char>(c));
        else
          uri += c;
      }
      close();
      const int code =
          sqlite_->open((uri + mode).c_str(), &handle_, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, nullptr);
      if (handle_ != nullptr) sqlite_->limit(handle_, SQLITE_LIMIT_LENGTH, kLongestCell);
      if (code == SQLITE_OK && prepare("select count(*) from sqlite_master") && step() == SQLITE_ROW)
        return {};
    }
    return failure("the database cannot be read", "check that it is an SQLite database, and whole");
  }

  bool prepare(const std::string& sql) {
    finish();
    const char* rest = nullptr;
    return sqlite_->prepare(handle_, sql.c_str(), static_cast<int>(sql.size()), &statement_, &rest) ==
               SQLITE_OK &&
           statement_ != nullptr && reads();
  }
  bool reads() const { return sqlite_->stmt_readonly(statement_) != 0; }  // and changes nothing
  bool prepared() const { return statement_ != nullptr; }
  int step() { return sqlite_->step(statement_); }
  int columns() const { return sqlite_->column_count(statement_); }
  std::string name(int column) const {
    const char* text = sqlite_->column_name(statement_, column);
    return text != nullptr ? text : "";
  }

  // The cell of the row that step() came to, or nothing for NULL and NaN.
  std::optional<std::string_view> cell(int column) {
    switch (sqlite_->column_type(statement_, column)) {
      case SQLITE_NULL:
        return {};
      case SQLITE_INTEGER:
        return number(sqlite_->column_int64(statement_, column));
      case SQLITE_FLOAT: {
        const double value = sqlite_->column_double(statement_, column);
        if (std::isnan(value)) return {};
        return number(value);
      }
      default: {
        const bool text = sqlite_->column_type(statement_, column) == SQLITE_TEXT;
        const auto* bytes = text ? reinterpret_cast<const char*>(sqlite_->column_text(statement_, column))
                                 : static_cast<const char*>(sqlite_->column_blob(statement_, column));
        const int size = sqlite_->column_bytes(statement_, column);
        return bytes == nullptr ? std::string_view() : std::string_view(bytes, static_cast<size_t>(size));
      }
    }
  }

  std::vector<std::string> tables() {
    std::vector<std::string> names;
    if (!prepare(
            "select name from sqlite_master where type in ('table', 'view') and name not like 'sqlite!_%' "
            "escape '!' order by name"))
      return names;
    while (step() == SQLITE_ROW) names.emplace_back(cell(0).value_or(""));
    return names;
  }

  Failure failure(const std::string& what, std::string fix) const {
    const char* why = handle_ != nullptr ? sqlite_->errmsg(handle_) : "out of memory";
    return fail(ErrorKind::data, fmt::format("{}: {}", what, why), path_, std::move(fix));
  }

  void close() {
    finish();
    if (handle_ != nullptr) sqlite_->close(handle_);
    handle_ = nullptr;
  }

 private:
  void finish() {
    if (statement_ != nullptr) sqlite_->finalize(statement_);
    statement_ = nullptr;
  }
  template <class Number>
  std::string_view number(Number value) {
    const auto end = std::to_chars(digits_, digits_ + sizeof digits_, value).ptr;
    return {digits_, static_cast<size_t>(end - digits_)};
  }

  const SqliteModule* sqlite_;
  std::string path_;
  sqlite3* handle_ = nullptr;
  sqlite3_stmt* statement_ = nullptr;
  char digits_[64];
};

class SqliteReader final : public TableReader {
 public:
  SqliteReader(std::unique_ptr<Database> database, const std::string& file)
      : database_(std::move(database)), builder_(database_->columns()) {
    path_ = file;
    format_ = TableFormat{.kind = TableKind::sqlite, .delimiter = 0, .quote = 0, .header = false};
    Cells header;
    for (int c = 0; c < database_->columns(); ++c) header.push_back(database_->name(c));
    names_ = header_names(header, notes_);
  }

  Result<std::optional<RecordBatch>> next() override {
    while (!done_ && builder_.rows() < kBatchRows && builder_.bytes() < kBatchBytes) {
      const int code = database_->step();
      if (code == SQLITE_DONE) {
        done_ = true;
        break;
      }
      if (code != SQLITE_ROW)
        return database_->failure(fmt::format("row {} cannot be read", rows_ + builder_.rows() + 1),
                                  "check the database: sqlite3 FILE 'pragma integrity_check'");
      for (int c = 0; c < static_cast<int>(names_.size()); ++c) {
        const auto cell = database_->cell(c);
        if (!cell) {
          builder_.null();
        } else if (const size_t bad = first_bad_byte(*cell); bad != std::string_view::npos) {
          return fail(
              ErrorKind::data,
              fmt::format("the column '{}' holds bytes that are no text", names_[static_cast<size_t>(c)]),
              place(rows_ + builder_.rows()), "leave the column out with a query, or store text in it");
        } else {
          builder_.cell(*cell);
        }
      }
    }
    if (done_) database_->close();
    if (builder_.rows() == 0) {
      if (rows_ == 0)
        return fail(ErrorKind::data, "there are no rows", path_, "give a table with at least one row");
      return std::nullopt;
    }
    RecordBatch batch = builder_.finish(rows_);
    rows_ += batch.rows();
    return batch;
  }

  int64_t line_of(int64_t row) override { return row + 1; }
  std::string place(int64_t row) override { return fmt::format("{}, row {}", path_, row + 1); }

 private:
  std::unique_ptr<Database> database_;
  BatchBuilder builder_;
  bool done_ = false;
};

}  // namespace

Result<std::unique_ptr<TableReader>> open_sqlite(const std::string& source) {
  auto parsed = parse_source(source);
  if (!parsed) return fail(std::move(parsed.error()));
  const auto sqlite = sqlite_module();
  if (!sqlite) return fail(sqlite.error());
  auto database = std::make_unique<Database>(*sqlite);
  if (Status s = database->open(parsed->file); !s) return fail(std::move(s.error()));
  if (parsed->query.empty()) {
    const auto tables = database->tables();
    const std::string list = tables.empty() ? "it has none" : fmt::format("it has {}", listed(tables));
    if (parsed->table.empty() && tables.size() != 1)
      return fail(ErrorKind::data, fmt::format("which table of the database is meant? {}", list),
                  parsed->file, kSyntax);
    if (parsed->table.empty()) parsed->table = tables.front();
    if (std::find(tables.begin(), tables.end(), parsed->table) == tables.end()) {
      const std::string near = nearest(parsed->table, tables);
      return fail(ErrorKind::data, fmt::format("there is no table '{}'; {}", parsed->table, list),
                  parsed->file, near.empty() ? "name one of them" : fmt::format("did you mean '{}'?", near));
    }
    parsed->query = "select * from " + quoted(parsed->table);
  }
  const bool ready = database->prepare(parsed->query);
  if (!ready && database->prepared())
    return fail(ErrorKind::data, "the query would change the database, which is only read", parsed->file,
                "give one SELECT statement");
  if (!ready) return database->failure("the query is not one that reads", "give one SELECT statement");
  return std::make_unique<SqliteReader>(std::move(database), parsed->file);
}

}  // namespace shoestring::data
