// The network and the trainer of a recipe that is made from a table alone.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace shoestring::task {

struct TableSize {
  int64_t rows = 0;     // 0: not known
  int64_t numbers = 0;  // inputs that are numbers
};
// Combiner, trainer and ensemble as YAML for predicting numbers or classes: those with the largest members
// that so many FLOP train well, then smaller ones in turn.
std::vector<std::string> default_recipe_texts(const TableSize& table, bool numbers, double flop);

}  // namespace shoestring::task
