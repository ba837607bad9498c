// What frozen encoders make of the rows: computed once, before training, by a plan of its own, and kept
// beside the rows, in memory or, where they are in a file, in that file. Steps and evaluations then run what
// stands behind the encoders alone. data.spec.kept_features says of which inputs.
#pragma once

#include <functional>

#include "train/dataset.h"

namespace shoestring::train {

bool keeps_features(const Dataset& data);

// What it takes to keep them in memory; 0 where they are in a file, whose window is part of data.bytes().
int64_t feature_bytes(const Dataset& data);
// The rows that they are computed of, each once.
int64_t feature_rows(const Dataset& data);

// Before a run is planned: fits a file's window to spec.kept_features, and drops what was kept before.
void expect_features(Dataset& data);
// Takes the memory for them; until they are computed they are 0.
void hold_features(Dataset& data);

// With the engine's states as they are now. Asks `go_on` before each batch, and ends with what it says.
// ErrorKind::machine where the disk has no room.
Status compute_features(Engine& engine, Dataset& data, const std::function<Status()>& go_on);
// Seconds of a row, by one batch.
double time_features(Engine& engine, const Dataset& data);

}  // namespace shoestring::train
