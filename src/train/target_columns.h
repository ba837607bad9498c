// The means that the category encoder `target` puts in the place of values (task/target_encoding.h): fitted
// once all columns are, from what the outputs are in the training rows.
#pragma once

#include "train/raw_columns.h"

namespace shoestring::train {

// Completes the fits of the inputs with this encoder. `split` and `drop` are of each row; the columns stay as
// they are. ErrorKind::usage where no output has means.
Status fit_targets(const task::Recipe& recipe, RawColumns& columns, std::span<const uint8_t> split,
                   const std::vector<uint8_t>& drop, uint64_t seed, task::Fits& fits);

}  // namespace shoestring::train
