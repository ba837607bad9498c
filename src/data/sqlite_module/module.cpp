#include "data/sqlite_module.h"

extern "C" const shoestring::data::SqliteModule* shoestring_sqlite_module() {
  static constexpr shoestring::data::SqliteModule kModule{
      .version = shoestring::data::kSqliteModuleVersion,
      .open = sqlite3_open_v2,
      .close = sqlite3_close_v2,
      .errmsg = sqlite3_errmsg,
      .limit = sqlite3_limit,
      .prepare = sqlite3_prepare_v2,
      .finalize = sqlite3_finalize,
      .stmt_readonly = sqlite3_stmt_readonly,
      .step = sqlite3_step,
      .column_count = sqlite3_column_count,
      .column_name = sqlite3_column_name,
      .column_type = sqlite3_column_type,
      .column_int64 = sqlite3_column_int64,
      .column_double = sqlite3_column_double,
      .column_text = sqlite3_column_text,
      .column_blob = sqlite3_column_blob,
      .column_bytes = sqlite3_column_bytes,
  };
  return &kModule;
}
