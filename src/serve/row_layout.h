// An encoded row on its way from a request to a plan: words of 4 bytes, first the number columns, then what
// each input's own port wants (task::port_of), in the recipe's order.
#pragma once

#include <cstdint>
#include <vector>

#include "train/engine.h"

namespace shoestring::serve {

struct RowLayout {
  explicit RowLayout(const task::NetworkSpec& spec);

  struct Own {
    size_t input = 0;
    int64_t offset = 0, width = 1;  // words
    int64_t bytes = 4;              // that the port takes of them
  };
  int64_t words = 0, numbers = 0;  // of a row, and of those the number columns
  std::vector<Own> own;            // of the inputs that have a port of their own
  std::vector<int64_t> offsets;    // of every input

  int64_t width_of(size_t input) const;

  // Copies `count` encoded rows to the rows of the ports that begin at `first`.
  void to_ports(const uint32_t* rows, int64_t count, int64_t first, const train::Ports& ports) const;
  // Rows of the plan that no request has repeat the one before.
  void repeat_last(int64_t filled, int64_t plan_rows, const train::Ports& ports) const;
};

}  // namespace shoestring::serve
