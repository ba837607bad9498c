#include "compile/plan.h"

#include "base/text.h"

namespace shoestring {
namespace {

const Port* named(std::span<const Port> ports, std::string_view name) {
  for (const Port& p : ports)
    if (p.name == name) return &p;
  return nullptr;
}

std::string to_string(const Place& p) {
  constexpr std::string_view names[] = {"arena", "state", "constant"};
  return fmt::format("{}+{}", names[static_cast<size_t>(p.memory)], p.offset);
}

}  // namespace

const Port* Plan::input(std::string_view port) const { return named(inputs, port); }
const Port* Plan::output(std::string_view port) const { return named(outputs, port); }

Cost Plan::cost() const {
  Cost sum;
  for (const Step& s : steps) {
    sum.flops += s.cost.flops;
    sum.bytes += s.cost.bytes;
  }
  return sum;
}

Status verify(const Plan& plan) {
  const auto broken = [&](std::string what) {
    return fail(ErrorKind::internal, std::move(what), "plan " + plan.name);
  };
  for (size_t i = 0; i < plan.slots.size(); ++i) {
    const Slot& a = plan.slots[i];
    if (a.offset < 0 || a.offset + a.bytes > plan.arena_bytes)
      return broken(fmt::format("slot {} lies outside the arena", a.name));
    for (size_t j = i + 1; j < plan.slots.size(); ++j) {
      const Slot& b = plan.slots[j];
      const bool in_time = a.first_step <= b.last_step && b.first_step <= a.last_step;
      const bool in_space = a.offset < b.offset + b.bytes && b.offset < a.offset + a.bytes;
      if (in_time && in_space)
        return broken(fmt::format("slots {} and {} overlap while both are live", a.name, b.name));
    }
  }
  const auto inside = [&](const Place& p) {
    const int64_t size = p.memory == Memory::arena   ? plan.arena_bytes
                         : p.memory == Memory::state ? plan.state_bytes
                                                     : static_cast<int64_t>(plan.constants.size());
    return p.offset >= 0 && p.offset <= size;
  };
  for (const Step& s : plan.steps)
    for (const Place& p : s.operands)
      if (!inside(p)) return broken(fmt::format("an operand of {} lies outside its memory", s.name));
  for (const auto* ports : {&plan.inputs, &plan.outputs})
    for (const Port& p : *ports)
      if (!inside(p.place)) return broken(fmt::format("port {} lies outside its memory", p.name));
  return {};
}

std::string to_text(const Plan& plan) {
  std::string text = fmt::format(
      "plan {}: {} steps, arena {} bytes (largest live set {}), constants {}, states {}\n", plan.name,
      plan.steps.size(), plan.arena_bytes, plan.live_bytes, plan.constants.size(), plan.state_bytes);
  for (const Port& p : plan.inputs)
    text +=
        fmt::format("  input \"{}\": {} at {}\n", p.name, shoestring::to_string(p.type), to_string(p.place));
  for (size_t i = 0; i < plan.steps.size(); ++i) {
    const Step& s = plan.steps[i];
    text += fmt::format("  {:>3} {} [{}]", i, s.name, s.kernel);
    for (const Place& p : s.operands) text += " " + to_string(p);
    text += "\n";
  }
  for (const Port& p : plan.outputs)
    text +=
        fmt::format("  output \"{}\": {} at {}\n", p.name, shoestring::to_string(p.type), to_string(p.place));
  for (const Slot& s : plan.slots)
    text += fmt::format("  slot {}: [{}, {}) steps {}..{}\n", s.name, s.offset, s.offset + s.bytes,
                        s.first_step, s.last_step);
  return text;
}

}  // namespace shoestring
