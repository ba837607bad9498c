// Encoded rows on their way into a file: the training rows in random order, those of the other splits in the
// table's. An external shuffle: each training row is dealt to one of some buckets, every place left in them
// being as likely, and once all have come each bucket is shuffled in memory. So every order of the rows is as
// likely as any other, however the table was sorted.
#pragma once

#include <array>
#include <optional>

#include "base/philox.h"
#include "base/scratch_file.h"
#include "train/packed_rows.h"
#include "train/stream_buffers.h"

namespace shoestring::train {

// Where the rows of each split lie in the file, in the order of data::Split.
struct FileSections {
  std::array<int64_t, 3> begin{}, rows{};  // bytes; rows
};

class FileWriter {
 public:
  // `most`: rows of each split that will come at most. ErrorKind::machine where the disk has no room for
  // them. `shuffle` is the seed of the order of the training rows; absent: they keep the table's.
  static Result<FileWriter> create(const FromFile& where, PackedFormat format,
                                   const std::array<int64_t, 3>& most, std::optional<uint64_t> shuffle);

  // Adds the rows whose split is one.
  Status add(const EncodedRows& rows, std::span<const uint8_t> splits);
  // All rows have come: shuffles them.
  Status finish();

  const FileSections& sections() const { return sections_; }
  const PackedFormat& format() const { return format_; }
  ScratchFile take_file() { return std::move(file_); }

 private:
  // Rows that stand together in the file, the last of them still in memory.
  struct Bucket {
    int64_t begin = 0;           // in the file, bytes
    int64_t rows = 0, room = 0;  // so far, at most
    int64_t held = 0;            // of the rows, those in memory
    std::byte* buffer = nullptr;
  };
  FileWriter(PackedFormat format, const std::array<int64_t, 3>& most, std::optional<uint64_t> shuffle);
  Status reserve(const StreamBuffers& buffers);
  Status put(Bucket& bucket, const std::byte* row);
  Status flush(Bucket& bucket);
  size_t deal();
  Status shuffle_buckets();

  PackedFormat format_;
  std::array<int64_t, 3> most_;
  std::optional<uint64_t> seed_;
  Philox random_;
  ScratchFile file_;
  FileSections sections_;
  std::vector<Bucket> buckets_;   // of training rows, then one of each other split
  std::vector<uint32_t> places_;  // left in the training buckets: sums of a Fenwick tree
  int64_t places_left_ = 0, held_rows_ = 0;
  std::vector<std::byte> held_, packed_;  // buffers of the buckets; some rows, packed
};

}  // namespace shoestring::train
