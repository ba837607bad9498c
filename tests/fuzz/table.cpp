// data::open_table: CSV of any kind, JSON lines, gzip. The first byte chooses the size of a block.
#include "data/table.h"

#include <sys/mman.h>
#include <unistd.h>

#include "fuzz/fuzz.h"

using namespace shoestring;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const int file = ::memfd_create("table", 0);
  fuzz::check(file >= 0 && ::write(file, data + 1, size - 1) == static_cast<ssize_t>(size - 1), "memfd");
  data::ReadOptions options;
  options.block_bytes = int64_t{1} << (10 + data[0] % 11);
  auto reader = data::open_table("/proc/self/fd/" + std::to_string(file), options);
  if (!reader) {
    fuzz::check_refusal(reader.error());
  } else {
    int64_t rows = 0, bytes = 0;
    while (true) {
      const auto batch = (*reader)->next();
      if (!batch) fuzz::check_refusal(batch.error());
      if (!batch || !*batch) break;
      fuzz::check((*batch)->columns() == static_cast<int>((*reader)->names().size()),
                  "a batch is as wide as the names");
      rows += (*batch)->rows();
      for (int c = 0; c < (*batch)->columns(); ++c) {
        const data::TextColumn column = (*batch)->column(c);
        for (int64_t r = 0; r < (*batch)->rows(); ++r)
          if (!column.is_null(r))
            for (const char byte : column[r]) bytes += byte;  // touches every one
      }
    }
    if (rows > 0) fuzz::check((*reader)->line_of(rows - 1) >= 1, "a row has a line");
    fuzz::check(rows <= static_cast<int64_t>(size) * 1100 && bytes != INT64_MIN,
                "no more rows than bytes, as gzip counts");
  }
  ::close(file);
  return 0;
}
