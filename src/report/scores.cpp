#include "report/scores.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace shoestring::report {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr size_t kFrozenGroups = 2'048;

double count(int64_t n) { return static_cast<double>(n); }

// Ascending, equal scores in one group.
std::vector<ScoreGroup> grouped(std::vector<float> kept) {
  std::sort(kept.begin(), kept.end(), [](float a, float b) { return std::abs(a) < std::abs(b); });
  std::vector<ScoreGroup> groups;
  for (const float signed_score : kept) {
    const float score = std::abs(signed_score);
    if (groups.empty() || groups.back().least != score) groups.push_back({.least = score});
    groups.back().sum += score;
    ++(std::signbit(signed_score) ? groups.back().negatives : groups.back().positives);
  }
  return groups;
}

void add_calibration(const std::vector<ScoreGroup>& groups, ScoreCurves& out) {
  constexpr size_t kBins = 10;
  struct Bin {
    double sum = 0;
    int64_t positives = 0, rows = 0;
  };
  std::array<Bin, kBins> bins{};
  for (const ScoreGroup& g : groups) {
    // (0.1, 0.2], and 0 in the first.
    const auto bin = static_cast<size_t>(std::clamp(std::ceil(g.mean() * kBins) - 1, 0.0, kBins - 1.0));
    bins[bin].sum += g.sum;
    bins[bin].positives += g.positives;
    bins[bin].rows += g.rows();
  }
  const double rows = count(out.positives + out.negatives);
  for (const Bin& bin : bins) {
    if (bin.rows == 0) continue;
    const CalibrationBin c{bin.sum / count(bin.rows), count(bin.positives) / count(bin.rows), bin.rows};
    out.calibration_error += count(c.rows) / rows * std::abs(c.mean_score - c.share_true);
    out.calibration.push_back(c);
  }
}

// Between two groups' ends, rows of equal scores come in any order: a straight line.
void add_lift(const std::vector<ScoreGroup>& groups, ScoreCurves& out) {
  constexpr int kSteps = 20;
  const double rows = count(out.positives + out.negatives);
  size_t at = 0;
  double rows_before = 0, positives_before = 0;
  for (int i = 0; i <= kSteps; ++i) {
    const double wanted = rows * i / kSteps;
    while (at < groups.size() && rows_before + count(groups[at].rows()) < wanted) {
      rows_before += count(groups[at].rows());
      positives_before += count(groups[at].positives);
      ++at;
    }
    double positives = positives_before;
    if (at < groups.size() && groups[at].rows() > 0)
      positives += count(groups[at].positives) * (wanted - rows_before) / count(groups[at].rows());
    out.lift.push_back({wanted / rows, out.positives > 0 ? positives / count(out.positives) : kNan});
  }
}

void add_doubts(const std::vector<ScoreGroup>& groups, ScoreCurves& out) {
  double of_positives = 0, of_negatives = 0;
  for (const ScoreGroup& g : groups) {
    of_positives += g.mean() * count(g.positives);
    of_negatives += g.mean() * count(g.negatives);
  }
  const double usual_positive = of_positives / count(out.positives);
  const double usual_negative = of_negatives / count(out.negatives);
  for (const ScoreGroup& g : groups) {
    if (g.mean() >= usual_positive) out.doubted_negatives += g.negatives;
    if (g.mean() <= usual_negative) out.doubted_positives += g.positives;
  }
}

// Points along the curve at even distances of the path in the plane of both rates.
std::vector<ThresholdPoint> thinned(const std::vector<ThresholdPoint>& all, const ScoreCurves& of,
                                    size_t most) {
  if (all.size() <= most) return all;
  const auto place = [&](const ThresholdPoint& p) {
    return count(p.true_positives) / std::max(1.0, count(of.positives)) +
           count(p.false_positives) / std::max(1.0, count(of.negatives));
  };
  std::vector<ThresholdPoint> some{all.front()};
  const double step = place(all.back()) / static_cast<double>(most - 2);
  for (size_t i = 1; i + 1 < all.size(); ++i)
    if (place(all[i]) >= step * static_cast<double>(some.size()) || all[i].threshold == of.best_threshold)
      some.push_back(all[i]);
  some.push_back(all.back());
  return some;
}

}  // namespace

Scores::Scores(int64_t exact_rows) : exact_rows_(exact_rows) {}

void Scores::add(float score, bool truth) {
  if (!std::isfinite(score)) return;
  score = std::clamp(score, 0.0F, 1.0F);
  ++rows_;
  if (groups_.empty()) {
    kept_.push_back(truth ? score : -score);
    if (static_cast<int64_t>(kept_.size()) >= exact_rows_) freeze();
    return;
  }
  // The last group whose edge is not above it; the lowest takes what is below all.
  auto group = std::upper_bound(groups_.begin(), groups_.end(), score,
                                [](float s, const ScoreGroup& g) { return s < g.least; });
  if (group != groups_.begin()) --group;
  group->least = std::min(group->least, score);
  group->sum += score;
  ++(truth ? group->positives : group->negatives);
}

void Scores::freeze() {
  const std::vector<ScoreGroup> all = grouped(std::move(kept_));
  kept_ = {};
  const size_t many = (all.size() + kFrozenGroups - 1) / kFrozenGroups;
  for (size_t i = 0; i < all.size(); ++i) {
    if (i % many == 0) groups_.push_back({.least = all[i].least});
    groups_.back().sum += all[i].sum;
    groups_.back().positives += all[i].positives;
    groups_.back().negatives += all[i].negatives;
  }
}

std::vector<ScoreGroup> Scores::groups() const {
  std::vector<ScoreGroup> all = groups_.empty() ? grouped(kept_) : groups_;
  std::reverse(all.begin(), all.end());
  return all;
}

double f1_at(const std::vector<ScoreGroup>& groups, double threshold) {
  int64_t found = 0, answered = 0, positives = 0;
  for (const ScoreGroup& g : groups) {
    positives += g.positives;
    if (static_cast<double>(g.least) < threshold) continue;
    found += g.positives;
    answered += g.rows();
  }
  return positives > 0 ? 2 * count(found) / count(answered + positives) : 0;
}

ScoreCurves curves_of(const std::vector<ScoreGroup>& groups, size_t most_points) {
  ScoreCurves out;
  double squared = 0;
  for (const ScoreGroup& g : groups) {
    out.positives += g.positives;
    out.negatives += g.negatives;
    squared +=
        count(g.positives) * (1 - g.mean()) * (1 - g.mean()) + count(g.negatives) * g.mean() * g.mean();
  }
  const double p = count(out.positives), n = count(out.negatives);
  if (p + n == 0) {
    out.roc_auc = out.average_precision = out.brier = kNan;
    return out;
  }
  out.brier = squared / (p + n);
  std::vector<ThresholdPoint> points{{std::numeric_limits<double>::infinity(), 0, 0}};
  double area = 0;
  for (const ScoreGroup& g : groups) {
    const ThresholdPoint before = points.back();
    const ThresholdPoint now{g.least, before.true_positives + g.positives,
                             before.false_positives + g.negatives};
    const double tp = count(now.true_positives), fp = count(now.false_positives);
    area += count(g.negatives) * (tp + count(before.true_positives)) / 2;
    if (p > 0) out.average_precision += count(g.positives) / p * tp / (tp + fp);
    if (const double f1 = p > 0 ? 2 * tp / (tp + fp + p) : 0; f1 > out.best_f1) {
      out.best_f1 = f1;
      out.best_threshold = now.threshold;
    }
    points.push_back(now);
  }
  out.roc_auc = p > 0 && n > 0 ? area / (p * n) : kNan;
  if (p == 0) out.average_precision = kNan;
  add_calibration(groups, out);
  add_lift(groups, out);
  if (p > 0 && n > 0) add_doubts(groups, out);
  out.points = thinned(points, out, most_points);
  return out;
}

}  // namespace shoestring::report
