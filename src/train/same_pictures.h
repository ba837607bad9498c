// Pictures of the validation and test splits that are in the training split too, exactly or nearly.
#pragma once

#include "base/log.h"
#include "train/dataset.h"
#include "train/read_tables.h"

namespace shoestring::train {

// A note for each column of pictures and each split that has such: "12 pictures of the test split are in the
// training split too (3 exactly, 9 nearly), …: cats/3.jpg = cats/103.jpg, …". The columns are in memory.
void tell_same_pictures(const Dataset& data, const FilesRead& read, const LogSink& log);

}  // namespace shoestring::train
