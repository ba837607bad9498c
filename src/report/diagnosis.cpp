#include "report/diagnosis.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/text.h"
#include "report/findings.h"

namespace shoestring::report {
namespace {

constexpr double kStillFalling = 0.05;  // of the whole fall of the loss, in the last quarter

std::string percent(double value) { return fmt::format("{:.1f} %", 100 * value); }

// The step from which on the training loss goes on falling while the validation loss is past its best: 0
// where it never is.
int64_t gap_opens(const TrainingFacts& t) {
  const Series *training = nullptr, *validation = nullptr;
  for (const Series& s : t.series)
    if (s.name == "loss") (s.split == "training" ? training : validation) = &s;
  if (!training || !validation) return 0;
  size_t best = 0;
  for (size_t i = 0; i < t.steps.size(); ++i)
    if (validation->values[i] < validation->values[best] || std::isnan(validation->values[best])) best = i;
  if (best + 1 >= t.steps.size() || !(training->values.back() < training->values[best]) ||
      !(validation->values.back() > 1.02 * validation->values[best]))
    return 0;
  return t.steps[best];
}

// The part of all improvement of the validation loss that came in the last quarter of the evaluations.
double late_improvement(const TrainingFacts& t) {
  for (const Series& s : t.series) {
    if (s.name != "loss" || s.split != "validation" || s.values.size() < 8) continue;
    const double first = s.values.front(), before = s.values[s.values.size() * 3 / 4], last = s.values.back();
    return first > last ? (before - last) / (first - last) : 0;
  }
  return 0;
}

class Doctor {
 public:
  Doctor(const Evidence& evidence, const Facts& facts, const Duplicates& duplicates)
      : e_(evidence), facts_(facts), duplicates_(duplicates) {}

  std::vector<Finding> findings() {
    for (size_t o = 0; o < e_.spec.recipe.outputs.size(); ++o) {
      const auto& output = e_.spec.recipe.outputs[o];
      const OutputQuality* quality = nullptr;
      if (facts_.quality)
        for (const auto& q : facts_.quality->outputs)
          if (q.name == output.name) quality = &q;
      fit(o);
      if (quality) {
        classes(o, *quality);
        labels(o, *quality);
        probabilities(*quality);
      }
    }
    course();
    few_rows();
    more_rows();
    sort_by_severity(out_);
    return std::move(out_);
  }

 private:
  void add(Severity severity, const std::string& subject, std::string title, std::string evidence,
           std::string remedy) {
    out_.push_back({severity, subject, std::move(title), std::move(evidence), std::move(remedy)});
  }

  // The metric that tells whether an output is learned, what it is without learning, and which way is better.
  struct Judge {
    std::string metric;
    bool maximise = true;
    double baseline = 0;
  };
  Judge judge(size_t o) const {
    const auto type = e_.spec.recipe.outputs[o].type();
    if (type == task::FeatureType::number) return {"r2", true, 0};
    if (type == task::FeatureType::set) return {"jaccard", true, 0};
    if (type == task::FeatureType::vector) return {"mean_absolute_error", false, 0};
    const train::Classes classes = train::classes_of(e_.fits.outputs[o]);
    const int64_t all = std::accumulate(classes.rows.begin(), classes.rows.end(), int64_t{0});
    const int64_t most =
        classes.rows.empty() ? 0 : *std::max_element(classes.rows.begin(), classes.rows.end());
    return {"accuracy", true, all > 0 ? static_cast<double>(most) / static_cast<double>(all) : 0};
  }

  // Over- and underfitting.
  void fit(size_t o) {
    if (!e_.held_out) return;
    const std::string& name = e_.spec.recipe.outputs[o].name;
    const Judge j = judge(o);
    const double held_out = e_.held_out->value(name, j.metric);
    const double training = e_.training ? e_.training->value(name, j.metric) : std::nan("");
    const std::string rows = fmt::format("{} {} rows", e_.held_out->rows, e_.held_out_name);
    const double auc = e_.held_out->value(name, "roc_auc");
    const double learned = std::isnan(training) ? held_out : training;
    constexpr double kLittle = 0.02;
    if (j.maximise && learned < j.baseline + kLittle && !(auc > 0.7)) {
      add(learned <= j.baseline ? Severity::problem : Severity::warning, name,
          fmt::format("'{}' is hardly learned", name),
          fmt::format("{} is {:.4g}{}, and {:.4g} without any model{}.", j.metric, learned,
                      std::isnan(training) ? " on the " + rows : " on the training rows", j.baseline,
                      std::isnan(auc) ? "" : fmt::format("; roc_auc is {:.3f} (0.5 is chance)", auc)),
          "this is underfitting: columns that tell more of the target, a larger network, more epochs or "
          "another "
          "learning_rate");
      return;
    }
    if (std::isnan(training)) return;
    const train::Gap gap{name, j.metric, j.maximise, training, held_out, e_.held_out->rows, e_.held_out_name};
    const std::string numbers = fmt::format("{} is {:.4g} on the training rows and {:.4g} on the {}",
                                            j.metric, training, held_out, rows);
    const int64_t opens = facts_.training ? gap_opens(*facts_.training) : 0;
    const std::string where =
        opens > 0
            ? fmt::format("; from step {} on the training loss fell while the validation loss rose", opens)
            : "";
    const double late = e_.early_stopped || !facts_.training ? 0 : late_improvement(*facts_.training);
    const bool still_falls = opens == 0 && late > kStillFalling;
    gap_told_ |= train::overfits(gap);
    if (train::overfits(gap) && still_falls)
      add(Severity::warning, name, fmt::format("'{}' fits its training rows better than others", name),
          fmt::format(
              "{}; yet the validation loss was still falling when training ended ({} of its fall came "
              "in the last quarter of the steps), so what it learns still carries over.",
              numbers, percent(late)),
          "more rows, dropout or weight_decay, which train --remedy tries; with those more epochs");
    else if (train::overfits(gap))
      add(Severity::warning, name, fmt::format("'{}' is overfitted", name), numbers + where + ".",
          "more rows, dropout, weight_decay or a smaller network; train --remedy tries them");
    else
      add(Severity::good, name, fmt::format("No sign of overfitting of '{}'", name), numbers + where + ".",
          "");
  }

  void classes(size_t o, const OutputQuality& q) {
    const train::Classes classes = train::classes_of(e_.fits.outputs[o]);
    const size_t k = q.labels.size();
    if (classes.rows.size() < 2 || k < 2) return;
    const bool unbalanced = train::unbalanced(classes.rows);
    const Judge j = judge(o);
    constexpr double kPoor = 0.5;
    constexpr int64_t kFewest = 10;
    std::vector<std::string> poor;
    for (size_t t = 0; t < k; ++t) {
      int64_t rows = 0;
      for (size_t a = 0; a < k; ++a) rows += q.confusion[t * k + a];
      const double recall =
          static_cast<double>(q.confusion[t * k + t]) / static_cast<double>(std::max<int64_t>(1, rows));
      if (rows >= kFewest && recall < kPoor)
        poor.push_back(fmt::format("'{}' ({} of {} rows)", q.labels[t], percent(recall), rows));
    }
    const bool binary = q.type == task::FeatureType::binary;
    const std::string remedy = fmt::format(
        "{}, preprocessing.oversample_minority{}; judge by the metrics of each class",
        binary ? "loss.positive_class_weight" : "loss.class_weights", binary ? ", another threshold" : "");
    if (!poor.empty())
      add(Severity::warning, q.name,
          fmt::format("Most rows of {} of '{}' are missed", poor.size() == 1 ? "a class" : "some classes",
                      q.name),
          fmt::format("Recall of {}.", listed(poor)), remedy);
    else if (unbalanced)
      add(Severity::note, q.name, fmt::format("The classes of '{}' are unbalanced", q.name),
          fmt::format("Always answering the commonest would be right for {} of the training rows; the model "
                      "is for {} of "
                      "the {} rows, and finds most of each class.",
                      percent(j.baseline),
                      percent(e_.held_out ? e_.held_out->value(q.name, "accuracy") : std::nan("")),
                      facts_.quality->split),
          remedy);
    if (!binary || q.curves.empty()) return;
    const ScoreCurves& c = q.curves[0].curves;
    const double f1 = e_.held_out ? e_.held_out->value(q.name, "f1") : std::nan("");
    constexpr double kBetter = 0.02;
    if (q.choice) {  // chosen where it is not judged
      const ScoreCurves& by = q.choice->curves;
      if (by.best_f1 > q.choice->f1 + kBetter && q.choice->f1_here > f1)
        add(Severity::note, q.name, fmt::format("Another threshold of '{}' has a better F1", q.name),
            fmt::format(
                "From a probability of {:.3f} on, the best on the {} validation rows, it is {:.3f} on "
                "the {} rows, which did not choose it; from {:.3f} on {:.3f}.",
                by.best_threshold, by.positives + by.negatives, q.choice->f1_here, facts_.quality->split,
                q.threshold, f1),
            fmt::format("threshold: {:.2f} in the output feature, if F1 is what counts; the page tells the "
                        "best for your costs",
                        by.best_threshold));
    } else if (c.best_f1 > f1 + kBetter)
      add(Severity::note, q.name, fmt::format("Another threshold of '{}' has a better F1", q.name),
          fmt::format(
              "{:.3f} from a probability of {:.3f} on, {:.3f} from {:.3f} on. The same rows chose and "
              "judged it: expect less of new ones.",
              c.best_f1, c.best_threshold, f1, q.threshold),
          fmt::format("threshold: {:.2f} in the output feature, if F1 is what counts; the page tells the "
                      "best for your "
                      "costs",
                      c.best_threshold));
  }

  // Labels that are suspected to be wrong.
  void labels(size_t o, const OutputQuality& q) {
    constexpr double kShare = 0.01, kSkill = 0.8;
    if (o == 0 && duplicates_.training_rows > 0) {
      const double contradicted =
          static_cast<double>(duplicates_.contradicted) / static_cast<double>(duplicates_.training_rows);
      if (contradicted > kShare)
        add(Severity::warning, q.name, "Rows with the same inputs have other labels",
            fmt::format(
                "Whatever a model answers, {} of the training rows are wrong ({} of {} that were looked at).",
                percent(contradicted), duplicates_.contradicted, duplicates_.training_rows),
            "correct the labels, or add the column that tells such rows apart");
    }
    if (q.type != task::FeatureType::binary || q.curves.empty()) return;
    const ScoreCurves& c = q.curves[0].curves;
    const auto doubted = static_cast<double>(c.doubted_positives + c.doubted_negatives);
    const double share = doubted / static_cast<double>(std::max<int64_t>(1, c.positives + c.negatives));
    if (c.roc_auc > kSkill && share > kShare)
      add(Severity::note, q.name, fmt::format("Some labels of '{}' may be wrong", q.name),
          fmt::format("{} rows that are '{}' look less so than a usual one that is not, and {} that are not "
                      "look more so "
                      "than a usual one that is: {} of the {} rows.",
                      c.doubted_positives, q.curves[0].label, c.doubted_negatives, percent(share),
                      facts_.quality->split),
          "look at the worst mistakes below: are they mistakes of the model, or of the labels?");
  }

  void probabilities(const OutputQuality& q) {
    const ScoreCurves* c = q.confidence ? &*q.confidence : q.curves.empty() ? nullptr : &q.curves[0].curves;
    constexpr double kOff = 0.05;
    constexpr int64_t kFewest = 500;
    if (!c || c->positives + c->negatives < kFewest || !(c->calibration_error > kOff)) return;
    add(Severity::note, q.name, fmt::format("The probabilities of '{}' are off", q.name),
        fmt::format("On average they are {:.3f} from the share of rows that are so.", c->calibration_error),
        "do not read them as chances; more validation rows for an ensemble's blend, label_smoothing or "
        "weight_decay "
        "bring them nearer");
  }

  void course() {
    if (facts_.run && facts_.run->skipped > 0)
      add(Severity::warning, "",
          fmt::format("{} gave no finite numbers", count_of(facts_.run->skipped, "step")),
          "They were skipped, and changed nothing.",
          "a lower learning_rate, gradient_clipping, or a look for extreme values");
    if (!e_.course || !facts_.training) return;
    if (e_.course->last_training > 1.5 * e_.course->untrained)
      add(Severity::problem, "", "The loss rose", train::course_remark(*e_.course), "a lower learning_rate");
    const double late = late_improvement(*facts_.training);
    if (!gap_told_ && !e_.early_stopped && late > kStillFalling)
      add(Severity::note, "", "It was still getting better when training ended",
          fmt::format("{} of what the validation loss fell by came in the last quarter of the steps.",
                      percent(late)),
          "more epochs, or more time");
  }

  void few_rows() {
    if (!e_.held_out) return;
    for (size_t o = 0; o < e_.spec.recipe.outputs.size(); ++o) {
      const std::string& name = e_.spec.recipe.outputs[o].name;
      const double p = e_.held_out->value(name, "accuracy");
      if (std::isnan(p) || e_.held_out->rows == 0) continue;
      const double error =
          2 * std::sqrt(std::max(p * (1 - p), 0.01) / static_cast<double>(e_.held_out->rows));
      if (error < 0.03) continue;
      add(Severity::note, name, fmt::format("Few rows measure '{}'", name),
          fmt::format("With {} {} rows its accuracy, {:.3f}, is sure to ± {:.3f} only.", e_.held_out->rows,
                      e_.held_out_name, p, error),
          "experiment --k_fold 5 measures on all rows");
    }
  }

  // By the learning curve: what twice the rows were worth.
  void more_rows() {
    const auto& curve = facts_.learning_curve;
    if (curve.size() < 2) return;
    const LearningPoint &half = curve[curve.size() - 2], &all = curve.back();
    const double fell = (half.held_out_loss - all.held_out_loss) / half.held_out_loss;
    constexpr double kWorthIt = 0.03;
    const std::string evidence = fmt::format(
        "From {} to {} training rows the loss on held-out rows went from {:.4g} to {:.4g}, and {} from "
        "{:.4g} "
        "to {:.4g}.",
        half.rows, all.rows, half.held_out_loss, all.held_out_loss, facts_.learning_metric,
        half.held_out_metric, all.held_out_metric);
    if (fell > kWorthIt)
      add(Severity::note, "", "More rows would help", evidence, "as many rows again may bring as much again");
    else
      add(Severity::good, "", "More rows would help little", evidence, "");
  }

  const Evidence& e_;
  const Facts& facts_;
  const Duplicates& duplicates_;
  std::vector<Finding> out_;
  bool gap_told_ = false;  // between training rows and others
};

}  // namespace

std::vector<Finding> diagnose(const Evidence& evidence, const Facts& facts, const Duplicates& duplicates) {
  return Doctor(evidence, facts, duplicates).findings();
}

}  // namespace shoestring::report
