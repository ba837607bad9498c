#include "train/stream_buffers.h"

#include <algorithm>

namespace shoestring::train {
namespace {

// A batch of text of n bytes takes n, the places of its cells and, once typed and encoded, as much again
// several times: of cells of two characters 12 n, of a block being read and one being typed.
constexpr int64_t kTimesText = 12;
constexpr int64_t kMostText = 1 << 20, kLeastText = 64 << 10;
constexpr int64_t kMostBatches = 4;

}  // namespace

int64_t StreamBuffers::reading() const { return std::max({block + 2 * sample, block + buckets, window}); }

StreamBuffers stream_buffers(int64_t reading_bytes, int64_t window_bytes) {
  StreamBuffers b;
  reading_bytes = std::max(reading_bytes, kLeastReadingBytes);
  const int64_t for_text = reading_bytes / 3;
  b.text_bytes = std::clamp(for_text / kTimesText, kLeastText, kMostText);
  b.batches = std::clamp<int64_t>(for_text / (kTimesText * kMostText), 1, kMostBatches);
  b.block = kTimesText * b.batches * b.text_bytes;
  b.sample = (reading_bytes - b.block) / 2;
  b.buckets = reading_bytes - b.block;
  b.window = std::max(window_bytes, kLeastWindowBytes);
  return b;
}

}  // namespace shoestring::train
