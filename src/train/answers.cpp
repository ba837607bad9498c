#include "train/answers.h"

#include <cmath>

#include "base/overloaded.h"
#include "task/metrics.h"
#include "train/dataset.h"

namespace shoestring::train {
namespace {

template <class Out>
void write_classes(const std::string& label, std::span<const float> probabilities, int32_t predicted,
                   Out& out) {
  out.text(label);
  out.numbers(probabilities.data(), static_cast<int>(probabilities.size()));
  out.number(probabilities[static_cast<size_t>(predicted)]);
  for (const float probability : probabilities) out.number(probability);
}

// In few digits, but where a large offset would swallow the column's own.
template <class Out>
void write_number(const task::NumberFit& fit, double answer, Out& out) {
  const auto few = static_cast<float>(answer);
  if (std::abs(few - answer) < 1e-4 * fit.scale)
    out.number(few);
  else
    out.number(answer);
}

// The words from the threshold on, and each word's probability.
template <class Out>
void write_words(const task::WordsFit& fit, double threshold, std::span<const float> probabilities,
                 Out& out) {
  std::vector<std::string_view> words;
  for (size_t i = 0; i < probabilities.size(); ++i)
    if (probabilities[i] >= threshold) words.push_back(fit.vocabulary[i]);
  out.texts(words);
  out.numbers(probabilities.data(), static_cast<int>(probabilities.size()));
  for (const float probability : probabilities) out.number(probability);
}

}  // namespace

Answers::Answers(const task::NetworkSpec& spec, const task::Fits& fits) : spec_(&spec), fits_(&fits) {
  for (size_t o = 0; o < spec.recipe.outputs.size(); ++o) {
    const std::string& name = spec.recipe.outputs[o].name;
    columns_.push_back(name + "_predictions");
    const auto* words = std::get_if<task::WordsFit>(&fits.outputs[o]);
    const std::vector<std::string> labels = words ? words->vocabulary : classes_of(fits.outputs[o]).labels;
    if (labels.empty()) continue;
    columns_.push_back(name + "_probabilities");
    if (!words) columns_.push_back(name + "_probability");
    for (const auto& label : labels) columns_.push_back(name + "_probabilities_" + label);
  }
}

template <class Out>
void Answers::write_cells(const Ports& ports, int64_t row, Out& out) const {
  for (size_t o = 0; o < fits_->outputs.size(); ++o) {
    const task::Fit& fit = fits_->outputs[o];
    const int64_t size = spec_->output_sizes[o];
    const std::span values(ports.predictions[o] + row * size, static_cast<size_t>(size));
    std::visit(
        Overloaded{[&](const task::NumberOutput& output) {
                     const auto& number = std::get<task::NumberFit>(fit);
                     write_number(number, task::decode(number, values[0], output.clip), out);
                   },
                   [&](const task::BinaryOutput& output) {
                     const bool is_true = static_cast<double>(values[0]) >= output.threshold;
                     const float both[] = {1 - values[0], values[0]};
                     write_classes(task::decode(std::get<task::BinaryFit>(fit), is_true), both, is_true, out);
                   },
                   [&](const task::CategoryOutput&) {
                     const int32_t best = task::argmax(values);
                     write_classes(task::decode(std::get<task::CategoryFit>(fit), best), values, best, out);
                   },
                   [&](const task::VectorOutput&) {
                     std::vector<float> vector(values.begin(), values.end());
                     task::decode(std::get<task::VectorFit>(fit), vector);
                     out.numbers(vector.data(), static_cast<int>(vector.size()));
                   },
                   [&](const task::SetOutput& output) {
                     write_words(std::get<task::WordsFit>(fit), output.threshold, values, out);
                   }},
        spec_->recipe.outputs[o].spec);
  }
  out.end_row();
}

void Answers::write(const Ports& ports, int64_t row, data::RowText& out) const {
  write_cells(ports, row, out);
}
void Answers::write(const Ports& ports, int64_t row, AnswerCells& out) const { write_cells(ports, row, out); }

}  // namespace shoestring::train
