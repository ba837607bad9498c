// Pictures beside what training makes of them.
#pragma once

#include "train/dataset.h"

namespace shoestring::train {

struct SheetRequest {
  DataFiles data;
  std::string feature = {};  // an image input of the recipe; "": the first
  int64_t pictures = 8, views = 7;
  uint64_t seed = 42;
};
struct ContactSheet {
  std::string png;
  std::string feature, steps;  // whose, and what is done to its pictures
  int64_t pictures = 0;
};

// The first pictures of an image input, a row each: as it is, then as the augmentation of the recipe would
// have it in so many steps, one of each epoch from the first on. Where a flip alternates, a picture is turned
// as training with this seed turns it; all else is drawn by the order of training's batches, which no sheet
// knows. ErrorKind::usage where the recipe has no such input.
Result<ContactSheet> contact_sheet(const SheetRequest& request, task::Recipe recipe);

}  // namespace shoestring::train
