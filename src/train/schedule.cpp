#include "train/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace shoestring::train {
namespace {

constexpr int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

}  // namespace

Horizon horizon(const task::Trainer& trainer, int64_t training_rows, int64_t rows_per_step) {
  Horizon h;
  h.steps_per_epoch = std::max<int64_t>(1, ceil_div(training_rows, std::max<int64_t>(1, rows_per_step)));
  h.total_steps = trainer.train_steps                              ? *trainer.train_steps
                  : trainer.epochs > INT64_MAX / h.steps_per_epoch ? INT64_MAX
                                                                   : trainer.epochs * h.steps_per_epoch;
  const int64_t per_epoch = std::clamp<int64_t>(trainer.checkpoints_per_epoch, 1, h.steps_per_epoch);
  h.steps_per_evaluation = trainer.steps_per_checkpoint > 0 ? trainer.steps_per_checkpoint
                                                            : ceil_div(h.steps_per_epoch, per_epoch);
  return h;
}

Schedule::Schedule(const task::LearningRateScheduler& spec, double base, const Horizon& horizon)
    : spec_(spec), base_(base), horizon_(horizon) {
  const double fraction = spec.warmup_fraction * static_cast<double>(horizon.total_steps);
  warmup_ = spec.warmup_fraction > 0 ? static_cast<int64_t>(fraction)
                                     : spec.warmup_evaluations * horizon.steps_per_evaluation;
}

double Schedule::at(int64_t step) const {
  const double rate = base_ * memory_.factor;
  if (step < warmup_) return rate * static_cast<double>(step + 1) / static_cast<double>(warmup_);
  const auto u = static_cast<double>(step - warmup_);
  switch (spec_.decay) {
    case task::Decay::none:
      return rate;
    case task::Decay::linear: {
      const auto steps = static_cast<double>(std::max<int64_t>(1, horizon_.total_steps - warmup_));
      return rate * std::max(0.0, 1 - u / steps);
    }
    case task::Decay::exponential: {
      const double exponent = u / static_cast<double>(spec_.decay_steps);
      return rate * std::pow(spec_.decay_rate, spec_.staircase ? std::floor(exponent) : exponent);
    }
    case task::Decay::cosine:
      return cosine(rate, step - warmup_);
  }
  return rate;
}

double Schedule::cosine(double rate, int64_t step) const {
  int64_t cycle = std::max<int64_t>(1, spec_.t_0.value_or(horizon_.steps_per_evaluation));
  if (spec_.t_mult <= 1) {
    step %= cycle;
  } else {
    while (step >= cycle) step -= cycle, cycle *= spec_.t_mult;
  }
  const double part = static_cast<double>(step) / static_cast<double>(cycle);
  return spec_.eta_min + (rate - spec_.eta_min) * (1 + std::cos(std::numbers::pi * part)) / 2;
}

bool improves(double value, double best, bool larger_is_better) {
  if (std::isnan(value)) return false;
  if (std::isnan(best)) return true;
  return larger_is_better ? value > best : value < best;
}

bool Schedule::observe(double value, bool larger_is_better) {
  if (spec_.reduce_on_plateau <= 0) return false;
  if (improves(value, memory_.best, larger_is_better)) {
    memory_.best = value;
    memory_.without_improvement = 0;
    return false;
  }
  ++memory_.without_improvement;
  if (memory_.without_improvement <= spec_.reduce_on_plateau_patience ||
      memory_.reductions >= spec_.reduce_on_plateau)
    return false;
  memory_.factor *= spec_.reduce_on_plateau_rate;
  memory_.without_improvement = 0;
  ++memory_.reductions;
  return true;
}

bool BestSoFar::observe(double value, int64_t step) {
  if (improves(value, memory_.value, larger_is_better_)) {
    memory_ = {value, step, 0};
    return true;
  }
  ++memory_.evaluations_since;
  return false;
}

}  // namespace shoestring::train
