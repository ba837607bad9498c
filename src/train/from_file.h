// A table that is too long for memory: its rows are encoded into a file, in random order, and training reads
// them from there through a fixed buffer. The text is read twice: for a survey, which counts rows and fits
// preprocessing on a sample of them, and to encode it.
#pragma once

#include "train/survey.h"

namespace shoestring::train {

// The second reading: as prepare(), of a table that was surveyed, with the same options; options.from_file
// says where to and how. ErrorKind::data where a file changed since; ErrorKind::machine where the disk has no
// room.
Result<Dataset> prepare_from_file(const DataFiles& files, Surveyed surveyed, const PrepareOptions& options);

// Both readings. ErrorKind::budget as can_stream().
Result<Dataset> prepare_from_file(const DataFiles& files, task::Recipe recipe, const PrepareOptions& options);

}  // namespace shoestring::train
