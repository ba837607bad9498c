#include "train/target_columns.h"

#include <algorithm>

#include "data/split.h"

namespace shoestring::train {
namespace {

const task::TargetEncoder* encoder_of(const task::InputFeature& input) {
  const auto* category = std::get_if<task::CategoryInput>(&input.spec);
  return category ? std::get_if<task::TargetEncoder>(&category->encoder) : nullptr;
}

// What one output is in each row, encoded as for training.
struct Target {
  std::vector<float> numbers;
  std::vector<int32_t> codes;
  int64_t classes = 0;
  task::TargetValues values() const { return {numbers, codes, classes}; }
};

Target encoded(const task::Fit& fit, RawColumns& columns, size_t output, std::vector<uint8_t>& drop,
               const task::Neighbours& near) {
  Target out;
  const int64_t rows = columns.rows();
  const auto place = [&] {
    out.numbers.resize(static_cast<size_t>(rows));
    return task::FloatColumn{out.numbers.data(), rows, 1};
  };
  RawColumn& raw = columns.outputs[output];
  if (const auto* number = std::get_if<task::NumberFit>(&fit)) {
    std::vector<double> copy = std::get<Numbers>(raw).values;  // encoding fills what is missing
    encode(*number, {copy.data(), rows}, &drop, place(), near);
  } else if (const auto* binary = std::get_if<task::BinaryFit>(&fit)) {
    encode(*binary, std::get<Words>(raw).view(), &drop, place(), nullptr, 0, near);
  } else if (const auto* category = std::get_if<task::CategoryFit>(&fit)) {
    out.codes.resize(static_cast<size_t>(rows));
    out.classes = category->size();
    encode(*category, true, std::get<Words>(raw).view(), &drop, out.codes, near);
  }
  return out;
}

}  // namespace

Status fit_targets(const task::Recipe& recipe, RawColumns& columns, std::span<const uint8_t> split,
                   const std::vector<uint8_t>& drop, uint64_t seed, task::Fits& fits) {
  if (std::none_of(recipe.inputs.begin(), recipe.inputs.end(), encoder_of)) return {};
  const task::Neighbours near{split};
  std::vector<uint8_t> left_out = drop;
  std::vector<Target> targets;
  for (size_t o = 0; o < recipe.outputs.size(); ++o)
    targets.push_back(encoded(fits.outputs[o], columns, o, left_out, near));
  std::vector<task::TargetValues> values;
  for (const Target& target : targets)
    if (!target.numbers.empty() || !target.codes.empty()) values.push_back(target.values());
  if (values.empty())
    return fail(ErrorKind::usage, "the encoder target needs an output that is a number or a class", {},
                "choose another encoder");
  for (size_t i = 0; i < recipe.inputs.size(); ++i) {
    const auto* encoder = encoder_of(recipe.inputs[i]);
    if (!encoder) continue;
    auto& fit = std::get<task::CategoryFit>(fits.inputs[i]);
    add_unknown(fit);
    std::vector<int32_t> numbers(static_cast<size_t>(columns.rows()));
    std::vector<uint8_t> none = left_out;
    encode(fit, false, std::get<Words>(columns.inputs[i]).view(), &none, numbers, near);
    std::vector<uint32_t> training;
    for (size_t row = 0; row < split.size(); ++row)
      if (split[row] == data::kTrain && !none[row]) training.push_back(static_cast<uint32_t>(row));
    // Each feature deals its rows anew.
    fit.targets = task::fit_targets(
        {.folds = encoder->num_folds, .smoothing = encoder->smoothing.value, .seed = seed + i}, numbers,
        fit.size(), training, values);
  }
  return {};
}

}  // namespace shoestring::train
