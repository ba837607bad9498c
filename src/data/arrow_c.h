// The two structs of Arrow's C data interface, as https://arrow.apache.org/docs/format/CDataInterface.html
// lays them down, so that record batches pass between this folder and the module that links Arrow
// without an Arrow header. Whoever holds a struct whose `release` is set owns what it points to.
#pragma once

#include <cstdint>

#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE

extern "C" {

struct ArrowSchema {
  const char* format;  // "u": utf8 with 32-bit offsets, "+s": struct
  const char* name;
  const char* metadata;
  int64_t flags;
  int64_t n_children;
  ArrowSchema** children;
  ArrowSchema* dictionary;
  void (*release)(ArrowSchema*);
  void* private_data;
};

struct ArrowArray {
  int64_t length;
  int64_t null_count;  // -1: not counted
  int64_t offset;      // of the first row, in rows, within every buffer
  int64_t n_buffers;
  int64_t n_children;
  const void** buffers;  // utf8: validity bits (or null), int32 offsets, bytes
  ArrowArray** children;
  ArrowArray* dictionary;
  void (*release)(ArrowArray*);
  void* private_data;
};

}  // extern "C"

#endif  // ARROW_C_DATA_INTERFACE
