// Where the cells of a table stand in a JSON object, whichever way round pandas wrote it:
//   columns  {"a": [1, 2], "b": ["x", null]}, or with rows by name: {"a": {"0": 1, "1": 2}, …}
//   index    {"0": {"a": 1, "b": "x"}, "1": {…}}
//   split    {"columns": ["a", "b"], "index": [0, 1], "data": [[1, "x"], [2, null]]}
// Columns and index look alike: it is index where the outer keys are whole numbers and the inner ones are
// not, or where a name that is asked for stands among the inner keys and none among the outer ones.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace shoestring::data {

struct JsonCell {
  uint32_t begin, size;  // in the text
};

struct JsonLayout {
  std::vector<std::string> names;  // as they are written
  int64_t rows = 0;
  std::vector<JsonCell> cells;
  int64_t row_stride = 1, column_stride = 1;

  JsonCell at(int64_t row, int64_t column) const {
    return cells[static_cast<size_t>(row * row_stride + column * column_stride)];
  }
};

// `text` begins with the object, and is shorter than 4 GiB; `path` is for errors. The grammar of the cells is
// not looked at.
Result<JsonLayout> json_layout(std::string_view text, const std::string& path,
                               std::span<const std::string> expected_names);

}  // namespace shoestring::data
