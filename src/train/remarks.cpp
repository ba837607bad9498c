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

constexpr double kGapOfShares = 0.02;

// Two standard errors of a share of so few rows.
double chance(const Gap& gap) {
  const double share = std::clamp(gap.held_out, 0.0, 1.0);
  return 2 * std::sqrt(share * (1 - share) / static_cast<double>(gap.held_out_rows));
}

}  // namespace

bool overfits(const Gap& gap) {
  if (!std::isfinite(gap.training) || !std::isfinite(gap.held_out) || gap.held_out_rows == 0) return false;
  if (!gap.maximise) return gap.held_out > 1.25 * gap.training;
  return gap.training - gap.held_out > std::max(kGapOfShares, chance(gap));
}

std::string overfitting_remark(const Gap& gap) {
  if (!std::isfinite(gap.training) || !std::isfinite(gap.held_out)) return {};  // nothing to compare
  const std::string numbers = fmt::format(
      "{} of '{}' is {:.4g} on the training rows and {:.4g} on the {} {} row{}", gap.metric, gap.output,
      gap.training, gap.held_out, gap.held_out_rows, gap.held_out_name, gap.held_out_rows == 1 ? "" : "s");
  if (!overfits(gap) && gap.maximise && gap.training - gap.held_out > kGapOfShares)
    return fmt::format("Too few rows to tell whether it overfits: {}, a gap that chance may give.", numbers);
  if (!overfits(gap)) return fmt::format("No sign of overfitting: {}.", numbers);
  return fmt::format("It overfits: {}. More rows, dropout, weight_decay or a smaller network would help.",
                     numbers);
}

bool learned_by_heart(const Course& c) {
  return c.last_step > c.best_step && c.last_training < c.best_training &&
         c.last_validation > 1.05 * c.best_validation;
}

std::string course_remark(const Course& c) {
  if (c.last_training > 1.5 * c.untrained)
    return fmt::format(
        "The loss rose from {:.4g} of the untrained model to {:.4g}: a lower learning_rate would help.",
        c.untrained, c.last_training);
  if (!learned_by_heart(c)) return {};
  return fmt::format(
      "From step {} on it learned the training rows by heart: their loss fell from {:.4f} to {:.4f} while "
      "that of "
      "the validation rows rose from {:.4f} to {:.4f}. The model of step {} is the best.",
      c.best_step, c.best_training, c.last_training, c.best_validation, c.last_validation, c.best_step);
}

std::string usefulness_remark(const Usefulness& u) {
  if (u.commonest.empty())
    return u.r2 <= 0 ? fmt::format(
                           "It has learned nothing that helps: on the {} {} rows, always answering the mean "
                           "of '{}' would be as good (r2 is {:.4g}).",
                           u.rows, u.rows_name, u.output, u.r2)
                     : "";
  if (!(u.accuracy <= u.share) || u.roc_auc > 0.6) return {};
  return fmt::format(
      "It has learned nothing that helps: accuracy of '{}' is {:.4g} on the {} {} rows, and always "
      "answering '{}' was right for {:.4g} of the training rows.",
      u.output, u.accuracy, u.rows, u.rows_name, u.commonest, u.share);
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

namespace {

// Whether each row is of one class.
bool has_classes(const task::OutputFeature& output) {
  return output.type() == task::FeatureType::binary || output.type() == task::FeatureType::category;
}

// Of one output: whether the model is of use, or whether it overfits where its training metrics are known.
std::string held_out_remark(const task::OutputFeature& output, const Classes& classes,
                            const Metrics& held_out, const std::string& rows_name, const Metrics* training) {
  const bool is_class = has_classes(output);
  Usefulness u{.output = output.name,
               .r2 = held_out.value(output.name, "r2"),
               .rows = held_out.rows,
               .rows_name = rows_name};
  if (is_class && !classes.rows.empty()) {
    const auto most = std::max_element(classes.rows.begin(), classes.rows.end());
    const int64_t total = std::accumulate(classes.rows.begin(), classes.rows.end(), int64_t{0});
    u.commonest = classes.labels[static_cast<size_t>(most - classes.rows.begin())];
    u.share = percent(*most, std::max<int64_t>(total, 1)) / 100;
    u.accuracy = held_out.value(output.name, "accuracy");
    u.roc_auc = held_out.value(output.name, "roc_auc");
  }
  const std::string useless = usefulness_remark(u);
  if (!training) return useless;
  const bool is_set = output.type() == task::FeatureType::set;
  const std::string metric = is_class ? "accuracy" : is_set ? "jaccard" : "mean_absolute_error";
  const Gap gap{output.name,
                metric,
                is_class || is_set,
                training->value(output.name, metric),
                held_out.value(output.name, metric),
                held_out.rows,
                rows_name};
  if (useless.empty()) return overfitting_remark(gap);
  // Of the rows it was trained on it must have learned something, to have learned too much of them.
  const double chance_of_share =
      2 * std::sqrt(u.share * (1 - u.share) / static_cast<double>(std::max<int64_t>(training->rows, 1)));
  const bool learned =
      is_class ? training->value(output.name, "accuracy") >
                     u.share + (training->rows > 0 ? std::max(kGapOfShares, chance_of_share) : kGapOfShares)
               : !(training->value(output.name, "r2") <= 0.1);
  return learned && overfits(gap) ? overfitting_remark(gap) : useless;
}

std::vector<std::string> all_remarks(const task::NetworkSpec& spec, const task::Fits& fits,
                                     const Metrics* held_out, const std::string& rows_name,
                                     const Metrics* training, const Course* course) {
  std::vector<std::string> all;
  const auto add = [&](std::string remark) {
    if (!remark.empty()) all.push_back(std::move(remark));
  };
  const auto& outputs = spec.recipe.outputs;
  for (size_t o = 0; o < outputs.size(); ++o) {
    const bool is_class = has_classes(outputs[o]);
    const Classes classes = is_class ? classes_of(fits.outputs[o]) : Classes();
    if (held_out) add(held_out_remark(outputs[o], classes, *held_out, rows_name, training));
    if (o == 0 && course) add(course_remark(*course));
    if (is_class) add(balance_remark(outputs[o].name, classes.labels, classes.rows));
  }
  return all;
}

}  // namespace

std::vector<std::string> remarks_on(const task::NetworkSpec& spec, const task::Fits& fits,
                                    const Metrics& measured, const std::string& rows_name,
                                    const Metrics* training) {
  return all_remarks(spec, fits, &measured, rows_name, training, nullptr);
}

std::vector<std::string> remarks(const Dataset& data, const Course& course, const Metrics& training,
                                 const Metrics* held_out, const std::string& held_out_name) {
  return all_remarks(data.spec, data.fits, held_out, held_out_name, &training, &course);
}

}  // namespace shoestring::train
