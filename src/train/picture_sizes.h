// The size that a recipe leaves to be found: of the first pictures of each image column.
#pragma once

#include "train/dataset.h"

namespace shoestring::train {

// Sets height, width and num_channels of every image input that lacks one: height and width are the medians
// of the first pictures' (Ludwig's are means, which one odd picture moves), no more than the recipe's bounds,
// and channels those of most of them. Only headers are read. ErrorKind::data where none of them can be read.
Status find_picture_sizes(const DataFiles& files, task::Recipe& recipe, const PrepareOptions& options);

}  // namespace shoestring::train
