// What the module that links Arrow offers. Arrow costs 8 ms of every process's start, so it sits in
// shoestring_arrow.so, which is opened when the first table is. Plain functions and structs only: no
// exception crosses, and the module has no state but its memory pool.
#pragma once

#include <cstdint>

#include "base/error.h"
#include "data/arrow_c.h"

namespace shoestring::data {

inline constexpr int kArrowModuleVersion = 2;  // of the structs below
inline constexpr int kMessageBytes = 256;

struct CsvGrammar {
  char delimiter;
  char quote;  // 0: none
  int32_t columns;
};

// What one block of text gave.
struct CsvBlock {
  ArrowArray rows;              // a struct of utf8 columns, owned by the receiver
  int64_t consumed;             // bytes; what is left is a part of a row
  int64_t ragged;               // rows that were left out
  int64_t ragged_at;            // offset of the first of them
  int32_t ragged_cells;         // and how many cells it has
  char message[kMessageBytes];  // what went wrong; set where parse() returns false
};

// One step of a zstd stream: takes from `in`, writes to `out`.
struct ZstdStep {
  const char* in;
  int64_t in_bytes;
  char* out;
  int64_t out_bytes;
  int64_t used = 0, produced = 0;  // set by the step
  bool frame_ended = false;        // what follows, if anything, is another frame
  bool more_output = false;        // it holds output that had no room
};

// A Parquet or Feather file being read: its columns, and its rows as text.
struct ColumnarTable {
  void* handle;
  int32_t columns;
  int64_t rows;                 // in all; -1: not known
  const char* const* names;     // [columns], owned by the handle
  char message[kMessageBytes];  // what went wrong
};

struct ArrowModule {
  int version;
  // Parses the whole rows of a block; with `final` the last may lack its line end.
  bool (*parse_csv)(const CsvGrammar& grammar, const char* text, int64_t bytes, bool final,
                    CsvBlock& out) noexcept;
  void* (*zstd_open)() noexcept;                             // null: no memory
  bool (*zstd_step)(void* stream, ZstdStep& step) noexcept;  // false: damaged
  void (*zstd_close)(void* stream) noexcept;                 // null is no stream
  // False with a message: no such file, or damaged. A handle is closed by close_columnar.
  bool (*open_columnar)(const char* path, bool parquet, ColumnarTable& out) noexcept;
  // The next rows, a struct of utf8 columns, of length 0 at the end; columns whose `wanted` is 0 have nulls
  // only. `wanted` is read at the first call.
  bool (*next_columnar)(ColumnarTable& table, const uint8_t* wanted, ArrowArray& rows) noexcept;
  void (*close_columnar)(ColumnarTable& table) noexcept;
  // Bytes that Arrow holds now, and held at most since the module was opened.
  int64_t (*pool_bytes)() noexcept;
  int64_t (*pool_peak_bytes)() noexcept;
};

// The module, opened at the first call. It fails (ErrorKind::machine) where the installation is not whole.
Result<const ArrowModule*> arrow_module();

}  // namespace shoestring::data

extern "C" const shoestring::data::ArrowModule* shoestring_arrow_module();
