// Where operands' values come from, and how results are compared.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ir/interpret.h"
#include "ops/row.h"

namespace shoestring::optest {

// What an operand holds: its bytes, and the same values widened.
struct Data {
  std::vector<std::byte> bytes;
  Tensor64 values;
};
Data encoded(const Type& type, const Tensor64& values);

// The same for the same row on every machine. `salt` gives another draw.
std::vector<Data> draw(const Row& row, uint32_t salt = 0);

// Standard normal numbers, for directions and upstream gradients.
Tensor64 normal(int64_t n, uint32_t salt);

// How far an element may be from the reference, relative to its size plus the mean size of all.
double default_tolerance(DType dtype);

// Compares element by element after rounding the reference to the type; NaN equals NaN. Nothing if all
// are near enough, else the worst: "element [1,3] is 0.5, not 0.25". `relative`: to its own size alone.
std::optional<std::string> difference(const Type& type, const Tensor64& got, const Tensor64& reference,
                                      double tolerance, bool relative = false);

}  // namespace shoestring::optest
