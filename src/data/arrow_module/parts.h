// What the files of this module give to module.cpp; see data/arrow_module.h for what they do.
#pragma once

#include "data/arrow_module.h"

namespace shoestring::data {

bool parse_csv(const CsvGrammar& grammar, const char* text, int64_t bytes, bool final,
               CsvBlock& out) noexcept;

void* zstd_open() noexcept;
bool zstd_step(void* stream, ZstdStep& step) noexcept;
void zstd_close(void* stream) noexcept;

bool open_columnar(const char* path, bool parquet, ColumnarTable& out) noexcept;
bool next_columnar(ColumnarTable& table, const uint8_t* wanted, ArrowArray& rows) noexcept;
void close_columnar(ColumnarTable& table) noexcept;

}  // namespace shoestring::data
