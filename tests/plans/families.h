// The families of models that ten_steps.py trains in PyTorch, as recipes, with the same data: shared by
// the tests of whole plans.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "ir/interpret.h"
#include "task/network.h"

namespace shoestring::test {

// How a port's values come about. Numbers: scale * sin(0.7 row + 1.9 column + step + offset).
// Categories: (7 row + row / 3 + step + offset) mod size. Words: the same plus twice the place, mod size + 1,
// `size` being none; of a set to predict 1 for each that is among the first two. Dates: the same plus three
// times the part, mod its period, behind a number for the year. Pixels: the same plus 31 times the place, mod
// 256.
struct Port {
  enum class Kind { numbers, categories, words, set, dates, pixels } kind = Kind::numbers;
  int64_t offset = 0, size = 2;
  double scale = 1;
  double value(int64_t row, int64_t column, int step) const;
};

struct Family {
  task::NetworkSpec spec;
  int64_t rows = 0;
  double learning_rate = 0.01;
  std::map<std::string, Port> ports;

  // The graph's inputs at a step; rows [first, first + the port's rows) of the batch.
  std::map<std::string, Tensor64> inputs(const Graph& graph, int step, int64_t first = 0) const;
};

const std::map<std::string, Family>& families();

// 6 numbers, 8 categories, a binary output: the Adult table with one layer of 256.
task::NetworkSpec adult_spec();

// What ten_steps.py begins with: sines for parameters and statistics, zeros for all other states.
Tensor64 first_values(const StateInfo& state);

}  // namespace shoestring::test
