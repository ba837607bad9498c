#include "train/evaluate.h"

#include <cmath>
#include <nlohmann/json.hpp>

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

Metrics Evaluator::evaluate(std::span<const uint32_t> rows) {
  return evaluate(rows, [](std::span<const uint32_t>, const Ports&) {});
}

void Evaluator::begin() {
  rows_ = 0;
  metrics_.clear();
  const auto& outputs = data_->spec.recipe.outputs;
  for (size_t o = 0; o < outputs.size(); ++o)
    metrics_.push_back(task::metrics_for(outputs[o], data_->spec.output_sizes[o]));
}

void Evaluator::add(std::span<const uint32_t> batch) {
  data_->gather(batch, runner_->rows(), runner_->ports());
  runner_->run({});
  const Ports& ports = runner_->ports();
  const size_t n = batch.size();
  for (size_t o = 0; o < metrics_.size(); ++o) {
    const std::span losses(ports.losses[o], n);
    if (auto* category = std::get_if<task::CategoryMetrics>(&metrics_[o])) {
      for (size_t i = 0; i < n; ++i) codes_[i] = data_->targets.codes[o][batch[i]];
      const auto classes = static_cast<size_t>(data_->spec.output_sizes[o]);
      category->add({ports.predictions[o], n * classes}, std::span(codes_).first(n), losses);
      continue;
    }
    for (size_t i = 0; i < n; ++i) truths_[i] = data_->targets.numbers[o][batch[i]];
    if (auto* binary = std::get_if<task::BinaryMetrics>(&metrics_[o])) {
      binary->add({ports.predictions[o], n}, std::span(truths_).first(n), losses);
      continue;
    }
    const auto& fit = std::get<task::NumberFit>(data_->fits.outputs[o]);
    const auto& clip = std::get<task::NumberOutput>(data_->spec.recipe.outputs[o].spec).clip;
    for (size_t i = 0; i < n; ++i) {
      raw_truths_[i] = task::decode(fit, truths_[i]);
      raw_predictions_[i] = task::decode(fit, ports.predictions[o][i], clip);
    }
    std::get<task::NumberMetrics>(metrics_[o])
        .add(std::span(raw_predictions_).first(n), std::span(raw_truths_).first(n), losses);
  }
  rows_ += static_cast<int64_t>(n);
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
