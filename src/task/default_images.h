// The network and the trainer of a recipe that is made from pictures alone.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "task/effort.h"

namespace shoestring::task {

struct PictureTable {
  int64_t rows = 0;
  int64_t height = 0, width = 0, channels = 0;  // of most pictures
};

// A default recipe as YAML: what goes under an image input and under an output of classes, and the sections
// beside the features.
struct DefaultRecipe {
  std::string image = {}, output = {}, rest = {};
};

// Those with the largest pictures and the best network that so much effort trains well, then smaller ones in
// turn.
std::vector<DefaultRecipe> image_recipe_texts(const PictureTable& table, const Effort& effort);

}  // namespace shoestring::task
