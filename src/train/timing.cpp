#include "train/timing.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <vector>

#include "task/network.h"

namespace shoestring::train {
namespace {

int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

// Numbers that a row of predictions is made of.
int64_t answers_of_a_row(const Dataset& data) {
  int64_t numbers = 0;
  for (const int64_t size : data.spec.output_sizes) numbers += 2 * size + 2;
  return numbers;
}

// To fit the weights of an ensemble: so many rounds over all its answers.
double blend_seconds(const Dataset& data) {
  constexpr double kRounds = 300, kOfAnswer = 8e-9, kOfMember = 1.5e-9, kMostAnswers = 1 << 21;
  const auto members = static_cast<double>(task::member_count(data.spec.recipe));
  double answers = 0;
  for (const auto& output : data.spec.recipe.outputs) {
    const bool wide = output.type() == task::FeatureType::vector || output.type() == task::FeatureType::set;
    const size_t o = static_cast<size_t>(&output - data.spec.recipe.outputs.data());
    answers += std::min(kMostAnswers, static_cast<double>(data.count(task::SplitName::validation)) *
                                          static_cast<double>(wide ? data.spec.output_sizes[o] : 1));
  }
  return kRounds * answers * (kOfAnswer + kOfMember * members);
}

}  // namespace

bool Times::has(Stage stage) const {
  return stage != Stage::features || of(stage).p50 > 0 || of(stage).took > 0;
}
double Times::planned() const {
  double sum = 0;
  for (const StageSeconds& s : stages) sum += s.p50;
  return sum;
}
double Times::planned_p90() const {
  double sum = 0;
  for (const StageSeconds& s : stages) sum += s.p90;
  return sum;
}
double Times::took() const {
  double sum = 0;
  for (const StageSeconds& s : stages) sum += s.took;
  return sum;
}

budget::Finish finish_of(const Engine& engine, const Dataset& data, const FinishWork& work) {
  const bool blends =
      task::member_count(data.spec.recipe) > 1 && data.spec.recipe.ensemble.blend == task::Blend::validation;
  budget::Finish finish{.rows = data.split_rows(),
                        .optional_rows = data.count(task::SplitName::training),
                        .seconds = work.witness_seconds,
                        .synced_files = 1,
                        .held_bytes = engine.layout().bytes() + engine.arena_bytes() +
                                      BestModel::bytes_for(engine) + data.bytes()};
  if (blends) {
    finish.rows += data.count(task::SplitName::validation);
    finish.seconds += blend_seconds(data);
  }
  if (work.predictions) finish.answers = work.predicted_rows * answers_of_a_row(data);
  if (work.model) {
    finish.synced_files += 1;
    finish.synced_bytes = BestModel::bytes_for(engine);
  }
  return finish;
}

Horizon fit_horizon(const task::Trainer& trainer, const Horizon& wanted, const budget::Deadline& deadline) {
  Horizon h = wanted;
  const auto fit = [&] { return deadline.steps_that_fit(0, h.steps_per_evaluation, wanted.total_steps); };
  h.total_steps = fit();
  if (h.total_steps == wanted.total_steps || trainer.checkpoints_per_epoch > 0 ||
      trainer.steps_per_checkpoint > 0)
    return h;
  constexpr int64_t kEvaluations = 4;
  constexpr double kShare = 0.2;
  const budget::Rates& rates = deadline.rates();
  h.steps_per_evaluation =
      std::clamp<int64_t>(ceil_div(h.total_steps, kEvaluations), 1, wanted.steps_per_evaluation);
  if (const double step = rates.step.typical(); step > 0) {
    const double least = rates.evaluation.typical() * (1 - kShare) / kShare / step;
    if (least > static_cast<double>(h.steps_per_evaluation)) {
      h.steps_per_evaluation = static_cast<int64_t>(std::min(std::ceil(least), 1e15));
      if (h.steps_per_evaluation > h.steps_per_epoch)
        h.steps_per_evaluation = ceil_div(h.steps_per_evaluation, h.steps_per_epoch) * h.steps_per_epoch;
    }
  }
  h.total_steps = fit();
  return h;
}

std::string feed_note(const FeedShares& shares, bool from_file) {
  if (!(shares.all() > 1.0 / 3)) return {};
  const auto percent = [](double share) { return fmt::format("{:.0f} %", 100 * share); };
  std::vector<std::string> parts;
  const auto add = [&](std::string_view what, double share) {
    if (share >= 0.005) parts.push_back(fmt::format("{} into {}", percent(share), what));
  };
  add("augmenting pictures", shares.augmenting);
  add("loading rows", shares.loading);
  std::vector<std::string> remedies;
  if (shares.augmenting > shares.loading)
    remedies.push_back("fewer steps of augmentation");
  else if (from_file)
    remedies.push_back("a memory budget that has room for the rows");
  if (shares.augmenting > 0 || !from_file)
    remedies.push_back("smaller pictures (height and width in their preprocessing)");
  return fmt::format("of the training time went {}; what would make it faster is {}",
                     fmt::join(parts, " and "), fmt::join(remedies, ", or "));
}

void plan_times(const PlanBasis& basis, const budget::Rates& rates, Times& times) {
  for (StageSeconds& stage : times.stages) stage.p50 = stage.p90 = stage.took;
  // kLeastSpread: of a whole run beside its rehearsal, however even that was (bench/BUDGET.md).
  constexpr double kFormulaSpread = 2, kUnseenSpread = 1.5, kLeastSpread = 1.1;
  const bool rehearsed = rates.step.any();
  times.step_by_formula = basis.step_by_formula;
  times.step_rehearsed = rates.step.typical();
  times.steps_planned = basis.horizon.total_steps;
  const double feature = rates.feature.any() ? rates.feature.typical() : basis.feature_by_formula;
  const auto feature_rows = static_cast<double>(basis.feature_rows);
  if (basis.feature_rows > 0)
    times.of(Stage::features) = {
        .p50 = feature_rows * feature,
        .p90 = feature_rows * feature * (rates.feature.any() ? kUnseenSpread : kFormulaSpread)};
  const auto steps = static_cast<double>(basis.horizon.total_steps);
  const double row = rates.row.any() ? rates.row.typical() : basis.row_by_formula;
  const double slow_row =
      rates.row.any() ? std::max(rates.row.slow(), kLeastSpread * row) : kFormulaSpread * row;
  const double evaluations =
      std::ceil(steps / static_cast<double>(std::max<int64_t>(1, basis.horizon.steps_per_evaluation))) + 1;
  const double evaluated = evaluations * static_cast<double>(basis.evaluated_rows);
  times.of(Stage::training) = {
      .p50 = steps * (rehearsed ? rates.step.typical() : basis.step_by_formula),
      .p90 = steps * (rehearsed ? std::max(rates.step.slow(), kLeastSpread * rates.step.typical())
                                : kFormulaSpread * basis.step_by_formula)};
  times.of(Stage::evaluating) = {.p50 = evaluated * row, .p90 = evaluated * slow_row};
  const double loop = times.of(Stage::training).p50 + times.of(Stage::evaluating).p50;
  const double save = rates.save_seconds(basis.checkpoint_bytes);
  const double saves =
      basis.checkpoint_bytes > 0 ? std::floor(loop / std::max(basis.save_seconds, 20 * save)) : 0;
  times.of(Stage::saving) = {.p50 = saves * save, .p90 = kUnseenSpread * saves * save};
  const budget::Finish& f = basis.finish;
  const double written = rates.save_seconds(f.synced_bytes) + rates.save_seconds(0);
  const double other = f.seconds + static_cast<double>(f.answers) * 0.5e-6;
  const auto rows = static_cast<double>(f.rows);
  times.of(Stage::finishing) = {.p50 = rows * row + other + written,
                                .p90 = rows * slow_row + kUnseenSpread * (other + written)};
}

budget::Time ledger_time(const Times& times) {
  budget::Time time{.p50_s = times.planned(), .p90_s = times.planned_p90()};
  for (size_t i = 0; i < kStageNames.size(); ++i)
    if (times.has(static_cast<Stage>(i)))
      time.stages.push_back({std::string(kStageNames[i]), times.stages[i].p50, times.stages[i].p90});
  return time;
}

std::string to_json(const Times& times) {
  using nlohmann::ordered_json;
  const auto seconds = [](double s) { return std::round(s * 1e6) / 1e6; };
  ordered_json stages = ordered_json::object();
  for (size_t i = 0; i < kStageNames.size(); ++i) {
    const StageSeconds& s = times.stages[i];
    if (!times.has(static_cast<Stage>(i))) continue;
    stages[std::string(kStageNames[i])] = {
        {"planned_p50", seconds(s.p50)}, {"planned_p90", seconds(s.p90)}, {"took", seconds(s.took)}};
  }
  ordered_json out = {
      {"limit_seconds", times.limit ? ordered_json(*times.limit) : ordered_json()},
      {"used_before_seconds", seconds(times.used_before)},
      {"planned_seconds", seconds(times.planned())},
      {"planned_seconds_p90", seconds(times.planned_p90())},
      {"took_seconds", seconds(times.took())},
      {"stages", std::move(stages)},
      {"steps",
       {{"wanted", times.steps_wanted}, {"planned", times.steps_planned}, {"done", times.steps_done}}},
      {"seconds_of_a_step",
       {{"by_formula", times.step_by_formula},
        {"rehearsed", times.step_rehearsed > 0 ? ordered_json(times.step_rehearsed) : ordered_json()},
        {"took", times.steps_done > 0
                     ? ordered_json(times.of(Stage::training).took / static_cast<double>(times.steps_done))
                     : ordered_json()}}}};
  if (times.feed)
    out["shares_of_a_step"] = {{"loading", std::round(times.feed->loading * 1e4) / 1e4},
                               {"augmenting", std::round(times.feed->augmenting * 1e4) / 1e4}};
  return out.dump(2) + "\n";
}

}  // namespace shoestring::train
