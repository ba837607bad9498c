#include "report/training.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

namespace shoestring::report {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr size_t kMostLines = 200, kMostSeries = 40;

double number(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number() ? found->get<double>() : kNan;
}

// The lines to show: of many every n-th, the last, and that of the best step.
std::vector<std::string_view> chosen(std::string_view history, int64_t best_step) {
  std::vector<std::string_view> lines;
  const std::string best = "{\"step\":" + std::to_string(best_step) + ",";
  const auto count = static_cast<size_t>(std::count(history.begin(), history.end(), '\n'));
  const size_t every = (count + kMostLines - 1) / kMostLines;
  for (size_t i = 0; !history.empty(); ++i) {
    const size_t end = std::min(history.find('\n'), history.size());
    const std::string_view line = history.substr(0, end);
    history.remove_prefix(std::min(end + 1, history.size()));
    if (i % every == 0 || history.empty() || line.starts_with(best)) lines.push_back(line);
  }
  return lines;
}

Series& series_of(TrainingFacts& facts, const std::string& name, const std::string& split) {
  const auto found = std::find_if(facts.series.begin(), facts.series.end(),
                                  [&](const Series& s) { return s.name == name && s.split == split; });
  if (found != facts.series.end()) return *found;
  return facts.series.emplace_back(Series{name, split, {}});
}

}  // namespace

void Pace::add(int64_t step, double seconds) {
  if (seen_++ % every_ != 0) return;
  marks_.push_back({step, seconds});
  if (marks_.size() < kMost) return;
  for (size_t i = 0; 2 * i < marks_.size(); ++i) marks_[i] = marks_[2 * i];
  marks_.resize((marks_.size() + 1) / 2);
  every_ *= 2;
}

void Pace::fill(double rows_per_step, TrainingFacts& out) const {
  for (size_t i = 1; i < marks_.size(); ++i) {
    const double seconds = marks_[i].seconds - marks_[i - 1].seconds;
    if (!(seconds > 0)) continue;
    out.speed_steps.push_back(marks_[i].step);
    out.samples_per_second.push_back(static_cast<double>(marks_[i].step - marks_[i - 1].step) *
                                     rows_per_step / seconds);
  }
}

TrainingFacts training_facts(std::string_view history, int64_t best_step) {
  TrainingFacts facts;
  facts.best_step = best_step;
  for (const std::string_view text : chosen(history, best_step)) {
    const Json line = Json::parse(text, nullptr, false);
    if (!line.is_object() || !line.contains("step")) continue;
    const size_t before = facts.steps.size();
    facts.steps.push_back(line["step"]);
    facts.learning_rate.push_back(number(line, "learning_rate"));
    facts.gradient_norm.push_back(number(line, "gradient_norm"));
    const auto put = [&](const std::string& name, const std::string& split, double value) {
      if (facts.series.size() >= kMostSeries) return;
      auto& values = series_of(facts, name, split).values;
      values.resize(before, kNan);
      values.push_back(value);
    };
    put("loss", "training", number(line, "loss"));
    for (const char* split : {"training", "validation"}) {
      const auto metrics = line.find(split);
      if (metrics == line.end()) continue;
      const bool several = metrics->size() > 2;  // outputs, and "combined"
      for (const auto& [output, values] : metrics->items()) {
        if (!values.is_object()) continue;
        const bool combined = output == task::kCombined;
        // The training loss of the epoch is there already.
        if (combined && split == std::string_view("validation")) put("loss", split, number(values, "loss"));
        if (combined) continue;
        for (const auto& [metric, value] : values.items()) {
          if (!value.is_number() || metric == "rows_of_unknown_class" || (metric == "loss" && !several))
            continue;
          put(several ? metric + " of " + output : metric, split, value.get<double>());
        }
      }
    }
  }
  for (Series& s : facts.series) s.values.resize(facts.steps.size(), kNan);
  return facts;
}

}  // namespace shoestring::report
