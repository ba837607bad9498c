// Parquet and Arrow IPC (Feather).
#include "fuzz/read_table.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  shoestring::fuzz::read_table(data, size, 1 << 20);
  return 0;
}
