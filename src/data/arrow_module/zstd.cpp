// zstd streams, through Arrow's codec.
#include <arrow/util/compression.h>

#include "data/arrow_module/parts.h"

namespace shoestring::data {
namespace {

// The decompressor keeps a pointer to nothing of the codec's, but the codec's settings may matter to a reset.
struct Stream {
  std::unique_ptr<arrow::util::Codec> codec;
  std::shared_ptr<arrow::util::Decompressor> decompressor;
};

}  // namespace

void* zstd_open() noexcept {
  try {
    auto codec = arrow::util::Codec::Create(arrow::Compression::ZSTD);
    if (!codec.ok()) return nullptr;
    auto decompressor = (*codec)->MakeDecompressor();
    if (!decompressor.ok()) return nullptr;
    return new Stream{std::move(*codec), std::move(*decompressor)};
  } catch (const std::exception&) {
    return nullptr;
  }
}

bool zstd_step(void* stream, ZstdStep& step) noexcept {
  arrow::util::Decompressor& decompressor = *static_cast<Stream*>(stream)->decompressor;
  if (decompressor.IsFinished() && !decompressor.Reset().ok()) return false;
  const auto done = decompressor.Decompress(step.in_bytes, reinterpret_cast<const uint8_t*>(step.in),
                                            step.out_bytes, reinterpret_cast<uint8_t*>(step.out));
  if (!done.ok()) return false;
  step.used = done->bytes_read;
  step.produced = done->bytes_written;
  step.frame_ended = decompressor.IsFinished();
  step.more_output = done->need_more_output && !step.frame_ended;
  return true;
}

void zstd_close(void* stream) noexcept { delete static_cast<Stream*>(stream); }

}  // namespace shoestring::data
