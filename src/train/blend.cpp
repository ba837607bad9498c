#include "train/blend.h"

#include <algorithm>
#include <cmath>

namespace shoestring::train {
namespace {

// The loss of blended answers, and its slope in each weight (added to `slope`).
double loss_of(const MemberAnswers& a, std::span<const double> weights, std::vector<double>& slope) {
  const size_t rows = a.of_member.front().size();
  const double share = a.loss_weight / static_cast<double>(std::max<size_t>(rows, 1));
  double loss = 0;
  for (size_t row = 0; row < rows; ++row) {
    double blended = 0;
    for (size_t m = 0; m < weights.size(); ++m)
      blended += weights[m] * static_cast<double>(a.of_member[m][row]);
    const double error = a.squared ? blended - static_cast<double>(a.truth[row]) : 0;
    const double likely = std::max(blended, 1e-7);
    loss += share * (a.squared ? error * error : -std::log(likely));
    const double by_blended = share * (a.squared ? 2 * error : -1 / likely);
    for (size_t m = 0; m < weights.size(); ++m)
      slope[m] += by_blended * static_cast<double>(a.of_member[m][row]);
  }
  return loss;
}

// A row whose class the model does not know says nothing.
void add_batch(const task::NetworkSpec& spec, const Dataset& data, const Runner& runner,
               std::span<const uint32_t> batch, std::vector<MemberAnswers>& out) {
  const auto plan_rows = static_cast<size_t>(runner.rows());
  for (size_t o = 0; o < out.size(); ++o) {
    const float* answers = runner.ports().answers[o];
    const auto type = spec.recipe.outputs[o].type();
    const auto classes = static_cast<size_t>(spec.output_sizes[o]);
    for (size_t i = 0; i < batch.size(); ++i) {
      const bool category = type == task::FeatureType::category;
      const int32_t code = category ? data.targets.codes[o][batch[i]] : 0;
      if (code < 0) continue;
      const float truth = category ? 0 : data.targets.numbers[o][batch[i]];
      if (out[o].squared) out[o].truth.push_back(truth);
      for (size_t m = 0; m < out[o].of_member.size(); ++m) {
        const float* own = answers + m * plan_rows * (category ? classes : 1);
        const float answer = category ? own[i * classes + static_cast<size_t>(code)] : own[i];
        const bool is_false = type == task::FeatureType::binary && truth < 0.5F;
        out[o].of_member[m].push_back(is_false ? 1 - answer : answer);
      }
    }
  }
}

}  // namespace

std::vector<double> blend(std::span<const MemberAnswers> outputs, size_t members) {
  const double equal = 1 / static_cast<double>(members);
  std::vector<double> weights(members, equal), best = weights, slope(members);
  double least = 0;
  constexpr int kRounds = 300;
  for (int round = 0; round <= kRounds; ++round) {
    std::fill(slope.begin(), slope.end(), 0);
    double loss = 0;
    for (const MemberAnswers& a : outputs)
      if (!a.of_member.front().empty()) loss += loss_of(a, weights, slope);
    if (round == 0 || loss < least) least = loss, best = weights;
    const auto [low, high] = std::minmax_element(slope.begin(), slope.end());
    if (*high - *low < 1e-12) break;
    const double rate = 0.1 / (*high - *low), lowest = *low;
    double sum = 0;
    for (size_t m = 0; m < members; ++m) sum += weights[m] *= std::exp(-rate * (slope[m] - lowest));
    for (double& weight : weights) weight /= sum;
  }
  // What few rows say is mostly chance.
  constexpr double kTrust = 0.8, kFewRows = 200;
  size_t rows = 0;
  for (const MemberAnswers& a : outputs) rows = std::max(rows, a.of_member.front().size());
  const double trust = kTrust * static_cast<double>(rows) / (static_cast<double>(rows) + kFewRows);
  for (double& weight : best) weight = trust * weight + (1 - trust) * equal;
  return best;
}

Status fit_blend(Engine& engine, const Dataset& data, std::span<const uint32_t> rows, int64_t batch) {
  const task::NetworkSpec& spec = engine.spec();
  const auto members = static_cast<size_t>(task::member_count(spec.recipe));
  if (members == 1 || rows.empty() || spec.recipe.ensemble.blend != task::Blend::validation) return {};
  auto runner = engine.runner({PlanKind::members, std::min(batch, static_cast<int64_t>(rows.size()))});
  if (!runner) return fail(runner.error());
  std::vector<MemberAnswers> outputs;
  for (const task::OutputFeature& output : spec.recipe.outputs)
    outputs.push_back({.squared = output.type() == task::FeatureType::number,
                       .loss_weight = output.loss_weight(),
                       .of_member = std::vector<std::vector<float>>(members)});
  while (!rows.empty()) {
    const auto now = rows.first(std::min(rows.size(), static_cast<size_t>((*runner)->rows())));
    gather(data.inputs, now, (*runner)->rows(), (*runner)->ports());
    (*runner)->run({});
    add_batch(spec, data, **runner, now, outputs);
    rows = rows.subspan(now.size());
  }
  const std::vector<double> weights = blend(outputs, members);
  const std::span<float> state = engine.state(task::kBlendWeights);
  std::transform(weights.begin(), weights.end(), state.begin(),
                 [](double w) { return static_cast<float>(w); });
  return {};
}

}  // namespace shoestring::train
