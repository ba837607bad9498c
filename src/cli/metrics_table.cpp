#include "cli/metrics_table.h"

#include <algorithm>

#include "base/text.h"
#include "cli/console.h"

namespace shoestring::cli {
namespace {

int64_t unknown_rows(const train::Metrics& metrics, const std::string& output) {
  const auto found = std::ranges::find(metrics.outputs, output, &train::Metrics::Output::name);
  return found == metrics.outputs.end() ? 0 : found->unknown_rows;
}

}  // namespace

std::string metrics_table(const std::vector<NamedMetrics>& sets) {
  if (sets.empty()) return {};
  std::vector<std::vector<std::string>> rows{{"output", "metric"}};
  for (const auto& [name, metrics] : sets) rows[0].push_back(name);
  const train::Metrics& first = *sets.front().second;
  for (const auto& output : first.outputs) {
    bool begins = true;
    for (const auto& [metric, value] : output.values) {
      std::vector<std::string> row{begins ? output.name : "", std::string(metric)};
      for (const auto& [name, metrics] : sets)
        row.push_back(human_metric(metrics->value(output.name, metric)));
      rows.push_back(std::move(row));
      begins = false;
    }
    std::vector<std::string> unknown{"", "of unknown class"};
    for (const auto& [name, metrics] : sets)
      unknown.push_back(fmt::format("{}", unknown_rows(*metrics, output.name)));
    if (std::any_of(unknown.begin() + 2, unknown.end(), [](const auto& text) { return text != "0"; }))
      rows.push_back(std::move(unknown));
  }
  if (first.outputs.size() > 1) {
    rows.push_back({"combined", "loss"});
    for (const auto& [name, metrics] : sets) rows.back().push_back(human_metric(metrics->combined_loss));
  }
  rows.push_back({"", "rows"});
  for (const auto& [name, metrics] : sets) rows.back().push_back(fmt::format("{}", metrics->rows));
  return table(rows);
}

}  // namespace shoestring::cli
