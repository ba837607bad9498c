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

// More answers than this say nothing new about a few weights.
constexpr int64_t kMostAnswers = 1 << 21;

// Of the row at `place` of the batch what each member answered to one question, and the truth where the
// answers are values and not probabilities of what was true.
void add_answer(const float* answers, size_t place, size_t stride, bool invert, float truth,
                MemberAnswers& out) {
  if (out.squared) out.truth.push_back(truth);
  for (size_t m = 0; m < out.of_member.size(); ++m) {
    const float answer = answers[m * stride + place];
    out.of_member[m].push_back(invert ? 1 - answer : answer);
  }
}

// A row whose class the model does not know says nothing. Each number of a vector and each word of a set is a
// question of its own.
void add_batch(const task::NetworkSpec& spec, const RowsAt& at, const Runner& runner, size_t most,
               std::vector<MemberAnswers>& out) {
  const auto plan_rows = static_cast<size_t>(runner.rows());
  const std::span<const uint32_t> batch = at.rows;
  const EncodedTargets& targets = *at.targets;
  for (size_t o = 0; o < out.size(); ++o) {
    if (out[o].of_member.front().size() >= most) continue;
    const float* answers = runner.ports().answers[o];
    const auto size = static_cast<size_t>(spec.output_sizes[o]);
    const size_t stride = plan_rows * size;
    std::vector<float> truths(batch.size() * size);  // of a vector or a set
    gather_wide(targets, o, batch, truths.data());
    for (size_t i = 0; i < batch.size(); ++i) {
      switch (spec.recipe.outputs[o].type()) {
        case task::FeatureType::number:
          add_answer(answers, i, stride, false, targets.numbers[o][batch[i]], out[o]);
          break;
        case task::FeatureType::binary:
          add_answer(answers, i, stride, targets.numbers[o][batch[i]] < 0.5F, 0, out[o]);
          break;
        case task::FeatureType::category:
          if (const int32_t code = targets.codes[o][batch[i]]; code >= 0)
            add_answer(answers, i * size + static_cast<size_t>(code), stride, false, 0, out[o]);
          break;
        case task::FeatureType::vector:
          for (size_t k = i * size; k < (i + 1) * size; ++k)
            add_answer(answers, k, stride, false, truths[k], out[o]);
          break;
        default:
          for (size_t k = i * size; k < (i + 1) * size; ++k)
            add_answer(answers, k, stride, truths[k] < 0.5F, 0, out[o]);
      }
    }
  }
}

}  // namespace

std::vector<double> blend(std::span<const MemberAnswers> outputs, size_t members,
                          const std::function<bool()>& enough) {
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
    if (*high - *low < 1e-12 || (enough && enough())) break;
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

std::optional<PlanRequest> members_plan(const task::Recipe& recipe, int64_t rows, int64_t batch) {
  if (task::member_count(recipe) == 1 || rows == 0 || recipe.ensemble.blend != task::Blend::validation)
    return std::nullopt;
  return PlanRequest{PlanKind::members, std::min(batch, rows)};
}

Status fit_blend(Engine& engine, const Dataset& data, task::SplitName split, int64_t batch,
                 const std::function<bool()>& enough) {
  const task::NetworkSpec& spec = engine.spec();
  const auto plan = members_plan(spec.recipe, data.count(split), batch);
  if (!plan) return {};
  const auto members = static_cast<size_t>(task::member_count(spec.recipe));
  auto runner = engine.runner(*plan);
  if (!runner) return fail(runner.error());
  std::vector<MemberAnswers> outputs;
  for (const task::OutputFeature& output : spec.recipe.outputs)
    outputs.push_back(
        {.squared = output.type() == task::FeatureType::number || output.type() == task::FeatureType::vector,
         .loss_weight = output.loss_weight(),
         .of_member = std::vector<std::vector<float>>(members)});
  const auto most = static_cast<size_t>(std::min(kMostAnswers, data.rows_kept()));
  Batches batches(data, split, (*runner)->rows());
  for (int64_t b = 0; b < batches.count(); ++b) {
    const RowsAt at = batches.at(b);
    gather(*at.inputs, at.rows, (*runner)->rows(), (*runner)->ports());
    (*runner)->run({});
    add_batch(spec, at, **runner, most, outputs);
  }
  const std::vector<double> weights = blend(outputs, members, enough);
  return engine.change(task::kBlendWeights, [&](std::span<float> state) -> Status {
    std::transform(weights.begin(), weights.end(), state.begin(),
                   [](double w) { return static_cast<float>(w); });
    return {};
  });
}

}  // namespace shoestring::train
