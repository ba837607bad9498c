// Files for the readers' tests: written into a folder of the test's own, gone with it.
#pragma once

#include <gtest/gtest.h>
#include <zlib.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "data/table.h"

namespace shoestring::data {

class TableFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = std::filesystem::temp_directory_path() / "shoestring-data-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string write(const std::string& text, const std::string& name = "t.csv") {
    const std::string path = folder_ / name;
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }

  static std::string gzipped(const std::string& text) {
    z_stream stream{};
    EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
    std::string out(deflateBound(&stream, text.size()) + 64, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
  }

  std::filesystem::path folder_;
};

using Rows = std::vector<std::vector<std::string>>;

struct ReadTable {
  Error error;  // kind internal and empty: none
  std::vector<std::string> names, notes;
  TableFormat format;
  RaggedRows ragged;
  Rows rows;  // "∅" for a cell that is_null()
  std::unique_ptr<TableReader> reader;

  // "where: what", to compare.
  std::string fault() const { return error.where + ": " + error.what; }
};

inline ReadTable read_table(const std::string& path, ReadOptions options = {}) {
  ReadTable out;
  auto reader = open_table(path, options);
  if (!reader) {
    out.error = reader.error();
    return out;
  }
  out.reader = std::move(*reader);
  out.names = out.reader->names();
  out.format = out.reader->format();
  while (true) {
    auto batch = out.reader->next();
    if (!batch) {
      out.error = batch.error();
      break;
    }
    if (!*batch) break;
    EXPECT_EQ((*batch)->first_row(), static_cast<int64_t>(out.rows.size()));
    EXPECT_EQ((*batch)->columns(), static_cast<int>(out.names.size()));
    for (int64_t r = 0; r < (*batch)->rows(); ++r) {
      auto& row = out.rows.emplace_back();
      for (int c = 0; c < (*batch)->columns(); ++c) {
        const TextColumn column = (*batch)->column(c);
        row.emplace_back(column.is_null(r) ? "∅" : std::string(column[r]));
      }
    }
  }
  out.ragged = out.reader->ragged();
  out.notes = out.reader->notes();
  return out;
}

}  // namespace shoestring::data
