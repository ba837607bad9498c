// Arrow columns of any type as columns of text, as a CSV would hold them:
//   numbers          shortest decimal that reads back the same; decimals with all their digits
//   true, false; dates 2016-07-01; times 12:30:00; timestamps 2016-07-01 12:30:00, with a fraction if they
//                    have one, in UTC where they have a zone
//   strings, binary that is UTF-8, dictionaries: the text
//   pictures as datasets of Hugging Face hold them, a struct of bytes and path: the bytes, else the path
//   lists of numbers 1 2 3; other lists, structs and maps: JSON
//   null and NaN     absent
#pragma once

#include <string>
#include <vector>

#include "data/arrow_c.h"

namespace arrow {
class Array;
class Status;
}  // namespace arrow
namespace shoestring::data {

struct TextCells {
  std::vector<uint8_t> validity;  // one bit a row
  std::vector<int32_t> offsets{0};
  std::string text;
};

// The array must have passed ValidateFull.
arrow::Status append_cells(const arrow::Array& array, TextCells& out);
void append_absent(int64_t rows, TextCells& out);

// A struct array that owns its columns, all of `rows` cells.
ArrowArray batch_of(std::vector<TextCells> columns, int64_t rows);

}  // namespace shoestring::data
