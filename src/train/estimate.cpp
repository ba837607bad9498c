#include "train/estimate.h"

#include "budget/step_time.h"

namespace shoestring::train {
Estimate estimate(const Engine& engine, const BestModel& best, const Dataset& data, const Horizon& horizon,
                  const MachineProfile& machine) {
  Estimate e{.parameters = parameter_count(engine.layout()),
             .states_bytes = engine.layout().bytes(),
             .arena_bytes = static_cast<int64_t>(engine.arena().size()),
             .best_bytes = best.bytes(),
             .data_bytes = data.bytes(),
             .steps = horizon.total_steps};
  const int threads = engine.options().target.threads;
  const double steps = static_cast<double>(horizon.total_steps);
  for (const auto& runner : engine.runners()) {
    const double seconds = budget::seconds_of(runner->plan(), machine, threads),
                 rows = static_cast<double>(runner->rows());
    if (runner->request().kind == PlanKind::evaluate) {
      e.seconds_per_evaluated_row = seconds / rows;
      const double evaluations = steps / static_cast<double>(horizon.steps_per_evaluation);
      e.seconds +=
          evaluations * (static_cast<double>(data.count(task::SplitName::validation)) / rows + 1) * seconds;
    } else if (runner->request().kind == PlanKind::features) {
      e.seconds_per_feature_row = seconds / rows;
    } else if (e.flops_per_step == 0) {  // the full batch comes first
      e.flops_per_step = runner->plan().cost().flops;
      e.seconds_per_step = static_cast<double>(data.count(task::SplitName::training)) / rows * seconds /
                           static_cast<double>(horizon.steps_per_epoch);
      e.seconds += steps * e.seconds_per_step;
    }
  }
  return e;
}

}  // namespace shoestring::train
