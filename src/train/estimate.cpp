#include "train/estimate.h"

#include <algorithm>

namespace shoestring::train {
namespace {

// Typical of one thread in 2024, for layers of some width; the point is the order of magnitude.
double flops_per_second(const Target& target) {
  switch (target.isa) {
    case Isa::avx512:
      return 60e9 * target.threads;
    case Isa::avx2:
      return 30e9 * target.threads;
    case Isa::neon:
      return 15e9 * target.threads;
    case Isa::scalar:
      break;
  }
  return 1.5e9 * target.threads;
}
constexpr double kBytesPerSecond = 10e9;
constexpr double kStepSeconds = 50e-9;  // to enter one step of a plan

double seconds_of(const Plan& plan, const Target& target) {
  const Cost cost = plan.cost();
  return std::max(cost.flops / flops_per_second(target), cost.bytes / kBytesPerSecond) +
         kStepSeconds * static_cast<double>(plan.steps.size());
}

}  // namespace

Estimate estimate(const Engine& engine, const BestModel& best, const Dataset& data, const Horizon& horizon) {
  Estimate e{.parameters = parameter_count(engine.layout()),
             .states_bytes = engine.layout().bytes(),
             .arena_bytes = static_cast<int64_t>(engine.arena().size()),
             .best_bytes = best.bytes(),
             .data_bytes = data.bytes(),
             .steps = horizon.total_steps};
  const Target target = native_target();
  const double steps = static_cast<double>(horizon.total_steps);
  for (const auto& runner : engine.runners()) {
    const double seconds = seconds_of(runner->plan(), target), rows = static_cast<double>(runner->rows());
    if (runner->request().kind == PlanKind::evaluate) {
      e.seconds_per_evaluated_row = seconds / rows;
      const double evaluations = steps / static_cast<double>(horizon.steps_per_evaluation);
      e.seconds += evaluations * (static_cast<double>(data.validation.size()) / rows + 1) * seconds;
    } else if (e.flops_per_step == 0) {  // the full batch comes first
      e.flops_per_step = runner->plan().cost().flops;
      e.seconds_per_step = static_cast<double>(data.training.size()) / rows * seconds /
                           static_cast<double>(horizon.steps_per_epoch);
      e.seconds += steps * e.seconds_per_step;
    }
  }
  return e;
}

}  // namespace shoestring::train
