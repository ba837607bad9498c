// Runs a plan over a block of states and a scratch arena that the caller owns. It allocates nothing
// and cannot fail. Many executors may share a block of states while none writes; each needs an arena
// of its own while it runs.
//
// Where memory is checked (base/memory.h), every run begins with all of the arena but its inputs poisoned by
// bytes of 0xFF, NaN, and ends with a look at the slots that reach the arena's end: that what was planned was
// used, to the last byte. A breach ends the process, as an assertion does.
//
//   Executor step(plan, states.data(), arena.data());
//   fill(step.input<float>("x"));                 // every input, before every run
//   step.run({.seed = 42, .step = t});
//   float loss = *step.output<float>("loss");
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "compile/plan.h"

namespace shoestring {

class Executor {
 public:
  // The plan, the states (>= plan.state_bytes) and the arena (>= plan.arena_bytes) must outlive it.
  Executor(const Plan& plan, std::byte* states, std::byte* arena);
  void run(const RunContext& context) noexcept;

  // Null if the plan has no such port. Look pointers up once, before the loop.
  void* input(std::string_view name) const;
  const void* output(std::string_view name) const;
  template <class T>
  T* input(std::string_view name) const {
    return static_cast<T*>(input(name));
  }
  template <class T>
  const T* output(std::string_view name) const {
    return static_cast<const T*>(output(name));
  }
  // Runs steps [begin, end) only; for finding where a number went bad.
  void run_steps(size_t begin, size_t end, const RunContext& context) noexcept;
  const Plan& plan() const { return *plan_; }

 private:
  struct Call {
    KernelFn run;
    const void* data;
    void* const* operands;
  };
  std::byte* base(Memory memory) const;
  void poison() noexcept;
  void check_use() const noexcept;
  const Plan* plan_;
  std::byte *states_, *arena_;
  std::vector<void*> pointers_;
  std::vector<Call> calls_;
  std::vector<const Port*> inputs_;  // by offset, to be left alone by poison()
};

}  // namespace shoestring
