#include "compile/state_layout.h"

#include "base/arith.h"
#include "base/memory.h"

namespace shoestring {

const StateSlot* StateLayout::find(std::string_view name) const {
  const auto found = index_.find(name);
  return found == index_.end() ? nullptr : &slots_[found->second];
}

void StateLayout::lay_out(std::string_view name, const Layout& layout) {
  const auto found = index_.find(name);
  if (found == index_.end()) return;
  StateSlot& slot = slots_[found->second];
  slot.info.layout = layout, slot.settled = true;
}

Status StateLayout::include(const Graph& graph) {
  for (const StateInfo& info : graph.states()) {
    if (const StateSlot* known = find(info.name)) {
      if (known->info.type != info.type)
        return fail(ErrorKind::usage,
                    fmt::format("state '{}' is {} here and {} in another graph", info.name,
                                to_string(info.type), to_string(known->info.type)),
                    "graph " + graph.name(), "give the states different names");
      continue;
    }
    index_.emplace(info.name, slots_.size());
    slots_.push_back({info, bytes_});
    bytes_ += round_up(info.type.bytes(), kAlignment);
  }
  return {};
}

}  // namespace shoestring
