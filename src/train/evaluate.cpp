#include "train/evaluate.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/overloaded.h"

namespace shoestring::train {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

}  // namespace

double Metrics::value(std::string_view output, std::string_view metric) const {
  if (output == task::kCombined) return metric == "loss" ? combined_loss : kNan;
  for (const Output& o : outputs)
    if (o.name == output) return task::value_of(o.values, metric);
  return kNan;
}

std::string to_json(const Metrics& metrics, int indent) {
  using nlohmann::ordered_json;
  const auto number = [](double value) {
    return std::isfinite(value) ? ordered_json(value) : ordered_json();
  };
  ordered_json out = ordered_json::object();
  for (const auto& output : metrics.outputs) {
    ordered_json& values = out[output.name] = ordered_json::object();
    for (const auto& [name, value] : output.values) values[std::string(name)] = number(value);
    if (output.unknown_rows > 0) values["rows_of_unknown_class"] = output.unknown_rows;
    for (const Confusion& c : metrics.confusions) {
      if (c.output != output.name) continue;
      values["labels"] = c.labels;
      ordered_json& matrix = values["confusion_matrix"] = ordered_json::array();
      const auto k = static_cast<std::ptrdiff_t>(c.labels.size());
      for (auto row = c.counts.begin(); row != c.counts.end(); row += k)
        matrix.push_back(std::vector<int64_t>(row, row + k));
    }
  }
  out[std::string(task::kCombined)] = {{"loss", number(metrics.combined_loss)}};
  return out.dump(indent);
}

Evaluator::Evaluator(Runner& runner, const Dataset& data) : runner_(&runner), data_(&data) {
  truths_.resize(static_cast<size_t>(runner.rows()));
  raw_truths_.resize(truths_.size());
  raw_predictions_.resize(truths_.size());
  codes_.resize(truths_.size());
}

Metrics Evaluator::evaluate(task::SplitName split, const Look& look) {
  return evaluate(
      split, [](const RowsAt&, const Ports&) {}, look);
}

void Evaluator::begin() {
  rows_ = 0;
  metrics_.clear();
  const auto& outputs = data_->spec.recipe.outputs;
  for (size_t o = 0; o < outputs.size(); ++o)
    metrics_.push_back(task::metrics_for(outputs[o], data_->spec.output_sizes[o], data_->rows_kept()));
}

void Evaluator::add(const RowsAt& at) {
  gather(at, runner_->rows(), runner_->ports());
  runner_->run({});
  const Ports& ports = runner_->ports();
  const std::span<const uint32_t> batch = at.rows;
  const EncodedTargets& targets = *at.targets;
  const size_t n = batch.size();
  for (size_t o = 0; o < metrics_.size(); ++o) {
    const std::span losses(ports.losses[o], n);
    const auto size = static_cast<size_t>(data_->spec.output_sizes[o]);
    const std::span answers(ports.predictions[o], n * size);
    const auto truths_of = [&](auto& to, const auto& from) {
      for (size_t i = 0; i < n; ++i) to[i] = from[batch[i]];
      return std::span(to).first(n);
    };
    std::visit(
        Overloaded{
            [&](task::CategoryMetrics& m) { m.add(answers, truths_of(codes_, targets.codes[o]), losses); },
            [&](task::BinaryMetrics& m) { m.add(answers, truths_of(truths_, targets.numbers[o]), losses); },
            [&](task::NumberMetrics& m) {
              const auto& fit = std::get<task::NumberFit>(data_->fits.outputs[o]);
              const auto& clip = std::get<task::NumberOutput>(data_->spec.recipe.outputs[o].spec).clip;
              for (size_t i = 0; i < n; ++i) {
                raw_truths_[i] = task::decode(fit, targets.numbers[o][batch[i]]);
                raw_predictions_[i] = task::decode(fit, answers[i], clip);
              }
              m.add(std::span(raw_predictions_).first(n), std::span(raw_truths_).first(n), losses);
            },
            [&](task::VectorMetrics& m) {
              const auto& fit = std::get<task::VectorFit>(data_->fits.outputs[o]);
              vectors_.assign(answers.begin(), answers.end());
              vectors_.resize(2 * n * size);
              const std::span all(vectors_), truths = all.subspan(n * size);
              std::get<data::FloatRows>(targets.columns[o]).gather(batch, truths.data());
              for (size_t i = 0; i < 2 * n; ++i) task::decode(fit, all.subspan(i * size, size));
              m.add(all.first(n * size), truths, losses);
            },
            [&](task::SetMetrics& m) {
              const auto& words = std::get<data::CodeColumn>(targets.columns[o]);
              words_.resize(n * static_cast<size_t>(words.width()));
              words.gather(batch, words_.data());
              m.add(answers, words_, losses);
            }},
        metrics_[o]);
  }
  rows_ += static_cast<int64_t>(n);
}

std::vector<Confusion> Evaluator::confusions() const {
  std::vector<Confusion> out;
  for (size_t o = 0; o < metrics_.size(); ++o) {
    const std::string& name = data_->spec.recipe.outputs[o].name;
    if (const auto* binary = std::get_if<task::BinaryMetrics>(&metrics_[o])) {
      const auto& fit = std::get<task::BinaryFit>(data_->fits.outputs[o]);
      out.push_back({name,
                     {fit.false_label, fit.true_label},
                     {binary->true_negatives, binary->false_positives, binary->false_negatives,
                      binary->true_positives}});
    }
    if (const auto* category = std::get_if<task::CategoryMetrics>(&metrics_[o]);
        category && !category->confusion().empty())
      out.push_back(
          {name, std::get<task::CategoryFit>(data_->fits.outputs[o]).vocabulary, category->confusion()});
  }
  return out;
}

Metrics Evaluator::finish() {
  Metrics out;
  out.rows = rows_;
  const auto& outputs = data_->spec.recipe.outputs;
  for (size_t o = 0; o < outputs.size(); ++o) {
    const auto* category = std::get_if<task::CategoryMetrics>(&metrics_[o]);
    out.outputs.push_back(
        {outputs[o].name, task::values(metrics_[o]), category ? category->rows_of_unknown_class() : 0});
    out.combined_loss += outputs[o].loss_weight() * task::value_of(out.outputs.back().values, "loss");
  }
  return out;
}

}  // namespace shoestring::train
