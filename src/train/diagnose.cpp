#include "train/diagnose.h"

#include <cmath>
#include <cstdlib>

namespace shoestring::train {
namespace {

bool all_finite(const Type& type, const std::byte* bytes) {
  if (!info(type.dtype).floating) return true;
  std::vector<double> values(static_cast<size_t>(type.elements()));
  decode(type.dtype, bytes, values.data(), type.elements());
  for (const double value : values)
    if (!std::isfinite(value)) return false;
  return true;
}

// A step is named after its node: "%12 matmul".
const Node& node_of(const Plan& plan, const Step& step) {
  return plan.graph.node(NodeId{static_cast<uint32_t>(std::strtoul(step.name.c_str() + 1, nullptr, 10))});
}

std::string describe(const Plan& plan, const Step& step) {
  std::string states;
  for (const ValueId input : node_of(plan, step).inputs)
    if (const Node& from = plan.graph.node(input); from.op == &read_op)
      states += (states.empty() ? "" : ", ") + from.name;
  return states.empty() ? step.name : fmt::format("{} ({})", step.name, states);
}

}  // namespace

std::string find_bad_node(Engine& engine, Runner& runner, const RunContext& context) {
  const Plan& plan = runner.plan();
  const auto address = [&](const Place& place) -> const std::byte* {
    switch (place.memory) {
      case Memory::arena:
        return engine.arena().data() + place.offset;
      case Memory::state:
        return engine.states().data() + place.offset;
      case Memory::constant:
        break;
    }
    return plan.constants.data() + place.offset;
  };
  for (size_t i = 0; i < plan.steps.size(); ++i) {
    const Step& step = plan.steps[i];
    const Node& node = node_of(plan, step);
    runner.executor().run_steps(i, i + 1, context);
    for (size_t o = 0; o < node.types.size(); ++o)
      if (!all_finite(node.types[o], address(step.operands[node.inputs.size() + o].place)))
        return describe(plan, step);
  }
  return {};
}

}  // namespace shoestring::train
