// The numbers of a MachineProfile as a table: what a file of it holds, what is checked, shown and measured
// all come from here.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "compile/machine.h"

namespace shoestring::budget {

enum class RateUnit : uint8_t { flops, bytes_a_second, a_second, seconds, bytes, watts };

struct Rate {
  std::string_view group, name;  // "f32_products", "tiny"; a group of one has no name
  RateUnit unit;
  bool may_be_none;  // 0 says that there is no such thing
  std::string_view about;
  double& (*of)(MachineProfile&);

  std::string key() const;  // "f32_products.tiny"
  double in(const MachineProfile& p) const { return of(const_cast<MachineProfile&>(p)); }
};
std::span<const Rate> rates();

std::string human_rate(double value, RateUnit unit);  // "62 GFLOP/s", "41 GB/s", "0.8 µs"

}  // namespace shoestring::budget
