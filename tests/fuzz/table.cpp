// CSV of any kind, JSON, gzip, zstd, any encoding.
#include "fuzz/read_table.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  shoestring::fuzz::read_table(data, size, INT64_MAX);
  return 0;
}
