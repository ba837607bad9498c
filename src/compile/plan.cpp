#include "compile/plan.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <map>

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

bool within(int64_t offset, int64_t bytes, int64_t begin, int64_t size) {
  return bytes >= 0 && offset >= begin && offset - begin <= size - bytes;
}

bool meet(int64_t a, int64_t a_bytes, int64_t b, int64_t b_bytes) {
  return a_bytes > 0 && b_bytes > 0 && a < b + b_bytes && b < a + a_bytes;
}

// The slots that are live at a step, by offset. Steps are asked for in ascending order.
class LiveSlots {
 public:
  explicit LiveSlots(std::span<const Slot> slots) {
    for (const Slot& s : slots) coming_.push_back(&s);
    std::stable_sort(coming_.begin(), coming_.end(),
                     [](const Slot* a, const Slot* b) { return a->first_step < b->first_step; });
  }

  // Goes on to a step. What is wrong on the way, nothing if all is well.
  std::string advance(int step) {
    for (; next_ < coming_.size() && coming_[next_]->first_step <= step; ++next_) {
      const Slot& s = *coming_[next_];
      drop_before(s.first_step);
      if (s.bytes == 0) continue;
      const auto after = live_.upper_bound(s.offset);
      const Slot* others[] = {after == live_.end() ? nullptr : after->second,
                              after == live_.begin() ? nullptr : std::prev(after)->second};
      for (const Slot* other : others)
        if (other && meet(s.offset, s.bytes, other->offset, other->bytes))
          return fmt::format("slots {} and {} overlap while both are live", std::min(&s, other)->name,
                             std::max(&s, other)->name);
      live_.emplace(s.offset, &s);
      ends_.emplace(s.last_step, &s);
    }
    drop_before(step);
    return {};
  }

  bool hold(int64_t offset, int64_t bytes) const {
    const auto after = live_.upper_bound(offset);
    if (after == live_.begin()) return false;
    const Slot& s = *std::prev(after)->second;
    return within(offset, bytes, s.offset, s.bytes);
  }

 private:
  void drop_before(int step) {
    for (; !ends_.empty() && ends_.begin()->first < step; ends_.erase(ends_.begin()))
      live_.erase(ends_.begin()->second->offset);
  }

  std::vector<const Slot*> coming_;
  size_t next_ = 0;
  std::map<int64_t, const Slot*> live_;   // by offset
  std::multimap<int, const Slot*> ends_;  // by last step
};

// The checks give what is wrong, nothing if all is well.
std::string slots_wrong(const Plan& plan) {
  for (const Slot& s : plan.slots)
    if (!within(s.offset, s.bytes, 0, plan.arena_bytes))
      return fmt::format("slot {} lies outside the arena", s.name);
  return LiveSlots(plan.slots).advance(std::numeric_limits<int>::max());
}

// As live slots do not overlap, what lies in one touches no other. Nothing at all may lie anywhere.
std::string place_wrong(const Plan& plan, const LiveSlots& live, const Place& p, int64_t bytes) {
  switch (p.memory) {
    case Memory::arena:
      return bytes == 0 || live.hold(p.offset, bytes) ? "" : "in no slot that is live then";
    case Memory::state:
      return within(p.offset, bytes, 0, plan.state_bytes) ? "" : "outside the states";
    case Memory::constant:
      return within(p.offset, bytes, 0, std::ssize(plan.constants)) ? "" : "outside the constants";
  }
  return "nowhere";
}

// Whether a written operand meets another one and is not worked on in place.
bool writes_overlap(const Step& step) {
  for (size_t i = 0; i < step.operands.size(); ++i)
    for (size_t j = 0; j < step.operands.size(); ++j) {
      const Operand &out = step.operands[i], &other = step.operands[j];
      if (i == j || !out.written || out.place.memory != other.place.memory) continue;
      const bool in_place = !other.written && out.place == other.place && out.bytes == other.bytes;
      if (!in_place && meet(out.place.offset, out.bytes, other.place.offset, other.bytes)) return true;
    }
  return false;
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

Plan::Reorders Plan::reorders() const {
  Reorders all;
  for (const Step& s : steps)
    if (s.node >= 0 && graph.nodes()[static_cast<size_t>(s.node)].op->name == "reorder")
      ++all.count, all.bytes += graph.nodes()[static_cast<size_t>(s.node)].types[0].bytes();
  return all;
}

Status verify(const Plan& plan) {
  const auto broken = [&](std::string what) {
    return fail(ErrorKind::internal, std::move(what), "plan " + plan.name);
  };
  if (const std::string wrong = slots_wrong(plan); !wrong.empty()) return broken(wrong);
  LiveSlots live(plan.slots);
  live.advance(-1);
  for (const Port& p : plan.inputs)
    if (const std::string wrong = place_wrong(plan, live, p.place, p.type.bytes()); !wrong.empty())
      return broken(fmt::format("input {} lies {}", p.name, wrong));
  const int steps = static_cast<int>(plan.steps.size());
  for (int i = 0; i < steps; ++i) {
    const Step& step = plan.steps[static_cast<size_t>(i)];
    live.advance(i);
    for (const Operand& o : step.operands) {
      if (const std::string wrong = place_wrong(plan, live, o.place, o.bytes); !wrong.empty())
        return broken(fmt::format("an operand of {} lies {}", step.name, wrong));
      if (o.written && o.place.memory == Memory::constant)
        return broken(fmt::format("{} writes to a constant", step.name));
    }
    if (writes_overlap(step)) return broken(fmt::format("{} writes over another operand", step.name));
  }
  live.advance(steps);
  for (const Port& p : plan.outputs)
    if (const std::string wrong = place_wrong(plan, live, p.place, p.type.bytes()); !wrong.empty())
      return broken(fmt::format("output {} lies {}", p.name, wrong));
  int64_t end = 0;
  for (const Slot& s : plan.slots) end = std::max(end, s.offset + s.bytes);
  if (end != plan.arena_bytes)
    return broken(fmt::format("the slots end at {}, the arena at {}", end, plan.arena_bytes));
  return {};
}

std::string to_text(const Plan& plan) {
  std::string text = fmt::format(
      "plan {}: {} steps, arena {} bytes (largest live set {}), constants {}, states {}\n", plan.name,
      plan.steps.size(), plan.arena_bytes, plan.live_bytes, plan.constants.size(), plan.state_bytes);
  if (const auto moved = plan.reorders(); moved.count > 0)
    text += fmt::format("  reorders: {}, {} bytes\n", moved.count, moved.bytes);
  for (const Port& p : plan.inputs)
    text +=
        fmt::format("  input \"{}\": {} at {}\n", p.name, shoestring::to_string(p.type), to_string(p.place));
  for (size_t i = 0; i < plan.steps.size(); ++i) {
    const Step& s = plan.steps[i];
    text += fmt::format("  {:>3} {} [{}]", i, s.name, s.kernel);
    for (const Operand& o : s.operands) text += " " + to_string(o.place);
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
