#include "train/file_rows.h"

#include <algorithm>
#include <numeric>

#include "data/by_code.h"

namespace shoestring::train {
namespace {

constexpr uint32_t kRingStream = 0xFFFFFF08, kWindowStream = 0xFFFFFF09;
constexpr int64_t kReadBytes = 128 << 10;  // of a file at once
constexpr int64_t kBlocks = 16;  // of a window, where batches are small enough: then fewer than twice

// A generator of its own for each epoch, and for each window of an epoch.
Philox generator(uint64_t seed, uint32_t stream, uint32_t epoch, uint32_t window) {
  const PhiloxBlock key = philox4x32({epoch, stream, window, 0},
                                     {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)});
  return Philox(uint64_t{key[1]} << 32 | key[0], stream);
}

}  // namespace

FileRows::FileRows(FileWriter& written, int64_t window_bytes)
    : format_(written.format()), file_(written.take_file()), sections_(written.sections()) {
  const int64_t row_bytes = format_.row_bytes();
  for (size_t s = 0; s < sections_.rows.size(); ++s)
    file_bytes_ = std::max(file_bytes_, sections_.begin[s] + sections_.rows[s] * row_bytes);
  file_.shorten(file_bytes_);
  loaded_.reserve(static_cast<size_t>(4 * kBlocks));
  packed_.resize(static_cast<size_t>(std::max<int64_t>(1, kReadBytes / row_bytes) * row_bytes));
  set_window((window_bytes - static_cast<int64_t>(packed_.size())) / this->row_bytes());
}

void FileRows::set_window(int64_t rows) {
  const int64_t all = std::max({sections_.rows[0], sections_.rows[1], sections_.rows[2], int64_t{1}});
  rows = std::min(std::max<int64_t>(rows, 2), all);
  window_ = {};  // first, so that both are never there
  places_ = {};
  window_ = format_.rows(rows);
  for (const int64_t width : features_) {
    data::FloatRows& kept = window_.inputs.features.emplace_back(static_cast<int>(width), rows);
    if (width > 0) kept.append(rows);
  }
  places_.resize(static_cast<size_t>(rows));
  ++loads_;
}

int64_t FileRows::row_bytes() const {
  const int64_t numbers = std::accumulate(features_.begin(), features_.end(), int64_t{0});
  return format_.row_bytes() + numbers * static_cast<int64_t>(sizeof(float)) +
         static_cast<int64_t>(sizeof(uint32_t));
}

void FileRows::keep_features(std::span<const int64_t> widths) {
  has_features_ = false;
  if (std::ranges::equal(widths, features_)) return;
  features_.assign(widths.begin(), widths.end());
  features_begin_.clear();
  features_bytes_ = 0;
  for (const int64_t width : features_) {
    features_begin_.push_back(file_bytes_ + features_bytes_);
    for (const int64_t rows : sections_.rows)
      features_bytes_ += rows * width * static_cast<int64_t>(sizeof(float));
  }
  set_window(most_rows());
}

int64_t FileRows::place_of_features(size_t input, data::Split split, int64_t row) const {
  for (size_t s = 0; s < static_cast<size_t>(split); ++s) row += sections_.rows[s];
  return features_begin_[input] + row * features_[input] * static_cast<int64_t>(sizeof(float));
}

Status FileRows::put_features(data::Split split, Part part, std::span<const float* const> features) {
  for (size_t i = 0; i < features_.size(); ++i) {
    if (features_[i] == 0) continue;
    const std::span values(features[i], static_cast<size_t>(part.rows * features_[i]));
    if (auto ok = file_.write(place_of_features(i, split, part.first), std::as_bytes(values)); !ok) return ok;
  }
  return {};
}

void FileRows::features_are_there() {
  has_features_ = true;
  ++loads_;  // what is in the window has none
}

int64_t FileRows::bytes() const {
  return window_.bytes() + static_cast<int64_t>(places_.size() * sizeof(uint32_t) + packed_.size());
}

std::span<uint32_t> FileRows::load(data::Split split, std::span<const Part> parts) {
  ++loads_;
  loaded_.assign(parts.begin(), parts.end());
  const int64_t row_bytes = format_.row_bytes();
  const int64_t most = static_cast<int64_t>(packed_.size()) / row_bytes;
  int64_t place = 0;
  for (Part part : parts) {
    while (part.rows > 0) {
      const int64_t rows = std::min(part.rows, most);
      auto read = file_.read(sections_.begin[split] + part.first * row_bytes,
                             std::span(packed_).first(static_cast<size_t>(rows * row_bytes)));
      if (!read && fault_) fault_ = std::move(read);
      format_.unpack(packed_.data(), place, rows, window_);
      for (size_t i = 0; has_features_ && i < features_.size(); ++i) {
        if (features_[i] == 0) continue;
        const std::span to(window_.inputs.features[i].column(0, place),
                           static_cast<size_t>(rows * features_[i]));
        read = file_.read(place_of_features(i, split, part.first), std::as_writable_bytes(to));
        if (!read && fault_) fault_ = std::move(read);
      }
      place += rows, part.first += rows, part.rows -= rows;
    }
  }
  const std::span places = std::span(places_).first(static_cast<size_t>(place));
  std::iota(places.begin(), places.end(), 0u);
  return places;
}

uint32_t FileRows::number(uint32_t place) const {
  int64_t at = place;
  for (const Part& part : loaded_) {
    if (at < part.rows) return static_cast<uint32_t>(part.first + at);
    at -= part.rows;
  }
  return place;
}

void FileRows::expect(data::Split split, std::span<const Part> parts) const {
  for (const Part& part : parts)
    file_.expect(sections_.begin[split] + part.first * format_.row_bytes(), part.rows * format_.row_bytes());
}

FileBatches::FileBatches(FileRows& rows, data::Split split, int64_t batch_rows, std::optional<uint64_t> seed)
    : rows_(&rows), split_(split), seed_(seed), count_(rows.rows(split)), batch_rows_(batch_rows) {
  // Whole batches in a block and whole blocks in a window, so that no batch is cut in two.
  const int64_t fit = std::max<int64_t>(1, rows.most_rows() / batch_rows);
  const int64_t batches = seed ? std::max<int64_t>(1, fit / kBlocks) : fit;
  block_rows_ = batches * batch_rows;
  in_window_ = fit / batches;
  if (seed_) order_.resize(static_cast<size_t>(count_ / block_rows_));
  parts_.reserve(static_cast<size_t>(2 * in_window_));
}

void FileBatches::begin(uint32_t epoch) {
  epoch_ = epoch;
  window_ = -1;
  if (!seed_) return;
  Philox random = generator(*seed_, kRingStream, epoch, 0);
  shift_ = random.below(static_cast<uint32_t>(std::max<int64_t>(count_, 1)));
  std::iota(order_.begin(), order_.end(), 0u);
  data::shuffle(std::span(order_), random);
}

std::span<const FileRows::Part> FileBatches::parts_of(int64_t window) {
  parts_.clear();
  const int64_t blocks = (count_ + block_rows_ - 1) / block_rows_;
  const int64_t last = std::min(blocks, (window + 1) * in_window_);
  for (int64_t b = window * in_window_; b < last; ++b) {
    const bool whole = b < static_cast<int64_t>(order_.size());
    const int64_t block = whole ? order_[static_cast<size_t>(b)] : b;
    const int64_t rows = std::min(block_rows_, count_ - block * block_rows_);
    const int64_t first = (shift_ + block * block_rows_) % count_;
    const int64_t before_end = std::min(rows, count_ - first);
    parts_.push_back({first, before_end});
    if (rows > before_end) parts_.push_back({0, rows - before_end});
  }
  return parts_;
}

void FileBatches::load(int64_t window) {
  window_ = window;
  const std::span<uint32_t> places = rows_->load(split_, parts_of(window));
  load_ = rows_->loads();
  places_ = places;
  if (seed_) {
    Philox random =
        generator(*seed_, kWindowStream, static_cast<uint32_t>(epoch_), static_cast<uint32_t>(window));
    data::shuffle(places, random);
  }
  if ((window + 1) * in_window_ * block_rows_ < count_) rows_->expect(split_, parts_of(window + 1));
}

std::span<const uint32_t> FileBatches::at(int64_t batch, uint32_t epoch) {
  if (epoch_ != epoch) begin(epoch);
  const int64_t window_rows = in_window_ * block_rows_;
  const int64_t first = batch * batch_rows_, window = first / window_rows;
  // Another walk may have used the window since.
  if (window_ != window || load_ != rows_->loads()) load(window);
  return places_.subspan(static_cast<size_t>(first % window_rows),
                         static_cast<size_t>(std::min(batch_rows_, count_ - first)));
}

}  // namespace shoestring::train
