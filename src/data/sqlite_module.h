// What the module that links SQLite offers: the library's own functions, those that the reader calls. Opened
// at first use, as SQLite costs its start-up in every process.
#pragma once

#include <sqlite3.h>

#include "base/error.h"

namespace shoestring::data {

inline constexpr int kSqliteModuleVersion = 1;

struct SqliteModule {
  int version;
  decltype(&sqlite3_open_v2) open;
  decltype(&sqlite3_close_v2) close;
  decltype(&sqlite3_errmsg) errmsg;
  decltype(&sqlite3_limit) limit;
  decltype(&sqlite3_prepare_v2) prepare;
  decltype(&sqlite3_finalize) finalize;
  decltype(&sqlite3_stmt_readonly) stmt_readonly;
  decltype(&sqlite3_step) step;
  decltype(&sqlite3_column_count) column_count;
  decltype(&sqlite3_column_name) column_name;
  decltype(&sqlite3_column_type) column_type;
  decltype(&sqlite3_column_int64) column_int64;
  decltype(&sqlite3_column_double) column_double;
  decltype(&sqlite3_column_text) column_text;
  decltype(&sqlite3_column_blob) column_blob;
  decltype(&sqlite3_column_bytes) column_bytes;
};

// The module, opened at the first call. It fails (ErrorKind::machine) where the installation is not whole.
Result<const SqliteModule*> sqlite_module();

}  // namespace shoestring::data

extern "C" const shoestring::data::SqliteModule* shoestring_sqlite_module();
