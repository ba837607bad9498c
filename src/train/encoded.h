// Encoded columns, ready to be gathered into a plan's inputs.
#pragma once

#include <span>
#include <variant>
#include <vector>

#include "train/engine.h"
#include "train/raw_columns.h"

namespace shoestring::train {

// One feature's own column, as its port wants it: codes of a category, a set or a bag, numbers of a vector,
// dates, pixels.
using EncodedColumn =
    std::variant<std::monostate, data::CodeColumn, data::FloatRows, data::DateRows, data::PixelRows>;

struct EncodedInputs {
  data::FloatRows numbers{0};          // number and binary inputs side by side
  std::vector<EncodedColumn> columns;  // of each input that has a port of its own
  // Of each input the cells that had no value, of all rows; only where rows may be left out (`drop`).
  std::vector<int64_t> missing = {};
  // Of each input what its frozen encoder makes of it (train/features.h); of the others of width 0. Empty
  // where none are kept.
  std::vector<data::FloatRows> features = {};
};

// Of each output, in the list that is for its type.
struct EncodedTargets {
  std::vector<std::vector<float>> numbers;  // of a number (preprocessed) or binary (0, 1)
  std::vector<std::vector<int32_t>> codes;  // of a category; -1 where the model has no such class
  std::vector<EncodedColumn> columns;       // of a vector its numbers, of a set the numbers of its words
};

// Encodes all rows and takes the parsed ones away. `drop` gets a flag for each row to leave out; null:
// every row gets a value, as in prediction. Words that a binary input does not know, vectors of another
// length and dates that are none are counted in `raw.bad_inputs`, of a target in `raw.bad_outputs`. `groups`
// and `states` (one for each feature; empty: none) are what ffill and bfill look at, task::Neighbours.
EncodedInputs encode_inputs(const task::Fits& fits, RawColumns& raw, std::vector<uint8_t>* drop,
                            int64_t first_row = 0, std::span<const uint8_t> groups = {},
                            std::span<task::FillState> states = {});
// One input's cells: into `numbers` where it is one of the number columns, else into `own`.
void encode_input(const task::Fit& fit, RawColumn& raw, int64_t rows, std::vector<uint8_t>* drop,
                  task::FloatColumn numbers, EncodedColumn& own, data::BadCells* bad, int64_t first_row = 0,
                  const task::Neighbours& near = {});
EncodedTargets encode_targets(const task::Fits& fits, RawColumns& raw, std::vector<uint8_t>* drop,
                              int64_t first_row = 0, std::span<const uint8_t> groups = {},
                              std::span<task::FillState> states = {});

// Fills the plan's inputs with these rows; rows that the plan has beyond them repeat the last one.
void gather(const EncodedInputs& inputs, std::span<const uint32_t> rows, int64_t plan_rows,
            const Ports& ports);
// One input's own column, into its port.
void gather(const EncodedColumn& column, std::span<const uint32_t> rows, int64_t plan_rows, void* out);
void gather(const EncodedTargets& targets, std::span<const uint32_t> rows, int64_t plan_rows,
            const Ports& ports);

// Of a vector or set output, its port's values for these rows; of another nothing.
void gather_wide(const EncodedTargets& targets, size_t output, std::span<const uint32_t> rows, float* out);

int64_t bytes_of(const EncodedInputs& inputs);
int64_t bytes_of(const EncodedTargets& targets);

}  // namespace shoestring::train
