// What training from a file of encoded rows holds in memory, buffer by buffer: each as large as its limit
// lets it be, however long the table is.
#pragma once

#include <cstdint>
#include <string>

namespace shoestring::train {

struct StreamBuffers {
  // While the table's text is read, twice: once to look at it, once to encode it.
  int64_t text_bytes = 1 << 20;  // of a batch of text; a row has to fit in it
  int64_t batches = 1;           // of a block; another block is read meanwhile
  int64_t block = 0;             // bytes of both, of a block's cells and of its encoded rows
  int64_t sample = 0;            // rows that preprocessing is fitted on; as much again while it makes room
  int64_t buckets = 0;           // training rows on their way to a random place in the file
  // While training.
  int64_t window = 0;  // encoded rows that batches are taken from

  // The most that is held at once before the first step.
  int64_t reading() const;
};

// Buffers that hold at most `reading_bytes` before training and `window_bytes` from then on.
StreamBuffers stream_buffers(int64_t reading_bytes, int64_t window_bytes);
// The least of either that is of use.
inline constexpr int64_t kLeastReadingBytes = 8 << 20, kLeastWindowBytes = 1 << 20;

// How rows are kept in a file instead of in memory.
struct FromFile {
  StreamBuffers buffers;
  std::string folder;  // of the file, which has no name in it and is gone with the process
};

}  // namespace shoestring::train
