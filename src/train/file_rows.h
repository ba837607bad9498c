// Encoded rows in a file, read through a window of fixed size: the rows of a batch come from anywhere in it.
//
// Of a split that is shuffled, an epoch lays the file's rows, which are in random order already, out as a
// ring that begins anywhere, cuts the ring into blocks, and takes the blocks in an order of its own. A window
// is some blocks, whose rows are mixed. So an epoch takes every row once, and rows meet others in every
// epoch.
#pragma once

#include <optional>

#include "data/split.h"
#include "train/file_writer.h"

namespace shoestring::train {

class FileRows {
 public:
  // What a writer has finished. The window holds `window_bytes`.
  FileRows(FileWriter& written, int64_t window_bytes);

  int64_t rows(data::Split split) const { return sections_.rows[split]; }
  // Of the largest batch that can be taken from the window.
  int64_t most_rows() const { return static_cast<int64_t>(places_.size()); }
  int64_t bytes() const;  // in memory
  // Makes the window hold so many rows, at least 2, and those of the largest split at most. To be called
  // while nobody walks over the rows.
  void set_window(int64_t rows);
  int64_t row_bytes() const;  // there
  int64_t file_bytes() const { return file_bytes_ + features_bytes_; }
  // Why the file could not be read; what was handed out since is worth nothing.
  const Status& fault() const { return fault_; }

  const EncodedRows& window() const { return window_; }
  // Of its split, the row at this place of the window.
  uint32_t number(uint32_t place) const;

  // For FileBatches, which walks over the rows: fills the window with parts of a split, one behind the other,
  // and returns their places, for the walk to put in an order. What was there before is gone: the number of
  // loads tells.
  struct Part {
    int64_t first = 0, rows = 0;  // of the split
  };
  std::span<uint32_t> load(data::Split split, std::span<const Part> parts);
  int64_t loads() const { return loads_; }
  // These parts will be next.
  void expect(data::Split split, std::span<const Part> parts) const;

  // What frozen encoders make of the rows (train/features.h): of each input so many numbers (empty: nothing
  // is kept), for which the window makes room. They are 0 until they have been put for all rows and
  // features_are_there().
  void keep_features(std::span<const int64_t> widths);
  // Of some rows of a split: of each input that has any, [rows, width]. ErrorKind::machine.
  Status put_features(data::Split split, Part part, std::span<const float* const> features);
  void features_are_there();

 private:
  int64_t place_of_features(size_t input, data::Split split, int64_t row) const;

  PackedFormat format_;
  ScratchFile file_;
  FileSections sections_;
  int64_t file_bytes_ = 0;
  // Behind the rows: for each input a section, the splits one behind the other in it.
  std::vector<int64_t> features_, features_begin_;  // of each input: numbers of a row; bytes
  int64_t features_bytes_ = 0;
  bool has_features_ = false;
  EncodedRows window_;
  std::vector<uint32_t> places_;   // of the window's rows, in the order in which they are taken
  std::vector<Part> loaded_;       // what the window holds
  std::vector<std::byte> packed_;  // read at once
  int64_t loads_ = 0;
  Status fault_;
};

// One walk over the rows of a split after the other, an epoch each (train/batches.h).
class FileBatches {
 public:
  // `batch_rows` are at most most_rows(). With a seed the rows are shuffled.
  FileBatches(FileRows& rows, data::Split split, int64_t batch_rows, std::optional<uint64_t> seed);

  // The places in the window of the rows of a batch.
  std::span<const uint32_t> at(int64_t batch, uint32_t epoch);

 private:
  void begin(uint32_t epoch);
  std::span<const FileRows::Part> parts_of(int64_t window);
  void load(int64_t window);

  FileRows* rows_;
  data::Split split_;
  std::optional<uint64_t> seed_;
  int64_t count_;                                // rows of the split
  int64_t batch_rows_, block_rows_, in_window_;  // in_window_: blocks
  std::vector<uint32_t> order_;                  // of the whole blocks in the epoch; a shorter one comes last
  std::vector<FileRows::Part> parts_;
  std::span<const uint32_t> places_;  // of the window's rows, in their order
  int64_t shift_ = 0, epoch_ = -1, window_ = -1, load_ = -1;
};

}  // namespace shoestring::train
