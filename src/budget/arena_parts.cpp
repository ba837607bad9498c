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

// The step at which most is live.
int fullest_step(const Plan& plan) {
  std::vector<int64_t> change(plan.steps.size() + 3, 0);
  for (const Slot& s : plan.slots) {
    change[static_cast<size_t>(s.first_step + 1)] += s.bytes;
    change[static_cast<size_t>(s.last_step + 2)] -= s.bytes;
  }
  int64_t live = 0, most = -1;
  int step = -1;
  for (size_t i = 0; i < change.size(); ++i)
    if (live += change[i]; live > most) most = live, step = static_cast<int>(i) - 1;
  return step;
}

}  // namespace

ArenaParts parts_of(const Plan& plan) {
  const int step = fullest_step(plan);
  const std::set<std::string> gradients = gradients_of(plan.graph);
  ArenaParts parts;
  for (const Slot& s : plan.slots) {
    if (s.first_step > step || s.last_step < step) continue;
    if (s.name.ends_with(" scratch"))
      parts.scratch += s.bytes;
    else if (gradients.contains(s.name))
      parts.gradients += s.bytes;
  }
  parts.activations = plan.arena_bytes - parts.scratch - parts.gradients;
  return parts;
}

}  // namespace shoestring::budget
