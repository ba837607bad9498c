#include "report/folds.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>

#include "base/atomic_file.h"
#include "report/findings.h"
#include "report/page.h"
#include "task/metric_table.h"

namespace shoestring::report {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr int64_t kMostPooled = 50;  // folds whose answers are pooled

double number(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number() ? found->get<double>() : kNan;
}
int64_t whole(const Json& object, const char* key) { return object.value(key, int64_t{0}); }
std::string text(const Json& object, const char* key) { return object.value(key, std::string()); }

// A mean of what has values, by weights.
class Mean {
 public:
  void add(double value, double weight) {
    if (!std::isfinite(value) || !(weight > 0)) return;
    sum_ += value * weight;
    weight_ += weight;
  }
  double value() const { return weight_ > 0 ? sum_ / weight_ : kNan; }

 private:
  double sum_ = 0, weight_ = 0;
};

// The curves of several folds as one. Counts at thresholds are as exact as the points that each fold kept;
// calibration and Brier score are exact.
class CurvePool {
 public:
  void add(const Json& curve) {
    int64_t positives = 0, negatives = 0;
    double before = 1;
    for (const Json& point : curve.at("points")) {
      const double threshold = point.at(0).is_number() ? point.at(0).get<double>() : 1;
      const int64_t p = point.at(1).get<int64_t>() - positives, n = point.at(2).get<int64_t>() - negatives;
      positives += p, negatives += n;
      if (p + n > 0)
        groups_.push_back(
            {static_cast<float>(threshold), (before + threshold) / 2 * static_cast<double>(p + n), p, n});
      before = threshold;
    }
    brier_.add(number(curve, "brier"), static_cast<double>(positives + negatives));
    doubted_positives_ += whole(curve, "doubted_positives");
    doubted_negatives_ += whole(curve, "doubted_negatives");
    for (const Json& bin : curve.at("calibration")) {
      const double mean = bin.at(0).get<double>(), share = bin.at(1).get<double>();
      const int64_t rows = bin.at(2).get<int64_t>();
      Bin& b = bins_[static_cast<int>(std::clamp(std::ceil(mean * 10) - 1, 0.0, 9.0))];
      b.score.add(mean, static_cast<double>(rows));
      b.share.add(share, static_cast<double>(rows));
      b.rows += rows;
    }
  }
  ScoreCurves curves() const {
    std::vector<ScoreGroup> groups = groups_;
    std::stable_sort(groups.begin(), groups.end(),
                     [](const ScoreGroup& a, const ScoreGroup& b) { return a.least > b.least; });
    std::vector<ScoreGroup> together;
    for (const ScoreGroup& g : groups) {
      if (together.empty() || together.back().least != g.least) {
        together.push_back(g);
        continue;
      }
      together.back().sum += g.sum;
      together.back().positives += g.positives;
      together.back().negatives += g.negatives;
    }
    ScoreCurves out = curves_of(together);
    out.brier = brier_.value();
    out.doubted_positives = doubted_positives_;
    out.doubted_negatives = doubted_negatives_;
    out.calibration.clear();
    out.calibration_error = 0;
    const double rows = static_cast<double>(std::max<int64_t>(1, out.positives + out.negatives));
    for (const auto& [place, b] : bins_) {
      out.calibration.push_back({b.score.value(), b.share.value(), b.rows});
      out.calibration_error +=
          static_cast<double>(b.rows) / rows * std::abs(b.score.value() - b.share.value());
    }
    return out;
  }

 private:
  struct Bin {
    Mean score, share;
    int64_t rows = 0;
  };
  std::vector<ScoreGroup> groups_;
  std::map<int, Bin> bins_;
  Mean brier_;
  int64_t doubted_positives_ = 0, doubted_negatives_ = 0;
};

// One output over the folds.
class OutputPool {
 public:
  void add(const Json& q) {
    out_.name = text(q, "name");
    type_ = text(q, "type");
    out_.threshold = q.value("threshold", 0.5);
    std::vector<size_t> at;
    for (const Json& label : q.at("labels")) at.push_back(place_of(label));
    const size_t k = at.size();
    for (size_t t = 0; t < k; ++t)
      for (size_t a = 0; a < k; ++a)
        confusion_[{at[t], at[a]}] += q.at("confusion").at(t * k + a).get<int64_t>();
    for (const Json& curve : q.at("curves")) curve_of(text(curve, "label")).add(curve.at("of"));
    if (const auto c = q.find("confidence"); c != q.end()) {
      if (!confidence_) confidence_.emplace();
      confidence_->add(*c);
    }
    if (const auto n = q.find("number"); n != q.end())
      for (const Json& p : (*n).at("pairs")) pairs_.push_back({p[0].get<double>(), p[1].get<double>()});
    for (const Json& g : q.at("subgroups")) group(g);
    for (const Json& m : q.at("mistakes")) {
      Mistake mistake{.row = whole(m, "table_row"),
                      .table_row = whole(m, "table_row"),
                      .badness = number(m, "badness"),
                      .truth = text(m, "truth"),
                      .answer = text(m, "answer"),
                      .probability = number(m, "probability"),
                      .cells = {}};
      for (const Json& cell : m.at("cells")) mistake.cells.push_back(cell.get<std::string>());
      out_.mistakes.push_back(std::move(mistake));
    }
  }

  OutputQuality take() {
    for (const auto type : {task::FeatureType::number, task::FeatureType::binary, task::FeatureType::category,
                            task::FeatureType::vector, task::FeatureType::set})
      if (name_of(type) == type_) out_.type = type;
    const size_t k = out_.labels.size();
    out_.confusion.assign(k * k, 0);
    for (const auto& [place, rows] : confusion_) out_.confusion[place.first * k + place.second] = rows;
    for (const auto& [label, pool] : curves_) out_.curves.push_back({label, pool.curves()});
    if (confidence_) out_.confidence = confidence_->curves();
    if (out_.type == task::FeatureType::number) out_.number = number_quality(std::move(pairs_));
    for (auto& [key, sums] : groups_) {
      Subgroup g{.column = sums.column, .value = sums.value, .rows = sums.rows};
      g.loss = sums.loss.value(), g.accuracy = sums.accuracy.value(), g.share_true = sums.share_true.value();
      g.share_answered_true = sums.answered.value(), g.recall = sums.recall.value();
      g.mean_error = sums.error.value(), g.mean_absolute_error = sums.absolute.value();
      out_.subgroups.push_back(std::move(g));
    }
    constexpr size_t kMistakes = 20;
    std::stable_sort(out_.mistakes.begin(), out_.mistakes.end(),
                     [](const Mistake& a, const Mistake& b) { return a.badness > b.badness; });
    if (out_.mistakes.size() > kMistakes) out_.mistakes.resize(kMistakes);
    return std::move(out_);
  }

 private:
  struct Group {
    std::string column, value;
    int64_t rows = 0;
    Mean loss, accuracy, share_true, answered, recall, error, absolute;
  };

  size_t place_of(const Json& label) {
    const std::string word = label.get<std::string>();
    const auto found = std::ranges::find(out_.labels, word);
    const auto place = static_cast<size_t>(found - out_.labels.begin());
    if (found == out_.labels.end()) out_.labels.push_back(word);
    return place;
  }
  CurvePool& curve_of(const std::string& label) {
    for (auto& [name, pool] : curves_)
      if (name == label) return pool;
    return curves_.emplace_back(label, CurvePool()).second;
  }
  void group(const Json& g) {
    Group& sums = groups_[{text(g, "column"), text(g, "value")}];
    sums.column = text(g, "column"), sums.value = text(g, "value");
    const auto rows = static_cast<double>(whole(g, "rows"));
    sums.rows += whole(g, "rows");
    sums.loss.add(number(g, "loss"), rows);
    sums.accuracy.add(number(g, "accuracy"), rows);
    sums.share_true.add(number(g, "share_true"), rows);
    sums.answered.add(number(g, "share_answered_true"), rows);
    sums.recall.add(number(g, "recall"), rows * number(g, "share_true"));
    sums.error.add(number(g, "mean_error"), rows);
    sums.absolute.add(number(g, "mean_absolute_error"), rows);
  }

  OutputQuality out_;
  std::string type_;
  std::map<std::pair<size_t, size_t>, int64_t> confusion_;
  std::vector<std::pair<std::string, CurvePool>> curves_;
  std::optional<CurvePool> confidence_;
  std::vector<NumberQuality::Pair> pairs_;
  std::map<std::pair<std::string, std::string>, Group> groups_;
};

// What several folds found, once, with how many found it.
class FindingPool {
 public:
  void add(const Json& findings, size_t fold) {
    constexpr std::string_view kSeverity[] = {"good", "note", "warning", "problem"};
    for (const Json& f : findings) {
      const std::string name = text(f, "severity");
      if (std::ranges::find(kSeverity, name) == std::end(kSeverity)) continue;
      const auto severity = static_cast<Severity>(std::ranges::find(kSeverity, name) - std::begin(kSeverity));
      const auto found =
          std::ranges::find_if(all_, [&](const Seen& s) { return s.finding.title == text(f, "title"); });
      if (found != all_.end()) {
        ++found->folds;
        continue;
      }
      all_.push_back(
          {{severity, text(f, "subject"), text(f, "title"), text(f, "evidence"), text(f, "remedy")},
           fold,
           1});
    }
  }
  std::vector<Finding> take(size_t folds) {
    std::vector<Finding> out;
    std::ranges::stable_sort(all_, std::greater(), &Seen::folds);
    for (Seen& s : all_) {
      s.finding.evidence =
          fmt::format("In {} of {} folds. In fold {}: {}", s.folds, folds, s.fold + 1, s.finding.evidence);
      out.push_back(std::move(s.finding));
    }
    sort_by_severity(out);
    return out;
  }

 private:
  struct Seen {
    Finding finding;
    size_t fold, folds;
  };
  std::vector<Seen> all_;
};

class Folds {
 public:
  explicit Folds(const train::CrossValidation& result) {
    facts_.title = std::filesystem::path(result.folder).lexically_normal().filename().string();
    facts_.folds.emplace();
    facts_.folds->count = result.folds;
    facts_.folds->values = result.values;
    quality_.split = "out-of-fold";
  }

  // Json::exception where it is no report.
  void add(const Json& report, size_t fold) {
    FoldFacts& its = facts_.folds->runs.back();
    if (facts_.program.empty()) about(report);
    for (const Json& s : report.at("split_rows")) its.rows.push_back(whole(s, "rows"));
    if (const auto run = report.find("run"); run != report.end())
      its.steps = whole(*run, "steps"), its.ending = text(*run, "ending");
    if (const auto plan = report.find("plan"); plan != report.end()) {
      const Json& times = plan->at("times");
      its.peak_bytes = whole(*plan, "peak_bytes");
      its.planned_bytes = whole(plan->at("ledger").at("memory"), "total_bytes");
      its.planned_seconds = number(times, "planned_seconds");
      its.took_seconds = number(times, "took_seconds");
    }
    diagnosis_.add(report.at("diagnosis"), fold);
    data_.add(report.at("data_findings"), fold);
    const auto q = report.find("quality");
    if (q == report.end() || pooled_ == kMostPooled) return;
    ++pooled_;
    quality_.rows += whole(*q, "rows");
    if (quality_.columns.empty())
      for (const Json& c : q->at("columns")) quality_.columns.push_back(c.get<std::string>());
    const Json& outputs = q->at("outputs");
    outputs_.resize(std::max(outputs_.size(), outputs.size()));
    for (size_t o = 0; o < outputs.size(); ++o) outputs_[o].add(outputs[o]);
  }
  void begin_fold() { facts_.folds->runs.emplace_back(); }

  Facts take() {
    const size_t folds = facts_.folds->runs.size();
    facts_.folds->pooled = pooled_;
    for (OutputPool& output : outputs_) quality_.outputs.push_back(output.take());
    if (pooled_ > 0) facts_.quality = std::move(quality_);
    facts_.diagnosis = diagnosis_.take(folds);
    facts_.data_findings = data_.take(folds);
    return std::move(facts_);
  }

 private:
  // What is the same of every fold.
  void about(const Json& report) {
    facts_.made = text(report, "made"), facts_.program = text(report, "program");
    facts_.rows = whole(report, "rows");
    for (const Json& file : report.at("files")) facts_.files.push_back(file.get<std::string>());
    for (const Json& f : report.at("inputs")) facts_.inputs.emplace_back(text(f, "name"), text(f, "type"));
    for (const Json& f : report.at("outputs")) facts_.outputs.emplace_back(text(f, "name"), text(f, "type"));
  }

  Facts facts_;
  Quality quality_;
  std::vector<OutputPool> outputs_;
  FindingPool diagnosis_, data_;
  int64_t pooled_ = 0;
};

}  // namespace

Facts facts_of_folds(const train::CrossValidation& result,
                     const std::function<std::string(int64_t fold)>& report_of) {
  Folds folds(result);
  for (int64_t fold = 0; fold < result.folds; ++fold) {
    folds.begin_fold();
    const Json report = Json::parse(report_of(fold), nullptr, false);
    if (!report.is_object() || report.value("format", 0) != kFormat) continue;
    try {
      folds.add(report, static_cast<size_t>(fold));
    } catch (const Json::exception&) {  // that somebody changed: what could be read of it stays
    }
  }
  return folds.take();
}

Result<std::string> write_folds(const train::CrossValidation& result) {
  const auto report_of = [&](int64_t fold) {
    return read_file(fmt::format("{}/fold_{}/report.json", result.folder, fold + 1)).value_or("");
  };
  const std::string json = to_json(facts_of_folds(result, report_of));
  if (auto ok = write_file(result.folder + "/report.json", json, false); !ok) return fail(ok.error());
  const std::string page = result.folder + "/report.html";
  if (auto ok = write_page(page, std::span(&json, 1)); !ok) return fail(ok.error());
  return page;
}

}  // namespace shoestring::report
