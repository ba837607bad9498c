// What is learnt about the columns of a recipe from the rows that train.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "train/raw_columns.h"

namespace shoestring::train {

// The fit of every feature on the rows `training` of the columns, which stay as they are; what a user should
// know goes to `notes`. Fails as task::fit_number and its like do, without a place.
Result<task::Fits> fit_columns(const task::Recipe& recipe, RawColumns& columns,
                               std::span<const uint32_t> training, std::vector<std::string>& notes);

}  // namespace shoestring::train
