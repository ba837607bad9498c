// Encoded rows as runs of bytes, all of one length: every column's cells of a row side by side, as narrow as
// they are in memory.
#pragma once

#include <span>
#include <vector>

#include "train/encoded.h"

namespace shoestring::train {

// Some encoded rows in memory.
struct EncodedRows {
  EncodedInputs inputs;
  EncodedTargets targets;
  int64_t bytes() const { return bytes_of(inputs) + bytes_of(targets); }
};

class PackedFormat {
 public:
  // Where an output's truth stands: in EncodedTargets::numbers, codes or columns.
  enum class Target { number, code, own };

  // For rows of a recipe's features that are encoded by these fits.
  PackedFormat(const task::Recipe& recipe, const task::Fits& fits);

  int64_t row_bytes() const { return row_bytes_; }
  // Columns with room for so many rows, to unpack into.
  EncodedRows rows(int64_t count) const;

  // The rows with these places, one behind the other.
  void pack(const EncodedRows& from, std::span<const uint32_t> rows, std::byte* out) const;
  // `count` packed rows into the places from `first` on.
  void unpack(const std::byte* in, int64_t first, int64_t count, EncodedRows& to) const;

 private:
  EncodedRows none_;  // columns of the right kinds, without rows
  std::vector<Target> targets_;
  int64_t row_bytes_ = 0;
};

}  // namespace shoestring::train
