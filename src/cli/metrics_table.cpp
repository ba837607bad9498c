#include "cli/metrics_table.h"

#include "base/text.h"
#include "cli/console.h"

namespace shoestring::cli {

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
