#include "report/findings.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"

namespace shoestring::report {
namespace {

double share(int64_t part, int64_t whole) {
  return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : 0;
}

std::string percent(double value) { return fmt::format("{:.{}f} %", 100 * value, value < 0.1 ? 1 : 0); }

bool empty(const train::Dataset& data, const ColumnFacts& c) { return c.missing >= data.rows; }

void about_missing(const train::Dataset& data, const std::vector<ColumnFacts>& columns,
                   std::vector<Finding>& out) {
  constexpr double kMuch = 0.3;
  std::vector<std::string> some;
  for (const ColumnFacts& c : columns) {
    if (empty(data, c)) {
      out.push_back({Severity::warning, c.name, fmt::format("'{}' is empty", c.name),
                     fmt::format("None of its {} cells has a value, so it tells nothing.", data.rows),
                     "leave it out, or find out why it is empty"});
      continue;
    }
    const double missing = share(c.missing, data.rows);
    if (missing > kMuch)
      out.push_back(
          {Severity::warning, c.name,
           fmt::format("'{}' is missing in {} of the rows", c.name, percent(missing)),
           fmt::format("{} of {} cells have no value; the model sees what they were filled with.", c.missing,
                       data.rows),
           "find out why it is missing; say how it is filled with preprocessing.missing_value_strategy, or "
           "leave the column out"});
    else if (c.missing > 0)
      some.push_back(fmt::format("'{}' ({})", c.name, percent(missing)));
  }
  if (!some.empty())
    out.push_back({Severity::note, "",
                   fmt::format("{} missing values", some.size() == 1 ? "A column has" : "Some columns have"),
                   listed(some) + ".", "preprocessing.missing_value_strategy says how each is filled"});
}

void about_values(const train::Dataset& data, const std::vector<ColumnFacts>& columns,
                  std::vector<Finding>& out) {
  const int64_t training = data.count(task::SplitName::training);
  for (const ColumnFacts& c : columns) {
    if (empty(data, c)) continue;  // is told of once
    if ((c.minimum == c.maximum && !std::isnan(c.minimum)) || c.distinct == 1)
      out.push_back({Severity::warning, c.name, fmt::format("'{}' is constant", c.name),
                     "All training rows have one value, so it tells nothing.", "leave it out"});
    constexpr int64_t kFewestRows = 100;
    if (c.type == "category" && training >= kFewestRows && 2 * c.distinct > training)
      out.push_back(
          {Severity::warning, c.name, fmt::format("'{}' looks like an ID", c.name),
           fmt::format("{} distinct values in {} training rows: hardly one comes again in a new row.",
                       c.distinct, training),
           "leave it out, or give it the encoder hash or target"});
    if (c.rises && training >= kFewestRows)
      out.push_back({Severity::warning, c.name, fmt::format("'{}' looks like a row number", c.name),
                     "It is whole and grows from each sampled row to the next.",
                     "leave it out: where rows are in an order, it tells the order and nothing of new rows"});
    // Nearly all values in one of the bins, as a far outlier leaves them.
    if (const double spread = c.edges.empty() ? 0 : c.edges.back() - c.edges.front();
        spread > 0 && c.maximum - c.minimum > 50 * spread)
      out.push_back(
          {Severity::note, c.name, fmt::format("'{}' has far outliers", c.name),
           fmt::format("99 % of its values lie within {:.4g} and {:.4g}, all within {:.4g} and {:.4g}.",
                       c.edges.front(), c.edges.back(), c.minimum, c.maximum),
           "check that they are real; preprocessing.outlier_strategy or normalization: log1p tames them"});
  }
}

void about_leaks(const train::Dataset& data, const std::vector<ColumnFacts>& columns,
                 std::vector<Finding>& out) {
  constexpr double kSurely = 0.98, kHardly = 0.8, kNearly = 0.002;
  size_t told = 0;
  std::vector<std::string> useless;
  for (const ColumnFacts& c : columns) {
    if (std::isnan(c.strength) || empty(data, c)) continue;
    ++told;
    if (c.strength > kHardly)
      out.push_back({c.strength > kSurely ? Severity::problem : Severity::warning, c.name,
                     fmt::format("'{}' may give the target away", c.name),
                     fmt::format("By itself it explains {} of the target.", percent(c.strength)),
                     "make sure that it is known before the target is; else leave it out"});
    if (c.strength < kNearly) useless.push_back("'" + c.name + "'");
  }
  if (!useless.empty() && useless.size() < told)
    out.push_back({Severity::note, "",
                   fmt::format("{} by {} next to nothing of the target",
                               useless.size() == 1 ? "One column tells"
                                                   : fmt::format("{} columns tell", useless.size()),
                               useless.size() == 1 ? "itself" : "themselves"),
                   listed(useless) + ".", "they may still help beside others; try the model without them"});
}

void about_drift(const std::vector<ColumnFacts>& columns, const std::string& held_out,
                 std::vector<Finding>& out) {
  constexpr double kSome = 0.1, kMuch = 0.25;
  for (const ColumnFacts& c : columns)
    if (c.drift > kSome)
      out.push_back(
          {c.drift > kMuch ? Severity::warning : Severity::note, c.name,
           fmt::format("'{}' differs between training and {} rows", c.name, held_out),
           fmt::format("Population stability index {:.2f} beyond chance (0.1 is some, 0.25 is much).",
                       c.drift),
           "if rows are ordered in time, expect new ones to differ too: train on recent rows; if not, split "
           "at random"});
}

void about_rows(const train::Dataset& data, const Duplicates& d, const std::string& held_out,
                std::vector<Finding>& out) {
  constexpr double kOverlap = 0.01, kRepeated = 0.01;
  if (const int64_t left_out = data.rows - data.split_rows(); left_out > 0)
    out.push_back(
        {share(left_out, data.rows) > 0.05 ? Severity::warning : Severity::note, "",
         fmt::format("{} left out", left_out == 1 ? "1 row is" : fmt::format("{} rows are", left_out)),
         fmt::format("Of {} that were read {} are used; the others have no target, or what the recipe drops.",
                     data.rows, data.split_rows()),
         ""});
  if (const double seen = share(d.seen, d.held_out); seen > kOverlap)
    out.push_back(
        {seen > 10 * kOverlap ? Severity::problem : Severity::warning, "",
         fmt::format("{} of the {} rows are also training rows", percent(seen), held_out),
         fmt::format("{} of {} that were looked at have the same inputs as a training row, so they measure "
                     "memory rather than skill.",
                     d.seen, d.held_out),
         "remove copies before the split, or keep what belongs together in one split (split: group)"});
  if (const double repeated = share(d.repeated, d.training_rows); repeated > kRepeated)
    out.push_back({Severity::note, "", fmt::format("{} of the training rows are copies", percent(repeated)),
                   fmt::format("{} of {} that were looked at have the same inputs as another.", d.repeated,
                               d.training_rows),
                   "drop them where they are no facts of their own"});
}

}  // namespace

std::vector<Finding> data_findings(const train::Dataset& data, const std::vector<ColumnFacts>& columns,
                                   const Duplicates& duplicates, const std::string& held_out) {
  std::vector<Finding> out;
  about_rows(data, duplicates, held_out, out);
  about_leaks(data, columns, out);
  about_drift(columns, held_out, out);
  about_values(data, columns, out);
  about_missing(data, columns, out);
  for (const std::string& note : data.spec.recipe.notes.lines)
    if (note.find("is left out") != std::string::npos)
      out.push_back(
          {note.find("gives the target away") != std::string::npos ? Severity::warning : Severity::note, "",
           "A column was left out", note + ".", "name it in a recipe to use it all the same"});
  sort_by_severity(out);
  constexpr size_t kMost = 40;
  if (out.size() > kMost) out.resize(kMost);
  return out;
}

std::vector<Finding> measured_findings(const train::Dataset& data, const std::vector<ColumnFacts>& columns,
                                       const std::string& rows_name) {
  std::vector<Finding> out;
  if (const int64_t left_out = data.rows - data.split_rows(); left_out > 0)
    out.push_back(
        {share(left_out, data.rows) > 0.05 ? Severity::warning : Severity::note, "",
         fmt::format("{} not measured", left_out == 1 ? "1 row is" : fmt::format("{} rows are", left_out)),
         fmt::format("Of {} that were read {} are measured; the others have no target, or are of "
                     "another split.",
                     data.rows, data.split_rows()),
         ""});
  about_drift(columns, rows_name, out);
  constexpr double kBeyond = 0.01, kSome = 0.25, kMuch = 0.5, kSure = 4;
  const double chance = kSure / std::sqrt(static_cast<double>(std::max<int64_t>(1, data.split_rows())));
  for (const ColumnFacts& c : columns) {
    if (std::abs(c.shift) > std::max(kSome, chance))
      out.push_back(
          {std::abs(c.shift) > kMuch ? Severity::warning : Severity::note, c.name,
           fmt::format("'{}' is {} than in training", c.name, c.shift > 0 ? "higher" : "lower"),
           fmt::format("Its mean is {:.2f} standard deviations from that of the training rows, {:.4g}.",
                       std::abs(c.shift), c.mean),
           "find out what changed: a unit, a source, the time; if it stays so, train on rows like these"});
    if (c.outside > kBeyond)
      out.push_back({Severity::warning, c.name, fmt::format("'{}' goes beyond what training saw", c.name),
                     fmt::format("{} of the rows are below {:.4g} or above {:.4g}, where no training row is.",
                                 percent(c.outside), c.minimum, c.maximum),
                     "answers there are guesses: check the values, or train on rows that cover them"});
  }
  about_missing(data, columns, out);
  sort_by_severity(out);
  constexpr size_t kMost = 40;
  if (out.size() > kMost) out.resize(kMost);
  return out;
}

void sort_by_severity(std::vector<Finding>& findings) {
  std::stable_sort(findings.begin(), findings.end(),
                   [](const Finding& a, const Finding& b) { return a.severity > b.severity; });
}

}  // namespace shoestring::report
