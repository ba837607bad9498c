#include "train/answers.h"

#include <cmath>

#include "task/metrics.h"
#include "train/dataset.h"

namespace shoestring::train {
namespace {

void write_classes(const std::string& label, std::span<const float> probabilities, int32_t predicted,
                   data::RowText& out) {
  out.text(label);
  out.numbers(probabilities.data(), static_cast<int>(probabilities.size()));
  out.number(probabilities[static_cast<size_t>(predicted)]);
  for (const float probability : probabilities) out.number(probability);
}

}  // namespace

Answers::Answers(const task::NetworkSpec& spec, const task::Fits& fits) : spec_(&spec), fits_(&fits) {
  for (size_t o = 0; o < spec.recipe.outputs.size(); ++o) {
    const std::string& name = spec.recipe.outputs[o].name;
    columns_.push_back(name + "_predictions");
    const Classes classes = classes_of(fits.outputs[o]);
    if (classes.labels.empty()) continue;
    columns_.push_back(name + "_probabilities");
    columns_.push_back(name + "_probability");
    for (const auto& label : classes.labels) columns_.push_back(name + "_probabilities_" + label);
  }
}

void Answers::write(const Ports& ports, int64_t row, data::RowText& out) const {
  for (size_t o = 0; o < fits_->outputs.size(); ++o) {
    const auto& output = spec_->recipe.outputs[o];
    const float* values = ports.predictions[o];
    if (const auto* number = std::get_if<task::NumberFit>(&fits_->outputs[o])) {
      const double answer =
          task::decode(*number, values[row], std::get<task::NumberOutput>(output.spec).clip);
      // In few digits, but where a large offset would swallow the column's own.
      const auto few = static_cast<float>(answer);
      if (std::abs(few - answer) < 1e-4 * number->scale)
        out.number(few);
      else
        out.number(answer);
    } else if (const auto* binary = std::get_if<task::BinaryFit>(&fits_->outputs[o])) {
      const float probability = values[row];
      const bool is_true =
          static_cast<double>(probability) >= std::get<task::BinaryOutput>(output.spec).threshold;
      const float both[] = {1 - probability, probability};
      write_classes(task::decode(*binary, is_true), both, is_true, out);
    } else {
      const int64_t classes = spec_->output_sizes[o];
      const std::span probabilities(values + row * classes, static_cast<size_t>(classes));
      const int32_t best = task::argmax(probabilities);
      write_classes(task::decode(std::get<task::CategoryFit>(fits_->outputs[o]), best), probabilities, best,
                    out);
    }
  }
  out.end_row();
}

}  // namespace shoestring::train
