// The learning rate of each step, and when to stop: small state machines over steps and evaluations
// whose memory is a plain value, so that a checkpoint carries it and a resumed run goes on exactly.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>

#include "task/recipe.h"

namespace shoestring::train {

// How long training is, in optimizer steps.
struct Horizon {
  int64_t steps_per_epoch = 1;
  int64_t total_steps = 1;
  int64_t steps_per_evaluation = 1;  // of the validation split; a checkpoint goes with it
};

// Epochs or train_steps, checkpoints_per_epoch or steps_per_checkpoint, for this many training rows.
// epochs auto are kMostAutoEpochs at most. `rows_per_step` is batch rows times accumulation. train_steps,
// where set, ends training in place of epochs; steps_per_checkpoint likewise stands before
// checkpoints_per_epoch.
Horizon horizon(const task::Trainer& trainer, int64_t training_rows, int64_t rows_per_step);

// The rate at step t (from 0) of T is base * warm-up * decay * plateau:
//   base         learning_rate, auto_learning_rate() where it is auto; adafactor's lr where that is set, or
//   with its
//                relative_step 1 / sqrt(t + 1), at most 0.01, or (t + 1) / 10^6 with warmup_init
//                (arXiv 1804.04235, section 8)
//   warm-up      (t + 1) / w during the first w steps; w = warmup_fraction * T where that is set, else
//                warmup_evaluations * steps_per_evaluation. Decay begins after it: u = t - w of U = T - w.
//   linear       1 - u / U, never below 0
//   exponential  decay_rate ^ (u / decay_steps); the exponent whole with `staircase`
//   cosine       eta_min + (base - eta_min) (1 + cos(pi v / V)) / 2, where v is the step within a cycle
//                of V steps; the first cycle is t_0 steps (absent: steps_per_evaluation), each later
//                one t_mult times the one before (SGDR, arXiv 1608.03983)
//   inverse_sqrt 1 / sqrt(max(u, inverse_sqrt_warmup_steps)) (arXiv 1706.03762, without its warm-up)
//   polynomial   polynomial_end_lr + (base - polynomial_end_lr) (1 - u / U) ^ polynomial_power
//   plateau      reduce_on_plateau_rate for each time that the watched metric did not improve over
//                reduce_on_plateau_patience + 1 evaluations, reduce_on_plateau times at most
// Some decays bring their own warm-up, and w is 0:
//   one_cycle    by half cosines from max_lr / div_factor up to max_lr at step pct_start * T - 1, and
//                down to max_lr / div_factor / final_div_factor at step T - 1 (torch.optim's OneCycleLR,
//                arXiv 1708.07120; the momentum stays as it is)
//   wsd          (t + 1) / w over the first wsd_warmup_fraction * T steps, 1 over the next
//                wsd_stable_fraction * T, then (1 + cos) / 2 from 1 to 0 (arXiv 2404.06395)
//   coslog       (1 - cos(2 pi log2(1 + (2^c - 1) t / T))) / 2 with c = coslog_cycles (arXiv 2407.04491)
class Schedule {
 public:
  struct Memory {
    double factor = 1;  // of the plateaus so far
    double best = std::numeric_limits<double>::quiet_NaN();
    int64_t without_improvement = 0;
    int64_t reductions = 0;
    // At `step` it stood at `place` of its horizon's steps; each step since then moved it on by `pace`.
    int64_t step = 0;
    double place = 0, pace = 1;
    bool operator==(const Memory&) const = default;
  };

  Schedule(const task::LearningRateScheduler& spec, double base, const Horizon& horizon);
  Schedule(const task::Trainer& trainer, const Horizon& horizon);
  double at(int64_t step) const;
  // The run is to end after `total` steps, not when it was to: from `step` on, what depends on T (linear,
  // polynomial, one_cycle, wsd, coslog, warm-up) goes the rest of its way in the steps that are left, without
  // a jump. What counts steps of its own (exponential, cosine, inverse_sqrt, adafactor's) goes on as it was.
  void refit(int64_t step, int64_t total);
  // Tells the watched metric's value at an evaluation; true if the rate was reduced by it.
  bool observe(double value, bool larger_is_better);

  const Memory& memory() const { return memory_; }
  void restore(const Memory& memory) { memory_ = memory; }
  // Whether at() is the same for every step until the next reduction.
  bool constant() const { return !relative_ && warmup_ == 0 && spec_.decay == task::Decay::none; }

 private:
  double place(int64_t step) const;
  double base(int64_t step) const;
  double cosine(double rate, int64_t step) const;
  double one_cycle(double base, double place) const;
  double wsd(double t) const;

  task::LearningRateScheduler spec_;
  double base_;
  std::optional<task::Adafactor> relative_;  // whose relative_step is the base
  Horizon horizon_;
  int64_t warmup_ = 0;
  Memory memory_;
};

// Whether `value` is better than `best`; nothing is better than itself, NaN is never better, and any
// number is better than NaN.
bool improves(double value, double best, bool larger_is_better);

// The best evaluation so far, and early stopping: after `patience` evaluations in a row without
// improvement; 0 or less never stops.
class BestSoFar {
 public:
  struct Memory {
    double value = std::numeric_limits<double>::quiet_NaN();
    int64_t step = 0;  // optimizer steps done when it was reached
    int64_t evaluations_since = 0;
    bool operator==(const Memory&) const = default;
  };

  BestSoFar(int64_t patience, bool larger_is_better)
      : patience_(patience), larger_is_better_(larger_is_better) {}
  // True if this evaluation is the best so far.
  bool observe(double value, int64_t step);
  bool stop() const { return patience_ > 0 && memory_.evaluations_since >= patience_; }

  const Memory& memory() const { return memory_; }
  void restore(const Memory& memory) { memory_ = memory; }

 private:
  int64_t patience_;
  bool larger_is_better_;
  Memory memory_;
};

}  // namespace shoestring::train
