// The block of states that all plans of a model share: each state's place in it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "ir/graph.h"

namespace shoestring {

struct StateSlot {
  StateInfo info;
  int64_t offset = 0;    // in the block, aligned to kAlignment
  bool settled = false;  // whether lay_out_states() has said how it lies
};

class StateLayout {
 public:
  // Adds the states of a graph that are not there yet. Fails if one is known with another type.
  Status include(const Graph& graph);
  // How a state of the layout lies, from now on for good. Its bytes stay the same.
  void lay_out(std::string_view name, const Layout& layout);
  const StateSlot* find(std::string_view name) const;
  std::span<const StateSlot> slots() const { return slots_; }
  int64_t bytes() const { return bytes_; }

 private:
  std::vector<StateSlot> slots_;
  std::map<std::string, size_t, std::less<>> index_;
  int64_t bytes_ = 0;
};

}  // namespace shoestring
