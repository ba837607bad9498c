// Some of a table's training rows, to fit preprocessing on where all of them are too many to hold: drawn
// evenly from the whole table, whatever its length, within a number of bytes; and whatever was drawn, the
// first row of every word that a vocabulary is to have.
#pragma once

#include <optional>

#include "train/raw_columns.h"

namespace shoestring::train {

// Appends these rows of columns made for the same recipe.
void append_rows(const RawColumns& from, std::span<const uint32_t> rows, RawColumns& to);

class Sample {
 public:
  // Holds at most `bytes`, and as much again while it makes room; `seed` draws the rows.
  Sample(const task::Recipe& recipe, int64_t bytes, uint64_t seed);

  // Draws from the training rows of the block, which begins with row `first_row` of the table.
  void add(const RawColumns& block, int64_t first_row, std::span<const uint8_t> splits);

  int64_t rows() const { return columns_.rows(); }
  int64_t training_rows() const { return training_rows_; }  // that it was drawn from
  int64_t bytes() const;
  RawColumns& columns() { return columns_; }

 private:
  // The words of one column that were seen so far, as long as a vocabulary may hold them all.
  struct Known {
    int64_t most = 0;  // words; 0: the column has no vocabulary, or too many words for it
    data::Dictionary words{1};
    bool missing = false;  // a cell without a value was seen
  };
  struct Drawn {
    uint32_t draw;  // kept while it is below the threshold
    uint8_t first;  // of a word, kOfInput or kOfOutput: kept whatever happens
  };

  static constexpr uint8_t kOfInput = 1, kOfOutput = 2;

  // Flags the rows that are the first of a word in one column.
  static void mark_first(const RawColumn& column, std::span<const uint8_t> splits, uint8_t flag, Known& known,
                         std::vector<uint8_t>& first);
  void make_room();

  const task::Recipe* recipe_;
  int64_t bytes_;
  uint64_t seed_;
  RawColumns columns_;
  std::vector<Known> known_;  // of the inputs, then of the outputs
  std::vector<Drawn> drawn_;
  uint64_t threshold_ = uint64_t{1} << 32;
  int64_t training_rows_ = 0, first_rows_ = 0;
};

}  // namespace shoestring::train
