#include "budget/arena_parts.h"

#include <algorithm>
#include <set>

#include "ops/ops.h"

namespace shoestring::budget {
namespace {

// The node and output of a slot's first value, as slots are named after it: "%12", "%12.1".
std::set<std::string> gradients_of(const Graph& graph) {
  std::set<std::string> names;
  for (const Node& write : graph.nodes()) {
    if (write.op != &write_op) continue;
    const Node& maker = graph.node(write.inputs[0].node);
    const NodeId read = graph.reading(write.name);
    if (read.index >= graph.nodes().size()) continue;  // a running sum that nobody reads
    const int64_t elements = graph.type({read}).elements();
    for (const ValueId& v : maker.inputs) {
      const Node& node = graph.node(v.node);
      if (node.op == &read_op || node.op == &input_op || graph.type(v).elements() != elements) continue;
      names.insert(node.types.size() > 1 ? fmt::format("%{}.{}", v.node.index, v.output)
                                         : fmt::format("%{}", v.node.index));
    }
  }
  return names;
}

// What is live at each step, those before the first and after the last included, and at which it is most.
struct Live {
  std::vector<int64_t> bytes;  // [step + 1]
  int fullest() const { return static_cast<int>(std::ranges::max_element(bytes) - bytes.begin()) - 1; }
  int64_t most() const { return std::ranges::max(bytes); }
};
Live live_of(const Plan& plan) {
  std::vector<int64_t> change(plan.steps.size() + 3, 0);
  for (const Slot& s : plan.slots) {
    change[static_cast<size_t>(s.first_step + 1)] += s.bytes;
    change[static_cast<size_t>(s.last_step + 2)] -= s.bytes;
  }
  Live live;
  int64_t now = 0;
  for (size_t i = 0; i + 1 < change.size(); ++i) live.bytes.push_back(now += change[i]);
  return live;
}

bool is_scratch(const Slot& slot) { return slot.name.ends_with(" scratch"); }

ArenaParts parts_at(const Plan& plan, int step) {
  const std::set<std::string> gradients = gradients_of(plan.graph);
  ArenaParts parts;
  for (const Slot& s : plan.slots) {
    if (s.first_step > step || s.last_step < step) continue;
    if (is_scratch(s))
      parts.scratch += s.bytes;
    else if (gradients.contains(s.name))
      parts.gradients += s.bytes;
  }
  return parts;
}

}  // namespace

ArenaParts parts_of(const Plan& plan) {
  ArenaParts parts = parts_at(plan, live_of(plan).fullest());
  parts.activations = plan.arena_bytes - parts.scratch - parts.gradients;
  return parts;
}

ArenaParts parts_elsewhere(const Plan& plan, int64_t scratch_bytes) {
  Live live = live_of(plan);
  const int64_t between = plan.arena_bytes - live.most();  // slots, where they do not lie close
  std::vector<int64_t> own(plan.steps.size(), 0);
  for (const Slot& s : plan.slots)
    if (is_scratch(s)) own[static_cast<size_t>(s.first_step)] = s.bytes;
  const auto of_library = [&](int step) {
    return step >= 0 && step < std::ssize(plan.steps) &&
           plan.steps[static_cast<size_t>(step)].kernel == "onednn";
  };
  for (int step = 0; step < std::ssize(plan.steps); ++step)
    if (of_library(step))
      live.bytes[static_cast<size_t>(step) + 1] += scratch_bytes - own[static_cast<size_t>(step)];
  const int step = live.fullest();
  ArenaParts parts = parts_at(plan, step);
  if (of_library(step)) parts.scratch = scratch_bytes;
  parts.activations = live.most() + between - parts.scratch - parts.gradients;
  return parts;
}

}  // namespace shoestring::budget
