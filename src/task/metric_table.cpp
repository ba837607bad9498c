#include "task/metric_table.h"

namespace shoestring::task {
namespace {

constexpr MetricInfo kNumber[] = {
    {"loss", false, "The training loss, without regularization."},
    {"mean_squared_error", false, "Mean of (prediction - truth)²."},
    {"mean_absolute_error", false, "Mean of |prediction - truth|."},
    {"root_mean_squared_error", false, "Root of mean_squared_error."},
    {"r2", true, "Share of the variance explained: 1 - squared error / squared deviation from the mean."},
    {"mean_absolute_percentage_error", false, "Mean of |prediction - truth| / |truth|."},
    {"root_mean_squared_percentage_error", false, "Root of the mean of ((prediction - truth) / truth)²."},
};

constexpr MetricInfo kBinary[] = {
    {"loss", false, "The training loss, without regularization."},
    {"accuracy", true, "Share of rows predicted right, at the output's threshold."},
    {"precision", true, "Share of rows predicted true that are true."},
    {"recall", true, "Share of true rows predicted true."},
    {"specificity", true, "Share of false rows predicted false."},
    {"f1", true, "Harmonic mean of precision and recall."},
    {"roc_auc", true, "Probability that a true row is scored above a false one; ties count half."},
};

constexpr MetricInfo kCategory[] = {
    {"loss", false, "The training loss, without regularization."},
    {"accuracy", true, "Share of rows predicted right."},
    {"accuracy_micro", true, "The same as accuracy."},
    {"balanced_accuracy", true, "Mean over the classes of their recall."},
    {"hits_at_k", true, "Share of rows whose class is among the top_k most probable."},
    {"precision", true, "Mean over the classes of their precision."},
    {"recall", true, "Mean over the classes of their recall."},
    {"f1", true, "Mean over the classes of their f1."},
};

constexpr MetricInfo kVector[] = {
    {"loss", false, "The training loss, without regularization."},
    {"mean_squared_error", false, "Mean over rows and places of (prediction - truth)²."},
    {"mean_absolute_error", false, "Mean over rows and places of |prediction - truth|."},
    {"root_mean_squared_error", false, "Root of mean_squared_error."},
    {"r2", true, "1 - squared error / squared deviation from each place's mean."},
};

constexpr MetricInfo kSet[] = {
    {"loss", false, "The training loss, without regularization."},
    {"jaccard", true,
     "Mean over the rows: words both predicted and true over words predicted or true; 1 where there are "
     "none."},
};

// Of each type of output, in the order of FeatureType.
struct TypeMetrics {
  std::span<const MetricInfo> metrics;
  std::string_view watched;  // unless the recipe says otherwise
};
constexpr TypeMetrics kTypes[] = {{kNumber, "mean_squared_error"},
                                  {kBinary, "roc_auc"},
                                  {kCategory, "accuracy"},
                                  {kVector, "mean_squared_error"},
                                  {kSet, "jaccard"},
                                  {},
                                  {}};

}  // namespace

std::span<const MetricInfo> metrics_of(FeatureType type) { return kTypes[static_cast<size_t>(type)].metrics; }

const MetricInfo* find_metric(FeatureType type, std::string_view name) {
  for (const MetricInfo& metric : metrics_of(type))
    if (metric.name == name) return &metric;
  return nullptr;
}

bool maximised(const Recipe& recipe, std::string_view output, std::string_view metric) {
  for (const OutputFeature& o : recipe.outputs)
    if (o.name == output)
      if (const MetricInfo* info = find_metric(o.type(), metric)) return info->maximise;
  return false;  // of all outputs combined there is the loss only
}

std::string_view default_metric(FeatureType type) { return kTypes[static_cast<size_t>(type)].watched; }

}  // namespace shoestring::task
