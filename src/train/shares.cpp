#include "train/shares.h"

#include <algorithm>
#include <cmath>

#include "task/pretrained.h"
#include "train/blend.h"

namespace shoestring::train {

bool can_train_on_shares(const Run& run) {
  // The places of the share's rows are not in the plan: of so many they are within its margin.
  constexpr int64_t kMostRows = 1 << 19;
  return !run.data.file && run.job.load.empty() && task::pretrained_encoders(run.job.recipe).empty() &&
         run.data.count(task::SplitName::training) <= kMostRows;
}

Result<OfShare> train_on_share(Run& run, double share, int64_t steps_of_all, task::SplitName held_out,
                               double seconds, const std::atomic<bool>* stop) {
  const double begun = run_clock().seconds();
  const int64_t per_step = run.batch().batch * run.batch().accumulation;
  std::vector<uint32_t> all = std::move(run.data.training), some;
  const auto count = static_cast<int64_t>(all.size());
  // Whole steps only: the plans for others are not made.
  const int64_t steps_per_epoch =
      std::max<int64_t>(1, std::llround(share * static_cast<double>(count) / static_cast<double>(per_step)));
  const int64_t rows = std::min(count, steps_per_epoch * per_step);
  for (int64_t i = 0; i < rows; ++i) some.push_back(all[static_cast<size_t>(i * count / rows)]);
  run.data.training = std::move(some);

  const auto train = [&]() -> Result<OfShare> {
    if (auto ok = run.engine().initialize(run.job.seed, run.compiled->options); !ok) return fail(ok.error());
    Horizon horizon = run.horizon;
    horizon.steps_per_epoch = steps_per_epoch;
    horizon.total_steps =
        std::max<int64_t>(1, std::llround(static_cast<double>(steps_of_all) * static_cast<double>(rows) /
                                          static_cast<double>(count)));
    horizon.steps_per_evaluation = std::clamp<int64_t>(horizon.steps_per_evaluation, 1, horizon.total_steps);
    Evaluator evaluator = evaluator_of(run);
    std::atomic<bool> enough{false};  // set from within as from outside
    const auto look = [&](const Progress&) {
      enough = run_clock().seconds() - begun > seconds || (stop && stop->load(std::memory_order_relaxed));
    };
    Loop loop(run.engine(), run.data, evaluator, run.best,
              {.trainer = run.job.recipe.trainer,
               .batch = run.batch(),
               .horizon = horizon,
               .seed = run.job.seed,
               .most_steps = horizon.total_steps},
              {.progress = look, .progress_seconds = 0.02, .stop = &enough});
    loop.restore({});
    const auto ending = loop.run();
    if (!ending) return fail(ending.error());
    if (*ending == Ending::interrupted || *ending == Ending::diverged)
      return fail(ErrorKind::interrupted,
                  stop && stop->load() ? "a training on some of the rows was stopped"
                                       : "a training on some of the rows took too long",
                  {}, "");
    run.best.restore(run.engine());
    if (auto ok = fit_blend(run.engine(), run.data, task::SplitName::validation, run.batch().eval); !ok)
      return fail(ok.error());
    OfShare out{.rows = rows,
                .training = evaluator.evaluate(task::SplitName::training),
                .held_out = evaluator.evaluate(held_out)};
    out.seconds = run_clock().seconds() - begun;
    return out;
  };
  auto out = train();
  run.data.training = std::move(all);
  return out;
}

}  // namespace shoestring::train
