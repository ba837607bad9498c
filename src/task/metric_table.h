// Which metrics an output has, and which way each is better. The one list that checks
// validation_metric, orders reports and picks the best model.
#pragma once

#include <span>
#include <string_view>

#include "task/recipe.h"

namespace shoestring::task {

struct MetricInfo {
  std::string_view name;  // as the recipe and test_statistics.json say it
  bool maximise = false;
  std::string_view help;
};

// The metrics of an output of this type, "loss" first.
std::span<const MetricInfo> metrics_of(FeatureType type);

// One of them by name, or nullptr.
const MetricInfo* find_metric(FeatureType type, std::string_view name);

// What early stopping watches where the recipe does not say.
std::string_view default_metric(FeatureType type);

// Whether more of a metric of this output (or "combined") is better.
bool maximised(const Recipe& recipe, std::string_view output, std::string_view metric);

// The name under which the sum of the weighted losses is reported; its only metric is "loss".
inline constexpr std::string_view kCombined = "combined";

}  // namespace shoestring::task
