#include "train/remarks.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace shoestring::train {
namespace {

double percent(int64_t part, int64_t whole) {
  return 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

bool overfits(const Gap& gap) {
  if (!std::isfinite(gap.training) || !std::isfinite(gap.held_out) || gap.held_out_rows == 0) return false;
  if (!gap.maximise) return gap.held_out > 1.25 * gap.training;
  const double share = std::clamp(gap.held_out, 0.0, 1.0);
  const double error = std::sqrt(share * (1 - share) / static_cast<double>(gap.held_out_rows));
  return gap.training - gap.held_out > std::max(0.02, 2 * error);
}

std::string overfitting_remark(const Gap& gap) {
  const std::string numbers =
      fmt::format("{} of '{}' is {:.4g} on the training rows and {:.4g} on the {} {} rows", gap.metric,
                  gap.output, gap.training, gap.held_out, gap.held_out_rows, gap.held_out_name);
  if (!overfits(gap)) return fmt::format("No sign of overfitting: {}.", numbers);
  return fmt::format("It overfits: {}. More rows, dropout, weight_decay or a smaller network would help.",
                     numbers);
}

std::string course_remark(const Course& c) {
  if (c.last_step <= c.best_step || !(c.last_training < c.best_training) ||
      !(c.last_validation > 1.05 * c.best_validation))
    return {};
  return fmt::format(
      "From step {} on it learned the training rows by heart: their loss fell from {:.4f} to {:.4f} while "
      "that of "
      "the validation rows rose from {:.4f} to {:.4f}. The model of step {} was kept.",
      c.best_step, c.best_training, c.last_training, c.best_validation, c.last_validation, c.best_step);
}

bool unbalanced(std::span<const int64_t> rows) {
  const int64_t total = std::accumulate(rows.begin(), rows.end(), int64_t{0});
  if (rows.size() < 2 || total == 0) return false;
  const int64_t rarest = *std::min_element(rows.begin(), rows.end());
  return 2 * rarest * static_cast<int64_t>(rows.size()) < total;
}

std::string balance_remark(const std::string& output, std::span<const std::string> labels,
                           std::span<const int64_t> rows) {
  const int64_t total = std::accumulate(rows.begin(), rows.end(), int64_t{0});
  if (rows.size() < 2 || total == 0 || labels.size() != rows.size()) return {};
  const auto rarest = static_cast<size_t>(std::min_element(rows.begin(), rows.end()) - rows.begin());
  const auto commonest = static_cast<size_t>(std::max_element(rows.begin(), rows.end()) - rows.begin());
  if (!unbalanced(rows))
    return fmt::format(
        "The classes of '{}' are balanced well enough: the rarest, '{}', has {:.0f} % of the training rows.",
        output, labels[rarest], percent(rows[rarest], total));
  return fmt::format(
      "The classes of '{}' are unbalanced: '{}' has {:.1f} % of the training rows, and always answering '{}' "
      "would be right "
      "for {:.1f} %. Judge by roc_auc or the metrics of each class rather than by accuracy, or set class "
      "weights.",
      output, labels[rarest], percent(rows[rarest], total), labels[commonest],
      percent(rows[commonest], total));
}

}  // namespace shoestring::train
