// The quick way through a block of CSV: where every record has the same number of cells and none is quoted,
// cells are found by their separators and stay where they are. What is irregular is left to the parser that
// reads all.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "data/batch.h"

namespace shoestring::data {

struct RegularBlock {
  std::vector<int32_t> ends;  // -1, then the place of the separator behind each cell, row by row
  int64_t rows = 0;
  bool crlf = false;
  bool ascii = true;
  int64_t consumed = 0;  // bytes; what is left is a part of a record
};

// The whole records of the text, or false: a quote, a zero byte, a blank line, a record of another width,
// lines that end in different ways. `quote` is 0 where there is none.
bool cut_regular(std::string_view text, char delimiter, char quote, int columns, RegularBlock& out);

}  // namespace shoestring::data
