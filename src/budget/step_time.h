// How long a plan takes, before it runs: for each step a roofline over measured rates. A product takes its
// FLOPs over the rate of its size and type; an elementwise function what its operators take in cache; and
// each step at least what its bytes take to move, which is the cheaper the less was touched since they were
// touched before. Work that pays for it is spread over the team. Nothing is run here.
#pragma once

#include <string>
#include <vector>

#include "compile/machine.h"
#include "compile/plan.h"

namespace shoestring::budget {

// What holds a step up.
enum class Bound : uint8_t { arithmetic, memory, overhead };
std::string_view name_of(Bound bound);

struct StepTime {
  double seconds = 0;
  Bound bound = Bound::overhead;
  int threads = 1;
};

// Of each of the plan's steps. `threads`: what it was compiled for; 0: all cores of the machine.
std::vector<StepTime> step_times(const Plan& plan, const MachineProfile& machine, int threads = 0);

// Of one run.
double seconds_of(const Plan& plan, const MachineProfile& machine, int threads = 0);

}  // namespace shoestring::budget
