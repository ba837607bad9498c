#include "run/executor.h"

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
  for (const Call& call : calls_) call.run(call.data, {call.operands, &context});
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
