#include "train/file_writer.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "data/split.h"

namespace shoestring::train {
namespace {

constexpr uint32_t kDealStream = 0xFFFFFF06, kBucketStream = 0xFFFFFF07;
constexpr int64_t kPackedRows = 512;     // packed at a time
constexpr int64_t kMostHeld = 64 << 10;  // bytes of a bucket that are written at once, at most

// A uniform permutation of rows of so many bytes.
void shuffle_rows(std::span<std::byte> rows, size_t row_bytes, Philox& random) {
  for (size_t i = rows.size() / row_bytes; i > 1; --i) {
    const size_t j = random.below(static_cast<uint32_t>(i));
    if (j + 1 == i) continue;
    std::byte *a = rows.data() + (i - 1) * row_bytes, *b = rows.data() + j * row_bytes;
    std::swap_ranges(a, a + row_bytes, b);
  }
}

}  // namespace

FileWriter::FileWriter(PackedFormat format, const std::array<int64_t, 3>& most,
                       std::optional<uint64_t> shuffle)
    : format_(std::move(format)), most_(most), seed_(shuffle), random_(shuffle.value_or(0), kDealStream) {}

Result<FileWriter> FileWriter::create(const FromFile& where, PackedFormat format,
                                      const std::array<int64_t, 3>& most, std::optional<uint64_t> shuffle) {
  FileWriter writer(std::move(format), most, shuffle);
  int64_t bytes = 0;
  for (size_t s = 0; s < most.size(); ++s) {
    writer.sections_.begin[s] = bytes;
    bytes += most[s] * writer.format_.row_bytes();
  }
  auto file = ScratchFile::create(where.folder, bytes);
  if (!file) return fail(file.error());
  writer.file_ = std::move(*file);
  if (auto ok = writer.reserve(where.buffers); !ok) return fail(ok.error());
  return writer;
}

// The rows of all buckets that are not written yet share the buffers' memory, and once all are, one bucket
// after the other has it for itself.
Status FileWriter::reserve(const StreamBuffers& buffers) {
  const int64_t row_bytes = format_.row_bytes();
  const int64_t most = most_[data::kTrain];
  const int64_t bucket_rows =
      seed_ ? std::max<int64_t>(1, buffers.buckets / row_bytes) : std::max<int64_t>(1, most);
  const int64_t count = (most + bucket_rows - 1) / bucket_rows;
  held_rows_ = std::min(kMostHeld, (buffers.buckets - kPackedRows * row_bytes) / (count + 2)) / row_bytes;
  if (held_rows_ < 1 || bucket_rows < 1)
    return fail(ErrorKind::budget, "the table is too long to be shuffled in the memory that reading may take",
                {}, "give more memory, or fewer rows with preprocessing.sample_size");
  for (int64_t b = 0; b < count; ++b)
    buckets_.push_back(
        {.begin = b * bucket_rows * row_bytes, .room = std::min(bucket_rows, most - b * bucket_rows)});
  for (const data::Split s : {data::kValidation, data::kTest})
    buckets_.push_back({.begin = sections_.begin[s], .room = most_[s]});
  held_.resize(buckets_.size() * static_cast<size_t>(held_rows_ * row_bytes));
  for (size_t b = 0; b < buckets_.size(); ++b)
    buckets_[b].buffer = held_.data() + b * static_cast<size_t>(held_rows_ * row_bytes);
  packed_.resize(static_cast<size_t>(kPackedRows * row_bytes));
  places_left_ = most;
  places_.assign(static_cast<size_t>(count) + 1, 0);
  for (size_t b = 1; b < places_.size(); ++b) {
    places_[b] += static_cast<uint32_t>(buckets_[b - 1].room);
    if (const size_t parent = b + (b & -b); parent < places_.size()) places_[parent] += places_[b];
  }
  return {};
}

// The bucket of a place that is drawn from all that are left; it is taken.
size_t FileWriter::deal() {
  uint32_t place = random_.below(static_cast<uint32_t>(places_left_--));
  size_t at = 0;
  for (size_t step = std::bit_floor(places_.size() - 1); step > 0; step /= 2)
    if (at + step < places_.size() && places_[at + step] <= place) place -= places_[at += step];
  for (size_t b = at + 1; b < places_.size(); b += b & -b) --places_[b];
  return at;
}

Status FileWriter::flush(Bucket& bucket) {
  const int64_t row_bytes = format_.row_bytes();
  auto ok = file_.write(bucket.begin + (bucket.rows - bucket.held) * row_bytes,
                        {bucket.buffer, static_cast<size_t>(bucket.held * row_bytes)});
  bucket.held = 0;
  return ok;
}

Status FileWriter::put(Bucket& bucket, const std::byte* row) {
  std::memcpy(bucket.buffer + bucket.held * format_.row_bytes(), row,
              static_cast<size_t>(format_.row_bytes()));
  ++bucket.rows;
  return ++bucket.held == held_rows_ ? flush(bucket) : Status();
}

Status FileWriter::add(const EncodedRows& rows, std::span<const uint8_t> splits) {
  const size_t training = buckets_.size() - 2;
  std::vector<uint32_t> some;
  const auto put_some = [&]() -> Status {
    format_.pack(rows, some, packed_.data());
    for (size_t i = 0; i < some.size(); ++i) {
      const uint8_t split = splits[some[i]];
      if (sections_.rows[split] == most_[split])
        return fail(ErrorKind::data, "the table has more rows than when it was read before", {},
                    "run the same command again when nothing writes to it");
      ++sections_.rows[split];
      const size_t bucket = split == data::kValidation ? training
                            : split == data::kTest     ? training + 1
                            : seed_                    ? deal()
                                                       : 0;
      if (auto ok = put(buckets_[bucket], packed_.data() + static_cast<int64_t>(i) * format_.row_bytes());
          !ok)
        return ok;
    }
    some.clear();
    return {};
  };
  for (size_t row = 0; row < splits.size(); ++row) {
    if (splits[row] > data::kTest) continue;
    some.push_back(static_cast<uint32_t>(row));
    if (some.size() == static_cast<size_t>(kPackedRows))
      if (auto ok = put_some(); !ok) return ok;
  }
  return put_some();
}

Status FileWriter::finish() {
  for (Bucket& bucket : buckets_)
    if (auto ok = flush(bucket); !ok) return ok;
  held_ = std::vector<std::byte>();
  packed_ = std::vector<std::byte>();
  return seed_ ? shuffle_buckets() : Status();
}

// Rows that were dropped since they were counted leave places free: the buckets close up.
Status FileWriter::shuffle_buckets() {
  Philox random(*seed_, kBucketStream);
  const auto row_bytes = static_cast<size_t>(format_.row_bytes());
  std::vector<std::byte> rows;
  int64_t end = 0;
  for (size_t b = 0; b + 2 < buckets_.size(); ++b) {
    rows.resize(static_cast<size_t>(buckets_[b].rows) * row_bytes);
    if (auto ok = file_.read(buckets_[b].begin, rows); !ok) return ok;
    shuffle_rows(rows, row_bytes, random);
    if (auto ok = file_.write(end, rows); !ok) return ok;
    end += static_cast<int64_t>(rows.size());
  }
  return {};
}

}  // namespace shoestring::train
