#include "train/loop.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <tuple>

#include "base/text.h"
#include "task/metric_table.h"
#include "task/network.h"
#include "train/diagnose.h"

namespace shoestring::train {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kLookUpSeconds = 0.01;  // between two looks at the clock, about

}  // namespace

std::vector<PlanRequest> plans_for(const task::BatchSizes& batch, int64_t training_rows,
                                   int64_t evaluated_rows) {
  std::vector<PlanRequest> requests;
  const int64_t rows = std::min(batch.batch, training_rows), rest = training_rows % rows;
  const PlanKind updates = batch.accumulation > 1 ? PlanKind::accumulate_and_update : PlanKind::update;
  requests.push_back({updates, rows});
  if (rest > 0) requests.push_back({updates, rest});
  if (batch.accumulation > 1 && training_rows > rows) requests.push_back({PlanKind::accumulate, rows});
  if (evaluated_rows > 0) requests.push_back({PlanKind::evaluate, std::min(batch.eval, evaluated_rows)});
  return requests;
}

Loop::Loop(Engine& engine, const Dataset& data, Evaluator& evaluator, BestModel& best, LoopSettings settings,
           LoopHooks hooks)
    : engine_(&engine),
      data_(&data),
      evaluator_(&evaluator),
      best_model_(&best),
      settings_(std::move(settings)),
      hooks_(std::move(hooks)),
      clock_(hooks_.clock ? hooks_.clock : &steady_),
      schedule_(settings_.trainer, settings_.horizon),
      best_(settings_.trainer.early_stop,
            task::maximised(data.spec.recipe, settings_.trainer.validation_field,
                            settings_.trainer.validation_metric)),
      training_(data, task::SplitName::training,
                std::min(settings_.batch.batch, data.count(task::SplitName::training)),
                settings_.trainer.should_shuffle ? std::optional(settings_.seed) : std::nullopt),
      step_loss_(kNan),
      metric_(kNan) {
  if (settings_.most_steps == 0) settings_.most_steps = settings_.horizon.total_steps;
  schedule_steps_ = settings_.horizon.total_steps;
  const task::Trainer& t = settings_.trainer;
  maximise_plateau_ =
      task::maximised(data.spec.recipe, t.validation_field, t.learning_rate_scheduler.reduce_eval_metric);
  settings_.batch.batch = std::min(settings_.batch.batch, training_.rows());
  const auto& inputs = data.spec.recipe.inputs;
  has_feed_ = data.file != nullptr;
  for (size_t i = 0; i < inputs.size(); ++i)
    has_feed_ |= inputs[i].type() == task::FeatureType::image && task::kept_features(data.spec, i) == 0;
  for (const auto& runner : engine.runners()) {
    const PlanRequest& r = runner->request();
    if (r.kind == PlanKind::accumulate) accumulate_ = runner.get();
    if (r.kind != PlanKind::update && r.kind != PlanKind::accumulate_and_update) continue;
    (r.rows == settings_.batch.batch ? update_ : last_) = runner.get();
  }
}

// A position that was fitted into a time keeps its schedule and evaluations; one of a run that had no limit
// so far has the schedule of all its steps.
void Loop::restore(Position position) {
  position_ = std::move(position);
  if (hooks_.deadline && position_.step > 0) {
    Horizon& h = settings_.horizon;
    const auto& fitted = position_.fitted;
    h.total_steps = fitted ? fitted->schedule_steps : settings_.most_steps;
    if (fitted) h.steps_per_evaluation = fitted->steps_per_evaluation;
    schedule_ = Schedule(settings_.trainer, h);
    schedule_steps_ = h.total_steps;
    if (fitted) h.total_steps = std::min(fitted->total_steps, settings_.most_steps);
  }
  schedule_.restore(position_.schedule);
  best_.restore(position_.best);
  metric_ = kNan;
}

Loop::Micro Loop::micro(int64_t first, int64_t end) const {
  const int64_t rows = std::min(settings_.batch.batch, end - first);
  Runner* runner = rows < settings_.batch.batch ? last_ : first + rows < end ? accumulate_ : update_;
  return {runner, first, rows};
}

void Loop::fill(const Micro& m, float rate) {
  const Ports& ports = m.runner->ports();
  const auto at_epoch = static_cast<uint32_t>(epoch());
  const RowsAt at = training_.at(m.first / settings_.batch.batch, at_epoch);
  gather(at, m.rows, ports);
  if (ports.row_numbers) number_rows(at, settings_.seed, at_epoch, m.rows, ports.row_numbers);
  if (ports.learning_rate) *ports.learning_rate = rate;
}

// The first steps of a run, ever fewer, and then few of many.
bool Loop::measures_feed() const {
  const int64_t step = steps_run();
  return has_feed_ && step > 0 && ((step & (step - 1)) == 0 || step % 128 == 0);
}

// A batch whose parts are timed. Augmentation is run once more for it, over the arena as it is before a run:
// so the inputs are filled in again.
void Loop::run_measured(const Micro& m, float rate, const RunContext& context) {
  const double begun = clock_->seconds();
  fill(m, rate);
  const double filled = clock_->seconds();
  const Plan& plan = m.runner->plan();
  bool augments = false;
  for (size_t i = 0; i < plan.steps.size(); ++i)
    if (const int node = plan.steps[i].node;
        node >= 0 && plan.graph.nodes()[static_cast<size_t>(node)].op->name == "augment") {
      m.runner->executor().run_steps(i, i + 1, context);
      augments = true;
    }
  if (augments) {
    augmenting_ += clock_->seconds() - filled;
    fill(m, rate);
  }
  const double ready = clock_->seconds();
  m.runner->run(context);
  loading_ += filled - begun;
  measured_steps_ += filled - begun + clock_->seconds() - ready;
}

std::optional<FeedShares> Loop::feed() const {
  if (!(measured_steps_ > 0)) return std::nullopt;
  return FeedShares{loading_ / measured_steps_,
                    std::min(augmenting_, measured_steps_ - loading_) / measured_steps_};
}

// One optimizer step; false if the run has diverged.
bool Loop::step() {
  const int64_t rows = training_.rows();
  const int64_t in_epoch = position_.step % settings_.horizon.steps_per_epoch;
  if (in_epoch == 0) position_.loss_rows = 0, position_.loss_sum = 0;
  const int64_t begin = in_epoch * rows_per_step(), end = std::min(rows, begin + rows_per_step());
  last_rate_ = schedule_.at(position_.step);
  const auto rate = static_cast<float>(last_rate_);
  bool finite = true;
  double loss = 0;
  Micro m;
  RunContext context{.seed = settings_.seed, .step = static_cast<uint32_t>(position_.step)};
  for (int64_t first = begin; first < end; first += m.rows) {
    m = micro(first, end);
    context.row_offset = static_cast<uint32_t>(first - begin);
    if (measures_feed()) {
      run_measured(m, rate, context);
    } else {
      fill(m, rate);
      m.runner->run(context);
    }
    if (m.runner->ports().gradient_norm) last_norm_ = *m.runner->ports().gradient_norm;
    loss += static_cast<double>(*m.runner->ports().loss) * static_cast<double>(m.rows);
    finite = finite && *m.runner->ports().finite != 0;
    if (!finite && position_.skipped_in_a_row + 1 >= kBadInARow) {
      diverge(m, rate, context);
      return false;
    }
  }
  ++position_.step;
  if (!finite) {
    ++position_.skipped;
    ++position_.skipped_in_a_row;
    return true;
  }
  position_.skipped_in_a_row = 0;
  position_.loss_sum += loss;
  position_.loss_rows += end - begin;
  step_loss_ = loss / static_cast<double>(end - begin);
  return true;
}

void Loop::diverge(const Micro& m, float rate, const RunContext& context) {
  fill(m, rate);
  ++position_.step;
  ++position_.skipped;
  ++position_.skipped_in_a_row;
  bad_node_ = find_bad_node(*engine_, *m.runner, context);
  diverged_ = true;
}

// The metrics of the model as it is.
Evaluation Loop::look() {
  const task::Trainer& t = settings_.trainer;
  Evaluation e;
  e.step = position_.step;
  e.total_steps = settings_.horizon.total_steps;
  e.epoch = position_.step > 0 ? (position_.step - 1) / settings_.horizon.steps_per_epoch + 1 : 0;
  e.epochs = (settings_.horizon.total_steps - 1) / settings_.horizon.steps_per_epoch + 1;
  if (t.evaluate_training_set) e.training = evaluator_->evaluate(task::SplitName::training);
  if (data_->count(task::SplitName::validation) > 0)
    e.validation = evaluator_->evaluate(task::SplitName::validation);
  e.metric = e.validation ? e.validation->value(t.validation_field, t.validation_metric) : kNan;
  return e;
}

Status Loop::tell(const Evaluation& evaluation) {
  if (!hooks_.evaluated) return {};
  auto line = hooks_.evaluated(evaluation);
  if (!line) return fail(line.error());
  position_.history += *line;
  return {};
}

// What reduce_on_plateau watches. A split without rows gives way to the training rows, never one metric
// to another: the direction in which it improves would be wrong.
double Loop::plateau_metric(Evaluation& e) {
  const task::Trainer& t = settings_.trainer;
  const auto& [metric, split] =
      std::tie(t.learning_rate_scheduler.reduce_eval_metric, t.learning_rate_scheduler.reduce_eval_split);
  if (split == task::SplitName::validation && e.validation)
    return e.validation->value(t.validation_field, metric);
  if (split == task::SplitName::test && data_->count(split) > 0)
    return evaluator_->evaluate(split).value(t.validation_field, metric);
  if (metric == "loss" && !e.training) return e.loss;
  if (!e.training) e.training = evaluator_->evaluate(task::SplitName::training);
  return e.training->value(t.validation_field, metric);
}

int64_t Loop::evaluated_rows() const {
  return data_->count(task::SplitName::validation) +
         (settings_.trainer.evaluate_training_set ? data_->count(task::SplitName::training) : 0);
}

Status Loop::evaluate() {
  const double begun = clock_->seconds();
  stepped(begun);
  auto ok = evaluate_now();
  marked_ = clock_->seconds();
  evaluating_ += marked_ - begun;
  if (hooks_.deadline) hooks_.deadline->rates().evaluated(evaluated_rows(), marked_ - begun);
  return ok;
}

Status Loop::evaluate_now() {
  Evaluation e = look();
  e.learning_rate = last_rate_;
  e.gradient_norm = last_norm_;
  e.loss = position_.loss_rows > 0 ? position_.loss_sum / static_cast<double>(position_.loss_rows) : kNan;
  e.skipped = position_.skipped;
  metric_ = e.metric;
  e.best = e.validation ? best_.observe(e.metric, position_.step) : true;
  if (e.best) best_model_->capture(*engine_, position_.step);
  if (settings_.trainer.learning_rate_scheduler.reduce_on_plateau > 0 &&
      schedule_.observe(plateau_metric(e), maximise_plateau_) && hooks_.log)
    hooks_.log(LogLevel::note,
               fmt::format("no improvement: the learning rate falls to {:g}", schedule_.at(position_.step)));
  position_.loss_sum = 0;
  position_.loss_rows = 0;
  position_.evaluated_step = position_.step;
  position_.schedule = schedule_.memory();
  position_.best = best_.memory();
  return tell(e);
}

Status Loop::save(double now) {
  if (!hooks_.save) return {};
  stepped(now);
  if (hooks_.deadline)
    position_.fitted = {schedule_steps_, settings_.horizon.total_steps,
                        settings_.horizon.steps_per_evaluation, hooks_.deadline->used()};
  if (auto ok = hooks_.save(position_, *best_model_); !ok) return ok;
  saved_ = marked_ = clock_->seconds();
  save_cost_ = saved_ - now;
  saving_ += save_cost_;
  return {};
}

// Tells the deadline what the steps since the last time took.
void Loop::stepped(double now) {
  if (hooks_.deadline && position_.step > marked_step_)
    hooks_.deadline->stepped(position_.step - marked_step_, now - marked_);
  marked_step_ = position_.step;
  marked_ = now;
}

// Fits the steps that are left into the time that is left where they depart from it by more than a fiftieth;
// the schedule goes on from where it stands, to end with them.
void Loop::refit(double now) {
  Horizon& h = settings_.horizon;
  const int64_t step = position_.step, left = h.total_steps - step;
  const int64_t fit =
      hooks_.deadline->steps_that_fit(step, h.steps_per_evaluation, settings_.most_steps - step);
  if (std::abs(fit - left) <= left / 50) return;
  h.total_steps = step + fit;
  schedule_.refit(step, h.total_steps);
  position_.schedule = schedule_.memory();
  const double change = static_cast<double>(h.total_steps) / static_cast<double>(told_total_);
  if (std::abs(change - 1) < 0.1 || now - told_refit_ < 0.1 * hooks_.deadline->limit()) return;
  if (hooks_.log)
    hooks_.log(LogLevel::note,
               fmt::format("this goes {} than planned: {} fit the time, not {}",
                           change < 1 ? "slower" : "faster", count_of(h.total_steps, "step"), told_total_));
  told_total_ = h.total_steps;
  told_refit_ = now;
}

// A look takes little beside a hundredth of a second of steps.
int64_t Loop::steps_until_look(double now) const {
  double per_step = (now - started_) / static_cast<double>(steps_run());
  if (hooks_.deadline && hooks_.deadline->rates().step.any())
    per_step = hooks_.deadline->rates().step.typical();
  return per_step > 0 ? std::clamp<int64_t>(static_cast<int64_t>(kLookUpSeconds / per_step), 1, 1 << 16)
                      : 1 << 16;
}

void Loop::tell(double now) {
  if (!hooks_.progress || now - told_ < hooks_.progress_seconds) return;
  told_ = now;
  const Horizon& h = settings_.horizon;
  const double seconds = now - started_, steps = static_cast<double>(steps_run());
  Progress p{.step = position_.step, .total_steps = h.total_steps};
  p.epoch = std::min(epoch(), (h.total_steps - 1) / h.steps_per_epoch) + 1;
  p.epochs = (h.total_steps - 1) / h.steps_per_epoch + 1;
  p.loss =
      position_.loss_rows > 0 ? position_.loss_sum / static_cast<double>(position_.loss_rows) : step_loss_;
  p.metric = metric_;
  p.seconds = seconds;
  p.samples_per_second =
      steps / seconds * static_cast<double>(training_.rows()) / static_cast<double>(h.steps_per_epoch);
  p.seconds_left = hooks_.deadline ? hooks_.deadline->seconds_of(position_.step, h.steps_per_evaluation,
                                                                 h.total_steps - position_.step)
                                   : seconds / steps * static_cast<double>(h.total_steps - position_.step);
  hooks_.progress(p);
}

void Loop::rehearse(budget::Rates& rates, double seconds) {
  const double begun = clock_->seconds();
  const auto run_steps = [&](int64_t n) {
    const double start = clock_->seconds();
    for (int64_t i = 0; i < n; ++i) {
      step();
      position_.skipped_in_a_row = 0;
      if (position_.step >= settings_.horizon.total_steps) position_.step = 0;
    }
    return (clock_->seconds() - start) / static_cast<double>(n);
  };
  // The first step touches memory and wakes threads for the first time.
  double one = run_steps(1);
  if (one < seconds / 2) one = run_steps(1);
  constexpr int kRuns = 9;
  const double share = seconds / 2 / kRuns;
  const int64_t steps = one < share ? static_cast<int64_t>(std::min(share / one, 1e4)) : 1;
  if (one > seconds / 2) rates.step.add(one);
  for (int run = 0; run < kRuns && clock_->seconds() - begun + one < seconds; ++run)
    rates.step.add(run_steps(steps));
  if (!rates.step.any()) rates.step.add(one);

  const auto split =
      data_->count(task::SplitName::validation) > 0 ? task::SplitName::validation : task::SplitName::training;
  constexpr int64_t kBatches = 4;
  const int64_t most = kBatches * settings_.batch.eval;
  const Look some{.every = (data_->count(split) + most - 1) / most};
  constexpr int kLooks = 5;
  double took = 0;
  for (int look = 0; look <= kLooks && (look < 2 || took < seconds / 2 / kLooks); ++look) {
    const double start = clock_->seconds();
    const int64_t rows = evaluator_->evaluate(split, some).rows;
    took = clock_->seconds() - start;
    if (look > 0) rates.row.add(took / static_cast<double>(rows));
  }
  rates.evaluation.add(rates.row.typical() * static_cast<double>(evaluated_rows()));
  restore({});
}

Result<Ending> Loop::run() {
  const Horizon& h = settings_.horizon;
  budget::Deadline* const deadline = hooks_.deadline;
  first_step_ = marked_step_ = position_.step;
  loading_ = augmenting_ = measured_steps_ = 0;
  started_ = told_ = saved_ = marked_ = told_refit_ = clock_->seconds();
  told_total_ = h.total_steps;
  int64_t until_look = 1;
  Ending ending = Ending::finished;
  std::optional<Evaluation> untrained;
  if (deadline) refit(started_);
  // What the untrained model is worth is told where it costs little.
  if (position_.step == 0 && hooks_.evaluated &&
      (!deadline || 20 * deadline->rates().evaluation.slow() < deadline->left_to_train())) {
    untrained = look();
    marked_ = clock_->seconds();
    evaluating_ += marked_ - started_;
  }
  // A checkpoint may have been taken after the evaluation that stops the run.
  while (position_.step < h.total_steps && !best_.stop()) {
    if (!step()) {
      ending = Ending::diverged;
      break;
    }
    if (!data_->readable()) return fail(data_->fault().error());
    if (untrained) {
      untrained->learning_rate = last_rate_;
      untrained->gradient_norm = last_norm_;
      untrained->loss = step_loss_;
      if (auto ok = tell(*untrained); !ok) return fail(ok.error());
      untrained.reset();
    }
    const bool at_evaluation = (position_.step % h.steps_per_evaluation == 0 && room_for_evaluation()) ||
                               position_.step == h.total_steps;
    if (at_evaluation)
      if (auto ok = evaluate(); !ok) return fail(ok.error());
    if (!data_->readable()) return fail(data_->fault().error());
    if (--until_look > 0 && !at_evaluation) continue;

    const double now = clock_->seconds();
    until_look = steps_until_look(now);
    tell(now);
    if ((hooks_.save_seconds == 0 || now - saved_ >= std::max(hooks_.save_seconds, 20 * save_cost_)) &&
        (!deadline || deadline->room_for_checkpoint()))
      if (auto ok = save(now); !ok) return fail(ok.error());
    if (hooks_.stop && hooks_.stop->load(std::memory_order_relaxed) && position_.step < h.total_steps) {
      ending = Ending::interrupted;
      break;
    }
    if (deadline && position_.step < h.total_steps) {
      stepped(clock_->seconds());
      refit(now);
    }
  }
  if (ending == Ending::finished && position_.step < settings_.most_steps)
    ending = best_.stop()         ? Ending::early_stopped
             : settings_.open_end ? Ending::finished
                                  : Ending::out_of_time;
  // The steps may have ended between two evaluations, as the time did.
  if ((ending == Ending::finished || ending == Ending::out_of_time) &&
      position_.evaluated_step != position_.step && (steps_run() > 0 || !best_model_->captured()))
    if (auto ok = evaluate(); !ok) return fail(ok.error());
  seconds_ = clock_->seconds() - started_;
  // No evaluation yet, or none whose metric was a number: the model as it is.
  if (!best_model_->captured() || (best_.memory().step == 0 && data_->count(task::SplitName::validation) > 0))
    best_model_->capture(*engine_, position_.step);
  if (ending == Ending::interrupted || ending == Ending::diverged) {
    if (auto ok = save(clock_->seconds()); !ok) return fail(ok.error());
  }
  return ending;
}

}  // namespace shoestring::train
