#include "run/executor.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace shoestring {

Executor::Executor(const Plan& plan, std::byte* states, std::byte* arena)
    : plan_(&plan), states_(states), arena_(arena) {
  size_t operands = 0;
  for (const Step& s : plan.steps) operands += s.operands.size();
  pointers_.reserve(operands);  // calls_ point into it
  for (const Step& s : plan.steps) {
    void* const* first = pointers_.data() + pointers_.size();
    for (const Operand& o : s.operands) pointers_.push_back(base(o.place.memory) + o.place.offset);
    calls_.push_back({s.prepared.run, s.prepared.data.get(), first});
  }
  if (!memory_is_checked()) return;
  for (const Port& p : plan.inputs)
    if (p.place.memory == Memory::arena) inputs_.push_back(&p);
  std::ranges::sort(inputs_, {}, [](const Port* p) { return p->place.offset; });
}

std::byte* Executor::base(Memory memory) const {
  switch (memory) {
    case Memory::arena:
      return arena_;
    case Memory::state:
      return states_;
    case Memory::constant:
      return const_cast<std::byte*>(plan_->constants.data());  // steps only read there
  }
  return nullptr;
}

void Executor::run(const RunContext& context) noexcept {
  const bool checked = memory_is_checked();
  if (checked) poison();
  for (const Call& call : calls_) call.run(call.data, {call.operands, &context});
  if (checked) check_use();
}

// NaN in f32, f64 and every other bf16 and f16, and in no dtype what an operator makes of a whole tensor
// (0xFF alone is what saturating to u8 makes).
static std::byte poison_at(int64_t offset) { return std::byte{offset & 2 ? uint8_t{0xFF} : uint8_t{0xA5}}; }

void Executor::poison() noexcept {
  std::byte* at = arena_;
  const auto to = [&](std::byte* end) {
    for (std::byte* b = at; b < end; ++b) *b = poison_at(b - arena_);
  };
  for (const Port* p : inputs_) {
    to(arena_ + p->place.offset);
    at = std::max(at, arena_ + p->place.offset + p->type.bytes());
  }
  to(arena_ + plan_->arena_bytes);
}

// A slot may hold less than it has room for (alignment), but hardly nothing: then nobody has written to it,
// and the arena could have been smaller. Scratch is a kernel's own: of empty values it stays untouched.
void Executor::check_use() const noexcept {
  if (plan_->arena_bytes == 0) return;
  for (const Slot& s : plan_->slots)
    if (s.offset + s.bytes == plan_->arena_bytes) {
      if (s.name.ends_with(" scratch")) return;
      for (int64_t at = s.offset; at < plan_->arena_bytes; ++at)
        if (arena_[at] != poison_at(at)) return;
    }
  std::fprintf(stderr, "plan %s: its arena has %lld bytes, and the last of them were never used\n",
               plan_->name.c_str(), static_cast<long long>(plan_->arena_bytes));
  std::abort();
}

void Executor::run_steps(size_t begin, size_t end, const RunContext& context) noexcept {
  for (size_t i = begin; i < end && i < calls_.size(); ++i)
    calls_[i].run(calls_[i].data, {calls_[i].operands, &context});
}

void* Executor::input(std::string_view name) const {
  const Port* p = plan_->input(name);
  return p ? base(p->place.memory) + p->place.offset : nullptr;
}
const void* Executor::output(std::string_view name) const {
  const Port* p = plan_->output(name);
  return p ? base(p->place.memory) + p->place.offset : nullptr;
}

}  // namespace shoestring
