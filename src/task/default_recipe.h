// The network and the trainer of a recipe that is made from a table alone.
#pragma once

#include <cstdint>
#include <string>

namespace shoestring::task {

// Combiner, trainer and ensemble as YAML, sized to a table of so many rows (0: not known), for predicting
// numbers or classes.
std::string default_recipe_text(int64_t rows, bool numbers);

}  // namespace shoestring::task
