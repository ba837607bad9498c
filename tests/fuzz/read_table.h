// What every fuzz target of a table reader does with its bytes: data::open_table and every cell. The first
// byte chooses the size of a block.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include "data/table.h"
#include "fuzz/fuzz.h"

namespace shoestring::fuzz {

// `most_rows` a byte that a good reader could give: a file may say "a million nulls" in a few.
inline void read_table(const uint8_t* data, size_t size, int64_t most_rows) {
  if (size == 0) return;
  const int file = ::memfd_create("table", 0);
  check(file >= 0 && ::write(file, data + 1, size - 1) == static_cast<ssize_t>(size - 1), "memfd");
  data::ReadOptions options;
  options.block_bytes = int64_t{1} << (10 + data[0] % 11);
  auto reader = data::open_table("/proc/self/fd/" + std::to_string(file), options);
  if (!reader) {
    check_refusal(reader.error());
    ::close(file);
    return;
  }
  int64_t rows = 0, bytes = 0;
  while (rows < most_rows) {
    const auto batch = (*reader)->next();
    if (!batch) check_refusal(batch.error());
    if (!batch || !*batch) break;
    check((*batch)->columns() == static_cast<int>((*reader)->names().size()),
          "a batch is as wide as the names");
    rows += (*batch)->rows();
    for (int c = 0; c < (*batch)->columns(); ++c) {
      const data::TextColumn column = (*batch)->column(c);
      for (int64_t r = 0; r < (*batch)->rows(); ++r)
        if (!column.is_null(r))
          for (const char byte : column[r]) bytes += byte;  // touches every one
    }
  }
  if (rows > 0)
    check(!(*reader)->place(rows - 1).empty() && (*reader)->line_of(rows - 1) >= 1, "a row has a place");
  check(bytes != INT64_MIN, "unlikely");
  ::close(file);
}

}  // namespace shoestring::fuzz
