#include "train/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace shoestring::train {
namespace {

constexpr int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

// From `a` to `b` by half a cosine, as `part` goes from 0 to 1.
double half_cosine(double a, double b, double part) {
  return b + (a - b) * (1 + std::cos(std::numbers::pi * part)) / 2;
}

}  // namespace

Horizon horizon(const task::Trainer& trainer, int64_t training_rows, int64_t rows_per_step) {
  Horizon h;
  h.steps_per_epoch = std::max<int64_t>(1, ceil_div(training_rows, std::max<int64_t>(1, rows_per_step)));
  const int64_t epochs = trainer.epochs.or_else(task::kMostAutoEpochs);
  h.total_steps = trainer.train_steps                      ? *trainer.train_steps
                  : epochs > INT64_MAX / h.steps_per_epoch ? INT64_MAX
                                                           : epochs * h.steps_per_epoch;
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
  if (task::warms_up_itself(spec.decay)) warmup_ = 0;
}

Schedule::Schedule(const task::Trainer& trainer, const Horizon& horizon)
    : Schedule(trainer.learning_rate_scheduler, trainer.learning_rate.or_else(0.001), horizon) {
  const auto* adafactor = std::get_if<task::Adafactor>(&trainer.optimizer);
  if (!adafactor) return;
  base_ = adafactor->lr.value_or(base_);
  if (adafactor->relative_step) relative_ = *adafactor;
}

double Schedule::place(int64_t step) const {
  if (spec_.decay == task::Decay::exponential || spec_.decay == task::Decay::cosine ||
      spec_.decay == task::Decay::inverse_sqrt)
    return static_cast<double>(step);
  return memory_.place + static_cast<double>(step - memory_.step) * memory_.pace;
}

void Schedule::refit(int64_t step, int64_t total) {
  const double now = memory_.place + static_cast<double>(step - memory_.step) * memory_.pace;
  memory_.step = step;
  memory_.place = now;
  if (total > step)
    memory_.pace = (static_cast<double>(horizon_.total_steps) - now) / static_cast<double>(total - step);
}

double Schedule::base(int64_t step) const {
  if (!relative_) return base_;
  const double t = static_cast<double>(step) + 1;
  return std::min(relative_->warmup_init ? 1e-6 * t : 1e-2, 1 / std::sqrt(t));
}

double Schedule::at(int64_t step) const {
  double rate = base(step) * memory_.factor;
  if (spec_.decay == task::Decay::inverse_sqrt)
    rate /= std::sqrt(static_cast<double>(spec_.inverse_sqrt_warmup_steps));
  const double t = place(step), warm = static_cast<double>(warmup_);
  if (t < warm) return rate * std::min(t + 1, warm) / warm;
  const double u = t - warm;
  const auto steps = static_cast<double>(std::max<int64_t>(1, horizon_.total_steps - warmup_));
  switch (spec_.decay) {
    case task::Decay::none:
      return rate;
    case task::Decay::linear:
      return rate * std::max(0.0, 1 - u / steps);
    case task::Decay::exponential: {
      const double exponent = u / static_cast<double>(spec_.decay_steps);
      return rate * std::pow(spec_.decay_rate, spec_.staircase ? std::floor(exponent) : exponent);
    }
    case task::Decay::cosine:
      return cosine(rate, step - warmup_);
    case task::Decay::one_cycle:
      return memory_.factor * one_cycle(base(step), t);
    case task::Decay::inverse_sqrt:
      return rate / std::sqrt(std::max(1.0, u / static_cast<double>(spec_.inverse_sqrt_warmup_steps)));
    case task::Decay::polynomial: {
      const double end = spec_.polynomial_end_lr, left = std::max(0.0, 1 - u / steps);
      return end + (rate - end) * std::pow(left, spec_.polynomial_power);
    }
    case task::Decay::wsd:
      return rate * wsd(t);
    case task::Decay::coslog: {
      const double cycles = std::log2(1 + (std::exp2(spec_.coslog_cycles) - 1) * u / steps);
      return rate * (1 - std::cos(2 * std::numbers::pi * cycles)) / 2;
    }
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
  return half_cosine(rate, spec_.eta_min, static_cast<double>(step) / static_cast<double>(cycle));
}

double Schedule::one_cycle(double base, double place) const {
  const double greatest = spec_.max_lr.value_or(base), first = greatest / spec_.div_factor;
  const auto last = static_cast<double>(horizon_.total_steps - 1), t = std::min(place, last);
  const double peak = spec_.pct_start * static_cast<double>(horizon_.total_steps) - 1;
  if (t <= peak) return half_cosine(first, greatest, peak > 0 ? t / peak : 1);
  return half_cosine(greatest, first / spec_.final_div_factor, (t - peak) / (last - peak));
}

double Schedule::wsd(double t) const {
  const auto total = static_cast<double>(horizon_.total_steps);
  const double warm = spec_.wsd_warmup_fraction * total, stable = warm + spec_.wsd_stable_fraction * total;
  if (t < warm) return std::min(1.0, (t + 1) / warm);
  if (t < stable) return 1;
  return half_cosine(1, 0, std::min(1.0, (t - stable) / std::max(1.0, total - stable)));
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
